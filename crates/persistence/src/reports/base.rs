//! Reports from the tickets themselves, one statement each.

use diesel::{
    pg::Pg,
    prelude::*,
    query_builder::{BoxedSqlQuery, SqlQuery},
    sql_types::{BigInt, Bool, Integer, Nullable, SmallInt, Text, Timestamptz},
};
use techsupport_application::ports::{
    AgeBucket, AgentSpeed, AverageResolution, BacklogCount, Compliance, EscalatedInMonth, ReportFilter,
    Source, StatusInWeek,
};
use techsupport_domain::{sla::Metric, ticket::Status};

use crate::rows::{Corrupt, tier_of};

/// What all reports about tickets begin with. $1 to $6 are the filter.
///
/// The name of a zone has an area or is UTC, so that `AT TIME ZONE` cannot take it for an abbreviation. Where the id of an
/// agent has the form of a UUID, its letter case means nothing.
const TICKETS: &str = "WITH t AS ( \
        SELECT c.tier, t.status, t.escalation_level, t.agent_id::text AS agent, t.created_at, t.resolved_at \
        FROM tickets t JOIN clients c ON c.id = t.client_id WHERE $1 AND t.deleted_at IS NULL \
        UNION ALL \
        SELECT i.client_type, i.status, i.escalation_level, \
            CASE WHEN i.agent_id ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN lower(i.agent_id) \
                 ELSE i.agent_id END, i.created_at, i.resolved_at \
        FROM imported_tickets i WHERE $2 \
    ), f AS ( \
        SELECT *, t.created_at AT TIME ZONE $6 AS local, \
            (extract(epoch FROM t.resolved_at - t.created_at) * 1000000)::bigint AS us \
        FROM t WHERE ($3 IS NULL OR t.created_at >= $3) AND ($4 IS NULL OR t.created_at <= $4) \
            AND ($5 IS NULL OR t.tier = $5) \
    ) ";

/// A sum of microseconds and how many there are, as whole minutes, half up. Nothing is lost on the way.
const MEAN: &str = "div(2 * sum(us) + 60000000 * count(*), 120000000 * count(*))::bigint";

type Query = BoxedSqlQuery<'static, Pg, SqlQuery>;

/// A statement with the filter as its first six values.
fn about(filter: &ReportFilter, sql: &str) -> Query {
    let from_there = |source| filter.source.is_none_or(|asked| asked == source);
    diesel::sql_query(sql)
        .into_boxed()
        .bind::<Bool, _>(from_there(Source::Live))
        .bind::<Bool, _>(from_there(Source::Imported))
        .bind::<Nullable<Timestamptz>, _>(filter.from)
        .bind::<Nullable<Timestamptz>, _>(filter.to)
        .bind::<Nullable<Text>, _>(filter.tier.map(techsupport_domain::ClientTier::name))
        .bind::<Text, _>(filter.zone.name().to_owned())
}

#[derive(QueryableByName)]
pub(super) struct AverageRow {
    #[diesel(sql_type = Text)]
    tier: String,
    #[diesel(sql_type = BigInt)]
    mean: i64,
    #[diesel(sql_type = BigInt)]
    p50: i64,
    #[diesel(sql_type = BigInt)]
    p90: i64,
    #[diesel(sql_type = BigInt)]
    tickets: i64,
}

impl AverageRow {
    pub(super) fn into_row(self) -> Result<AverageResolution, Corrupt> {
        Ok(AverageResolution {
            tier: tier_of(&self.tier)?,
            mean_minutes: self.mean,
            p50_minutes: self.p50,
            p90_minutes: self.p90,
            tickets: self.tickets,
        })
    }
}

pub(super) fn average_resolution(
    conn: &mut PgConnection,
    filter: &ReportFilter,
) -> QueryResult<Vec<AverageRow>> {
    let sql = format!(
        "{TICKETS} SELECT tier, {MEAN} AS mean, {} AS p50, {} AS p90, count(*) AS tickets \
         FROM f WHERE resolved_at IS NOT NULL GROUP BY tier ORDER BY tier COLLATE \"C\"",
        percentile("0.5", "us"),
        percentile("0.9", "us")
    );
    about(filter, &sql).load(conn)
}

