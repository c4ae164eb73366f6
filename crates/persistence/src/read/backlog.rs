//! What waits to be done.

use diesel::{prelude::*, sql_types};
use techsupport_application::ports::Backlog;

use super::dead_letters;

#[derive(QueryableByName)]
struct Seconds {
    #[diesel(sql_type = sql_types::Nullable<sql_types::Double>)]
    seconds: Option<f64>,
}

/// Zero when a step is overdue, `None` when no clock runs.
pub(super) fn seconds_until_next_step(conn: &mut PgConnection) -> QueryResult<Option<f64>> {
    let row: Seconds = diesel::sql_query(
        "SELECT greatest(extract(epoch FROM min(wake_at) - clock_timestamp()), 0)::float8 AS seconds \
         FROM sla_clocks WHERE wake_at IS NOT NULL",
    )
    .get_result(conn)?;
    Ok(row.seconds)
}

#[derive(QueryableByName)]
struct BacklogRow {
    #[diesel(sql_type = sql_types::BigInt)]
    outbox_pending: i64,
    #[diesel(sql_type = sql_types::Double)]
    outbox_oldest_seconds: f64,
    #[diesel(sql_type = sql_types::BigInt)]
    tickets_set_aside: i64,
    #[diesel(sql_type = sql_types::Double)]
    sweep_overdue_seconds: f64,
    #[diesel(sql_type = sql_types::BigInt)]
    deliveries_pending: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    deliveries_dead: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    unsummed_changes: i64,
}

/// An import may leave millions of changes: so many are as good as all.
const CHANGES_COUNTED: i64 = 100_000;

pub(super) fn backlog(conn: &mut PgConnection) -> QueryResult<Backlog> {
    let row: BacklogRow = diesel::sql_query(
        "SELECT (SELECT count(*) FROM outbox WHERE published_at IS NULL) AS outbox_pending, \
           (SELECT coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 \
              FROM outbox WHERE published_at IS NULL) AS outbox_oldest_seconds, \
           (SELECT count(DISTINCT ticket_id) FROM sla_clocks WHERE set_aside_until IS NOT NULL) \
              AS tickets_set_aside, \
           (SELECT greatest(coalesce(extract(epoch FROM clock_timestamp() - min(wake_at)), 0), 0)::float8 \
              FROM sla_clocks WHERE wake_at IS NOT NULL) AS sweep_overdue_seconds, \
           (SELECT count(*) FROM deliveries WHERE state = 'PENDING') AS deliveries_pending, \
           (SELECT count(*) FROM deliveries WHERE state = 'DEAD') AS deliveries_dead, \
           (SELECT count(*) FROM (SELECT FROM imported_changes LIMIT $1) AS c) AS unsummed_changes",
    )
    .bind::<sql_types::BigInt, _>(CHANGES_COUNTED)
    .get_result(conn)?;
    Ok(Backlog {
        outbox_pending: row.outbox_pending,
        outbox_oldest_seconds: row.outbox_oldest_seconds,
        tickets_set_aside: row.tickets_set_aside,
        sweep_overdue_seconds: row.sweep_overdue_seconds,
        deliveries_pending: row.deliveries_pending,
        deliveries_dead: row.deliveries_dead,
        unsummed_changes: row.unsummed_changes,
        dead_letters: dead_letters::dead(conn)?,
    })
}
