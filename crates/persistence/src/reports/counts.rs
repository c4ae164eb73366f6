//! How many tickets there are, by when they were created, by tier, and by status.

use diesel::{
    prelude::*,
    sql_types::{Array, BigInt, Integer, Text, Timestamptz},
};
use techsupport_domain::ticket::Status;
use time::OffsetDateTime;

use super::window::{Window, tier_is, within};

/// Those of a tier that were created between two bounds.
#[derive(QueryableByName)]
pub(super) struct Counts {
    /// How many bounds are behind them.
    #[diesel(sql_type = Integer)]
    pub(super) stretch: i32,
    #[diesel(sql_type = Text)]
    pub(super) tier: String,
    #[diesel(sql_type = BigInt)]
    open: i64,
    #[diesel(sql_type = BigInt)]
    in_progress: i64,
    #[diesel(sql_type = BigInt)]
    waiting: i64,
    #[diesel(sql_type = BigInt)]
    escalated: i64,
    #[diesel(sql_type = BigInt)]
    resolved: i64,
    #[diesel(sql_type = BigInt)]
    closed: i64,
    /// Whatever the status.
    #[diesel(sql_type = BigInt)]
    pub(super) ever_escalated: i64,
}

impl Counts {
    pub(super) const fn of(&self, status: Status) -> i64 {
        match status {
            Status::Open => self.open,
            Status::InProgress => self.in_progress,
            Status::Waiting => self.waiting,
            Status::Escalated => self.escalated,
            Status::Resolved => self.resolved,
            Status::Closed => self.closed,
        }
    }
}

/// Which live tickets.
#[derive(Clone, Copy)]
pub(super) enum Which {
    All,
    /// Not resolved: there is an index of them. Of others, the counts are those of imported tickets.
    Unresolved,
}

/// Hours of which something is asked for, and whether all of it.
const HOURS: &str = "SELECT h.*, width_bucket(h.hour, $4) AS stretch, \
        ($1 IS NULL OR h.hour >= $1) AND ($2 IS NULL OR h.hour + interval '1 hour' <= $2) \
            AND width_bucket(h.hour, $4) = width_bucket(h.hour + interval '59:59.999999', $4) AS whole \
    FROM imported_by_hour h WHERE ($1 IS NULL OR h.hour > $1 - interval '1 hour') AND ($2 IS NULL OR h.hour < $2) \
        AND ($3 IS NULL OR h.client_type = $3)";

/// Hour by hour: the window is compared so that no index answers it, or all of it would be read to find them.
const FACTS_OF_OTHER_HOURS: &str = concat!(
    "SELECT f.created_at, f.client_type AS tier, f.status, f.escalated, f.tickets \
     FROM (SELECT DISTINCT hours.hour FROM hours WHERE NOT hours.whole) AS other \
     CROSS JOIN LATERAL (SELECT * FROM imported_facts f WHERE f.created_at >= other.hour \
         AND f.created_at < other.hour + interval '1 hour' \
         AND (f.created_at >= $1) IS NOT FALSE AND (f.created_at < $2) IS NOT FALSE AND ",
    tier_is!("f.client_type"),
    // Keeps it a question for each hour.
    " OFFSET 0) AS f"
);

const CHANGES: &str = concat!(
    "SELECT c.created_at, c.client_type AS tier, c.status, c.escalated, c.tickets::bigint AS tickets \
     FROM imported_changes c WHERE ",
    within!("c.created_at"),
    " AND ",
    tier_is!("c.client_type")
);

const LIVE: &str = concat!(
    "SELECT t.created_at, c.tier, t.status, t.escalation_level > 0 OR t.status = 'ESCALATED' AS escalated, \
         1::bigint AS tickets \
     FROM tickets t JOIN clients c ON c.id = t.client_id WHERE t.deleted_at IS NULL AND ",
    within!("t.created_at"),
    " AND ",
    tier_is!("c.tier")
);

const LIVE_UNRESOLVED: &str = concat!(
    "SELECT t.created_at, c.tier, t.status, t.escalation_level > 0 OR t.status = 'ESCALATED' AS escalated, \
         1::bigint AS tickets \
     FROM tickets t JOIN clients c ON c.id = t.client_id WHERE t.deleted_at IS NULL AND t.phase = 0 AND ",
    within!("t.created_at"),
    " AND ",
    tier_is!("c.tier")
);

/// Counts what was created between each two of the bounds, which have to be in order, before the first, and from the
/// last one on.
pub(super) fn counts(
    conn: &mut PgConnection,
    window: &Window<'_>,
    bounds: Vec<OffsetDateTime>,
    which: Which,
) -> QueryResult<Vec<Counts>> {
    let live = match which {
        Which::All => LIVE,
        Which::Unresolved => LIVE_UNRESOLVED,
    };
    let singly = window.union(&[live], &[FACTS_OF_OTHER_HOURS, CHANGES]);
    let by_status = Status::ALL.map(|status| {
        let name = status.name();
        format!("sum(n.tickets) FILTER (WHERE n.status = '{name}') AS {}", name.to_lowercase())
    });
    let by_hour = "SELECT hours.stretch, hours.client_type AS tier, sum(hours.open) AS open, \
            sum(hours.in_progress) AS in_progress, sum(hours.waiting) AS waiting, \
            sum(hours.escalated) AS escalated, sum(hours.resolved) AS resolved, sum(hours.closed) AS closed, \
            sum(hours.ever_escalated) AS ever_escalated \
        FROM hours WHERE hours.whole GROUP BY 1, 2";
    let one_by_one = format!(
        "SELECT n.stretch, n.tier, {}, sum(n.tickets) FILTER (WHERE n.escalated) AS ever_escalated \
         FROM (SELECT width_bucket(s.created_at, $4) AS stretch, s.tier, s.status, s.escalated, \
                 sum(s.tickets) AS tickets \
             FROM ({singly}) AS s GROUP BY 1, 2, 3, 4) AS n GROUP BY 1, 2",
        by_status.join(", ")
    );
    let parts = [one_by_one, window.union(&[], &[by_hour])];
    let parts = parts.iter().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>();
    let sums = Status::ALL.map(|status| {
        let name = status.name().to_lowercase();
        format!("coalesce(sum(p.{name}), 0)::bigint AS {name}")
    });
    let sql = format!(
        "WITH hours AS MATERIALIZED ({HOURS}) \
         SELECT p.stretch, p.tier, {}, coalesce(sum(p.ever_escalated), 0)::bigint AS ever_escalated \
         FROM ({}) AS p GROUP BY 1, 2",
        sums.join(", "),
        parts.join(" UNION ALL ")
    );
    window.query(&sql).bind::<Array<Timestamptz>, _>(bounds).load(conn)
}
