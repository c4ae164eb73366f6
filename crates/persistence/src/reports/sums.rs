//! Moves changes of imported tickets into the sums that reports read.

use std::time::Duration;

use diesel::{
    connection::SimpleConnection,
    prelude::*,
    sql_types::{BigInt, Bool},
};
use techsupport_application::{AppError, Budget, ports::ImportedSums};
use techsupport_domain::ticket::Status;

use crate::Database;

/// Whoever holds this moves changes. Any number that nobody else uses. Two at once would do no harm, but wait for each
/// other's rows.
const SUMS_LOCK: i64 = 0x7375_6d73_2121_2121;

pub(crate) struct PgImportedSums {
    database: Database,
    timeout: Duration,
}

impl PgImportedSums {
    pub(crate) fn new(database: Database, timeout: Duration) -> Self {
        Self { database, timeout }
    }
}

#[derive(QueryableByName)]
struct Moved {
    #[diesel(sql_type = BigInt)]
    moved: i64,
}

impl ImportedSums for PgImportedSums {
    fn catch_up(&self, limit: u32) -> Result<u32, AppError> {
        const BEGIN: &str = "BEGIN; SET LOCAL jit = off; SET LOCAL plan_cache_mode = force_custom_plan; \
             SET LOCAL random_page_cost = 1.1";
        let budget = Budget::lasting(self.timeout);
        let moved = self.database.read_in(&budget, BEGIN, |conn| {
            let held = format!("pg_try_advisory_xact_lock({SUMS_LOCK})");
            if !diesel::select(diesel::dsl::sql::<Bool>(&held)).get_result::<bool>(conn)? {
                return Ok(0);
            }
            let timeout = format!("SET LOCAL statement_timeout = {}", self.timeout.as_millis());
            conn.batch_execute(&timeout)?;
            let query = diesel::sql_query(move_changes()).bind::<BigInt, _>(i64::from(limit));
            query.get_result::<Moved>(conn).map(|row| row.moved)
        })?;
        u32::try_from(moved).map_err(AppError::internal)
    }
}

/// One statement, so one snapshot: what it adds to the sums is what it takes from the changes. A fact that is like
/// one that is there becomes one with it, and nothing when they come to none. Of a fact that is taken away before it
/// came there are less than none until it comes. What is compared is what `imported_facts_by_age` has, so that one
/// fact of many at the same time is found; that an unknown agent is taken for one without a name here does no
/// harm, since each is put back as it was.
fn move_changes() -> String {
    let columns = Status::ALL.map(|status| status.name().to_lowercase());
    let sums = Status::ALL
        .map(|status| format!("coalesce(sum(n.tickets) FILTER (WHERE n.status = '{}'), 0)", status.name()));
    let added = columns.each_ref().map(|column| format!("{column} = h.{column} + excluded.{column}"));
    format!(
        "WITH moved AS MATERIALIZED ( \
             DELETE FROM imported_changes WHERE ctid = ANY (ARRAY(SELECT c.ctid FROM imported_changes c LIMIT $1)) \
             RETURNING *), \
         n AS MATERIALIZED ( \
             SELECT created_at, duration_us, sum(tickets) AS tickets, client_type, status, escalated, agent_id \
             FROM moved GROUP BY 1, 2, 4, 5, 6, 7 HAVING sum(tickets) <> 0), \
         replaced AS ( \
             DELETE FROM imported_facts f USING n WHERE f.created_at = n.created_at \
                 AND coalesce(f.duration_us, -1) = coalesce(n.duration_us, -1) \
                 AND coalesce(f.agent_id, '') = coalesce(n.agent_id, '') \
                 AND f.client_type = n.client_type AND f.status = n.status AND f.escalated = n.escalated \
             RETURNING f.created_at, f.duration_us, f.tickets, f.client_type, f.status, f.escalated, f.agent_id), \
         facts AS ( \
             INSERT INTO imported_facts (created_at, duration_us, tickets, client_type, status, escalated, agent_id) \
             SELECT x.created_at, x.duration_us, sum(x.tickets), x.client_type, x.status, x.escalated, x.agent_id \
             FROM (SELECT * FROM n UNION ALL SELECT * FROM replaced) AS x \
             GROUP BY 1, 2, 4, 5, 6, 7 HAVING sum(x.tickets) <> 0 ORDER BY 1), \
         hours AS ( \
             INSERT INTO imported_by_hour AS h (hour, client_type, {columns}, ever_escalated) \
             SELECT date_trunc('hour', n.created_at, 'UTC'), n.client_type, {sums}, \
                 coalesce(sum(n.tickets) FILTER (WHERE n.escalated), 0) \
             FROM n GROUP BY 1, 2 ORDER BY 1, 2 \
             ON CONFLICT (hour, client_type) DO UPDATE SET {added}, \
                 ever_escalated = h.ever_escalated + excluded.ever_escalated), \
         agents AS ( \
             INSERT INTO imported_by_agent AS a (month, client_type, agent_id, tickets, total_us) \
             SELECT date_trunc('month', n.created_at, 'UTC'), n.client_type, n.agent_id, sum(n.tickets), \
                 sum(n.tickets::numeric * n.duration_us) \
             FROM n WHERE n.duration_us IS NOT NULL AND n.agent_id IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 \
             ON CONFLICT (month, client_type, agent_id) DO UPDATE SET tickets = a.tickets + excluded.tickets, \
                 total_us = a.total_us + excluded.total_us), \
         durations AS ( \
             INSERT INTO imported_by_duration AS d (month, client_type, bucket_us, tickets, total_us) \
             SELECT date_trunc('month', n.created_at, 'UTC'), n.client_type, duration_bucket(n.duration_us), \
                 sum(n.tickets), sum(n.tickets::numeric * n.duration_us) \
             FROM n WHERE n.duration_us IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 \
             ON CONFLICT (month, client_type, bucket_us) DO UPDATE SET tickets = d.tickets + excluded.tickets, \
                 total_us = d.total_us + excluded.total_us) \
         SELECT count(*) AS moved FROM moved",
        columns = columns.join(", "),
        sums = sums.join(", "),
        added = added.join(", "),
    )
}