/// In whole minutes, half up.
fn percentile(fraction: &str, us: &str) -> String {
    format!("floor(percentile_cont({fraction}) WITHIN GROUP (ORDER BY {us}) / 60000000 + 0.5)::bigint")
}

#[derive(QueryableByName)]
pub(super) struct MonthRow {
    #[diesel(sql_type = Integer)]
    year: i32,
    #[diesel(sql_type = SmallInt)]
    month: i16,
    #[diesel(sql_type = BigInt)]
    tickets: i64,
}

impl MonthRow {
    pub(super) fn into_row(self) -> Result<EscalatedInMonth, Corrupt> {
        Ok(EscalatedInMonth { year: self.year, month: small(self.month)?, tickets: self.tickets })
    }
}

/// A month or a week.
fn small(number: i16) -> Result<u8, Corrupt> {
    u8::try_from(number).map_err(|error| error.to_string())
}

pub(super) fn escalated_per_month(
    conn: &mut PgConnection,
    filter: &ReportFilter,
) -> QueryResult<Vec<MonthRow>> {
    let sql = format!(
        "{TICKETS} SELECT extract(year FROM local)::int AS year, extract(month FROM local)::smallint AS month, \
             count(*) AS tickets \
         FROM f WHERE escalation_level > 0 OR status = 'ESCALATED' GROUP BY 1, 2 ORDER BY 1, 2"
    );
    about(filter, &sql).load(conn)
}

#[derive(QueryableByName)]
pub(super) struct WeekRow {
    #[diesel(sql_type = Integer)]
    year: i32,
    #[diesel(sql_type = SmallInt)]
    week: i16,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = BigInt)]
    tickets: i64,
}

impl WeekRow {
    pub(super) fn into_row(self) -> Result<StatusInWeek, Corrupt> {
        let (week, status) = (small(self.week)?, status_of(&self.status)?);
        Ok(StatusInWeek { year: self.year, week, status, tickets: self.tickets })
    }
}

fn status_of(name: &str) -> Result<Status, Corrupt> {
    Status::parse(name).map_err(|error| format!("status {name:?} {error}"))
}

pub(super) fn weekly_status(conn: &mut PgConnection, filter: &ReportFilter) -> QueryResult<Vec<WeekRow>> {
    let sql = format!(
        "{TICKETS} SELECT extract(isoyear FROM local)::int AS year, extract(week FROM local)::smallint AS week, \
             status, count(*) AS tickets \
         FROM f GROUP BY 1, 2, 3"
    );
    about(filter, &sql).load(conn)
}

#[derive(QueryableByName)]
pub(super) struct AgentRow {
    #[diesel(sql_type = Text)]
    agent: String,
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
    #[diesel(sql_type = BigInt)]
    mean: i64,
    #[diesel(sql_type = BigInt)]
    tickets: i64,
}

impl AgentRow {
    #[expect(clippy::unnecessary_wraps, reason = "rows may be corrupt")]
    pub(super) fn into_row(self) -> Result<AgentSpeed, Corrupt> {
        Ok(AgentSpeed { agent: self.agent, name: self.name, mean_minutes: self.mean, tickets: self.tickets })
    }
}

pub(super) fn top_agents(
    conn: &mut PgConnection,
    filter: &ReportFilter,
    limit: u16,
) -> QueryResult<Vec<AgentRow>> {
    let sql = format!(
        "{TICKETS}, best AS ( \
             SELECT agent COLLATE \"C\" AS agent, {MEAN} AS mean, round(sum(us), 30) / count(*) AS exact, \
                 count(*) AS tickets \
             FROM f WHERE resolved_at IS NOT NULL AND agent IS NOT NULL GROUP BY 1 \
             ORDER BY exact, tickets DESC, agent LIMIT $7 \
         ) SELECT b.agent, a.name, b.mean, b.tickets FROM best b LEFT JOIN agents a ON a.id::text = b.agent \
         ORDER BY b.exact, b.tickets DESC, b.agent"
    );
    about(filter, &sql).bind::<BigInt, _>(i64::from(limit)).load(conn)
}

