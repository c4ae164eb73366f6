//! A chunk: checkpoint, rows and faults in one transaction.
//!
//! Rows travel by COPY, the fastest way in, into a table of the session that is empty after each commit; from there one
//! statement brings them to their place, because COPY knows no ON CONFLICT. Sorted by key, so that two workers that
//! load files with the same tickets meet in one order and never deadlock.

#![allow(clippy::ref_option_ref, reason = "diesel's derive makes such references")]

use diesel::{ExecuteCopyFromDsl, connection::SimpleConnection, prelude::*, sql_types};
use techsupport_application::{
    imports::{Column, ImportedTicket},
    ports::{Chunk, Hold},
};
use time::OffsetDateTime;

use super::IS_HELD;
use crate::{failure::Failure, link::Link};

diesel::table! {
    import_staging (sheet_row) {
        sheet_row -> Integer,
        ticket_id -> Text,
        client_id -> Text,
        client_type -> Text,
        status -> Text,
        escalation_level -> SmallInt,
        agent_id -> Nullable<Text>,
        created_at -> Timestamptz,
        resolved_at -> Nullable<Timestamptz>,
    }
}

/// Asked for first: making it again would be passed over, but with a notice on standard error.
const HAS_STAGING: &str = "SELECT to_regclass('pg_temp.import_staging') IS NOT NULL AS found";
const MAKE_STAGING: &str = "CREATE TEMPORARY TABLE import_staging (sheet_row integer NOT NULL, \
    ticket_id text COLLATE \"C\" NOT NULL, client_id text NOT NULL, client_type text NOT NULL, status text NOT NULL, \
    escalation_level smallint NOT NULL, agent_id text, created_at timestamptz NOT NULL, resolved_at timestamptz) \
    ON COMMIT DELETE ROWS";

/// Of the same ticket the later row of the later file counts, in whatever order they are loaded.
const MERGE: &str = "INSERT INTO imported_tickets AS t (ticket_id, client_id, client_type, status, escalation_level, \
        agent_id, created_at, resolved_at, import_number, sheet_row) \
    SELECT DISTINCT ON (s.ticket_id) s.ticket_id, s.client_id, s.client_type, s.status, s.escalation_level, \
        s.agent_id, s.created_at, s.resolved_at, $1, s.sheet_row \
    FROM import_staging s ORDER BY s.ticket_id, s.sheet_row DESC \
    ON CONFLICT (ticket_id) DO UPDATE SET client_id = excluded.client_id, client_type = excluded.client_type, \
        status = excluded.status, escalation_level = excluded.escalation_level, agent_id = excluded.agent_id, \
        created_at = excluded.created_at, resolved_at = excluded.resolved_at, \
        import_number = excluded.import_number, sheet_row = excluded.sheet_row \
    WHERE (t.import_number, t.sheet_row) < (excluded.import_number, excluded.sheet_row)";

/// Room for the faults of one row: one for each column, and more.
const FAULTS_PER_ROW: i64 = 16;

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = sql_types::Bool)]
    found: bool,
}

#[derive(QueryableByName)]
struct Failed {
    #[diesel(sql_type = sql_types::Integer)]
    failed: i32,
}

/// `false` when the import is no longer ours; then nothing was done.
pub(super) fn load(
    link: &mut Link,
    hold: &Hold,
    chunk: &Chunk,
    lease_ms: i64,
    most_listed: u32,
) -> Result<bool, Failure> {
    let Some(failed) = link.query(|conn| move_checkpoint(conn, hold, chunk, lease_ms))? else {
        return Ok(false);
    };
    if !chunk.tickets.is_empty() {
        if !link.query(|conn| diesel::sql_query(HAS_STAGING).get_result::<Found>(conn))?.found {
            link.query(|conn| conn.batch_execute(MAKE_STAGING))?;
        }
        link.query(|conn| {
            let rows: Vec<StagingRow<'_>> =
                chunk.tickets.iter().map(|(row, ticket)| StagingRow::of(*row, ticket)).collect();
            diesel::copy_from(import_staging::table).from_insertable(rows).execute(conn)
        })?;
        link.query(|conn| diesel::sql_query(MERGE).bind::<sql_types::BigInt, _>(hold.number).execute(conn))?;
    }
    let failed_before = i64::from(failed) - i64::try_from(chunk.faults.len()).unwrap_or(i64::MAX);
    if !chunk.faults.is_empty() && failed_before < i64::from(most_listed) {
        link.query(|conn| list_faults(conn, hold, chunk))?;
    }
    Ok(true)
}

