//! Uploads.

use diesel::{prelude::*, sql_types};
use techsupport_application::{
    AppError,
    events::{OutboxMessage, Subject},
    ports::{ImportTx, NewImport},
};
use techsupport_domain::UserId;
use uuid::Uuid;

use super::PgTx;
use crate::schema::{import_file_parts, import_files, import_processes};

impl ImportTx for PgTx<'_> {
    fn store_file_part(&mut self, file: Uuid, number: u32, data: &[u8]) -> Result<(), AppError> {
        let at = i32::try_from(number).map_err(AppError::internal)?;
        self.exec(|conn| {
            if number == 0 {
                diesel::insert_into(import_files::table).values(import_files::id.eq(file)).execute(conn)?;
            }
            diesel::insert_into(import_file_parts::table)
                .values((
                    import_file_parts::file_id.eq(file),
                    import_file_parts::number.eq(at),
                    import_file_parts::data.eq(data),
                ))
                .execute(conn)
        })
        .map(drop)
    }

    fn drop_file(&mut self, file: Uuid) -> Result<(), AppError> {
        self.exec(|conn| {
            // Waits for a transaction that asks for the import at this moment; the next statement sees what came of it.
            let held: Option<Uuid> = import_files::table
                .find(file)
                .select(import_files::id)
                .for_update()
                .first(conn)
                .optional()?;
            let Some(held) = held else { return Ok(0) };
            let asked = import_processes::table.filter(import_processes::file_id.eq(held));
            diesel::delete(import_files::table.find(held))
                .filter(diesel::dsl::not(diesel::dsl::exists(asked)))
                .execute(conn)
        })
        .map(drop)
    }

    fn unfinished_imports(&mut self) -> Result<i64, AppError> {
        self.exec(|conn| {
            import_processes::table.filter(import_processes::finished_at.is_null()).count().get_result(conn)
        })
    }

    fn request_import(&mut self, import: &NewImport, event: &OutboxMessage) -> Result<(), AppError> {
        // Relays of the release before read `ticket_id` whatever the event is about.
        let (ticket_id, subject) = match event.subject {
            Subject::Ticket(ticket) => (ticket.uuid(), None),
            Subject::Import(import) => (import.uuid(), Some(import.to_string())),
        };
        self.exec(|conn| {
            diesel::insert_into(import_processes::table)
                .values((
                    import_processes::id.eq(import.id.uuid()),
                    import_processes::file_id.eq(import.file),
                    import_processes::file_name.eq(import.name.as_str()),
                    import_processes::file_kind.eq(import.kind.name()),
                    import_processes::uploaded_by.eq(import.by.map(UserId::uuid)),
                    import_processes::status.eq("PENDING"),
                ))
                .execute(conn)?;
            diesel::sql_query(
                "INSERT INTO outbox (id, type, ticket_id, subject, at, traceparent, body) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7::json)",
            )
            .bind::<sql_types::Uuid, _>(event.id.uuid())
            .bind::<sql_types::Text, _>(event.event_type.name())
            .bind::<sql_types::Uuid, _>(ticket_id)
            .bind::<sql_types::Nullable<sql_types::Text>, _>(subject)
            .bind::<sql_types::Timestamptz, _>(event.at)
            .bind::<sql_types::Text, _>(&event.traceparent)
            .bind::<sql_types::Text, _>(&event.body)
            .execute(conn)
        })
        .map(drop)
    }
}