#[derive(QueryableByName)]
pub(super) struct ComplianceRow {
    #[diesel(sql_type = Integer)]
    year: i32,
    #[diesel(sql_type = SmallInt)]
    month: i16,
    #[diesel(sql_type = Text)]
    tier: String,
    #[diesel(sql_type = Text)]
    metric: String,
    #[diesel(sql_type = BigInt)]
    met: i64,
    #[diesel(sql_type = BigInt)]
    breached: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    median: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    p90: Option<i64>,
}

impl ComplianceRow {
    pub(super) fn into_row(self) -> Result<Compliance, Corrupt> {
        Ok(Compliance {
            year: self.year,
            month: small(self.month)?,
            tier: tier_of(&self.tier)?,
            metric: Metric::parse(&self.metric)
                .map_err(|error| format!("metric {:?} {error}", self.metric))?,
            met: self.met,
            breached: self.breached,
            median_minutes: self.median,
            p90_minutes: self.p90,
        })
    }
}

pub(super) fn compliance(conn: &mut PgConnection, filter: &ReportFilter) -> QueryResult<Vec<ComplianceRow>> {
    // $2 is about imported tickets, of which there is nothing here.
    let sql = format!(
        "WITH c AS ( \
             SELECT t.created_at AT TIME ZONE $6 AS local, cl.tier, c.metric, c.breached_at, c.stopped_at, \
                 CASE WHEN c.stopped_at IS NOT NULL THEN c.consumed_us END AS us \
             FROM sla_clocks c JOIN tickets t ON t.id = c.ticket_id JOIN clients cl ON cl.id = t.client_id \
             WHERE $1 AND ($2 OR NOT $2) AND t.deleted_at IS NULL AND ($3 IS NULL OR t.created_at >= $3) \
                 AND ($4 IS NULL OR t.created_at <= $4) AND ($5 IS NULL OR cl.tier = $5) \
         ), g AS ( \
             SELECT extract(year FROM local)::int AS year, extract(month FROM local)::smallint AS month, tier, \
                 metric, count(*) FILTER (WHERE stopped_at IS NOT NULL AND breached_at IS NULL) AS met, \
                 count(breached_at) AS breached, {} AS median, {} AS p90 \
             FROM c GROUP BY 1, 2, 3, 4 \
         ) SELECT * FROM g WHERE met + breached > 0",
        percentile("0.5", "us"),
        percentile("0.9", "us")
    );
    about(filter, &sql).load(conn)
}

#[derive(QueryableByName)]
pub(super) struct BacklogRow {
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Text)]
    tier: String,
    #[diesel(sql_type = Integer)]
    age: i32,
    #[diesel(sql_type = BigInt)]
    tickets: i64,
}

impl BacklogRow {
    pub(super) fn into_row(self) -> Result<BacklogCount, Corrupt> {
        let age = usize::try_from(self.age).ok().and_then(|age| AgeBucket::ALL.get(age));
        Ok(BacklogCount {
            status: status_of(&self.status)?,
            tier: tier_of(&self.tier)?,
            age: *age.ok_or_else(|| format!("age bucket {}", self.age))?,
            tickets: self.tickets,
        })
    }
}

pub(super) fn backlog(conn: &mut PgConnection, filter: &ReportFilter) -> QueryResult<Vec<BacklogRow>> {
    let limits = AgeBucket::LIMITS_DAYS.map(|days| (days * 86_400).to_string()).join(", ");
    let sql = format!(
        "{TICKETS} SELECT status, tier, \
             width_bucket(extract(epoch FROM statement_timestamp() - created_at), ARRAY[{limits}]::numeric[]) AS age, \
             count(*) AS tickets \
         FROM f WHERE status NOT IN ('RESOLVED', 'CLOSED') GROUP BY 1, 2, 3"
    );
    about(filter, &sql).load(conn)
}