/// How many rows have failed so far. `None` when the import is no longer ours.
fn move_checkpoint(
    conn: &mut PgConnection,
    hold: &Hold,
    chunk: &Chunk,
    lease_ms: i64,
) -> QueryResult<Option<i32>> {
    let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let sql = format!(
        "UPDATE import_processes SET reached_row = $3, processed = processed + $4, failed = failed + $5, \
             idle_claims = 0, lease_until = clock_timestamp() + make_interval(secs => $6 / 1e3), \
             updated_at = clock_timestamp() \
         WHERE {IS_HELD} AND reached_row < $3 RETURNING failed"
    );
    diesel::sql_query(sql)
        .bind::<sql_types::Uuid, _>(hold.import.uuid())
        .bind::<sql_types::Integer, _>(hold.fence)
        .bind::<sql_types::Integer, _>(number(chunk.reached))
        .bind::<sql_types::Integer, _>(count(chunk.tickets.len()))
        .bind::<sql_types::Integer, _>(count(chunk.faults.len()))
        .bind::<sql_types::BigInt, _>(lease_ms)
        .get_result::<Failed>(conn)
        .optional()
        .map(|row| row.map(|row| row.failed))
}

#[derive(Insertable)]
#[diesel(table_name = import_staging, treat_none_as_default_value = false)]
struct StagingRow<'t> {
    sheet_row: i32,
    ticket_id: &'t str,
    client_id: &'t str,
    client_type: &'static str,
    status: &'static str,
    escalation_level: i16,
    agent_id: Option<&'t str>,
    created_at: OffsetDateTime,
    resolved_at: Option<OffsetDateTime>,
}

impl<'t> StagingRow<'t> {
    fn of(row: u32, ticket: &'t ImportedTicket) -> Self {
        Self {
            sheet_row: number(row),
            ticket_id: &ticket.ticket,
            client_id: &ticket.client,
            client_type: ticket.tier.name(),
            status: ticket.status.name(),
            escalation_level: ticket.level.get().into(),
            agent_id: ticket.agent.as_deref(),
            created_at: ticket.created_at,
            resolved_at: ticket.resolved_at,
        }
    }
}

#[derive(Default)]
struct FaultColumns<'f> {
    place: Vec<i64>,
    row: Vec<i32>,
    column: Vec<Option<&'static str>>,
    value: Vec<&'f str>,
    detail: Vec<&'f str>,
}

fn list_faults(conn: &mut PgConnection, hold: &Hold, chunk: &Chunk) -> QueryResult<usize> {
    let mut columns = FaultColumns::default();
    for (row, faults) in &chunk.faults {
        for (fault, within) in faults.iter().zip(0..FAULTS_PER_ROW) {
            columns.place.push(i64::from(*row) * FAULTS_PER_ROW + within);
            columns.row.push(number(*row));
            columns.column.push(fault.column.map(Column::name));
            columns.value.push(&fault.value);
            columns.detail.push(&fault.detail);
        }
    }
    diesel::sql_query(
        "INSERT INTO import_errors (process_id, place, sheet_row, column_name, value, detail) \
         SELECT $1, f.place, f.sheet_row, f.column_name, f.value, f.detail \
         FROM unnest($2, $3, $4, $5, $6) AS f (place, sheet_row, column_name, value, detail)",
    )
    .bind::<sql_types::Uuid, _>(hold.import.uuid())
    .bind::<sql_types::Array<sql_types::BigInt>, _>(columns.place)
    .bind::<sql_types::Array<sql_types::Integer>, _>(columns.row)
    .bind::<sql_types::Array<sql_types::Nullable<sql_types::Text>>, _>(columns.column)
    .bind::<sql_types::Array<sql_types::Text>, _>(columns.value)
    .bind::<sql_types::Array<sql_types::Text>, _>(columns.detail)
    .execute(conn)
}

fn number(row: u32) -> i32 {
    i32::try_from(row).unwrap_or(i32::MAX)
}
