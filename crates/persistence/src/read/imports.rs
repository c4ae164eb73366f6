//! Imports and what was wrong with their rows.

use diesel::prelude::*;
use techsupport_application::{
    AppError, Budget, Page, Paged, Position, SortKey,
    ports::{ImportErrorRow, ImportReader, ImportRow, ImportStatus},
};
use techsupport_domain::ImportId;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{PgReader, foreign, total};
use crate::{
    rows::Corrupt,
    schema::{import_errors, import_processes},
};

#[derive(Queryable, Selectable)]
#[diesel(table_name = import_processes)]
pub(crate) struct ProcessRow {
    id: Uuid,
    file_name: String,
    status: String,
    total: Option<i32>,
    processed: i32,
    failed: i32,
    error: Option<String>,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = import_errors)]
struct ErrorRow {
    place: i64,
    sheet_row: i32,
    column_name: Option<String>,
    value: String,
    detail: String,
}

impl ImportReader for PgReader {
    fn import(&self, budget: &Budget, id: ImportId) -> Result<Option<ImportRow>, AppError> {
        let row: Option<ProcessRow> = self.database.read(budget, |conn| {
            import_processes::table.find(id.uuid()).select(ProcessRow::as_select()).first(conn).optional()
        })?;
        row.map(into_import).transpose().map_err(AppError::internal)
    }

    fn import_errors(
        &self,
        budget: &Budget,
        id: ImportId,
        page: Page,
    ) -> Result<Option<Paged<ImportErrorRow>>, AppError> {
        let rows = self.snapshot(budget, |conn| errors(conn, id, page))?;
        rows.map(|rows| rows.try_map(into_error)).transpose()
    }
}

/// The newest ones, the newest first.
pub(crate) fn newest(conn: &mut PgConnection, limit: u16) -> QueryResult<Vec<ProcessRow>> {
    import_processes::table
        .order((import_processes::created_at.desc(), import_processes::id.desc()))
        .limit(limit.into())
        .select(ProcessRow::as_select())
        .load(conn)
}

fn errors(conn: &mut PgConnection, id: ImportId, page: Page) -> QueryResult<Option<Paged<ErrorRow>>> {
    let import = import_processes::table.find(id.uuid());
    if !diesel::select(diesel::dsl::exists(import)).get_result::<bool>(conn)? {
        return Ok(None);
    }
    let of_import = || import_errors::table.filter(import_errors::process_id.eq(id.uuid()));
    let total = total(page, || of_import().count().get_result(conn))?;
    let behind = match page.position() {
        // Places begin with the row's number, and rows at 1.
        None => 0,
        Some(Position { key: SortKey::Number(place), .. }) => place,
        Some(position) => return Err(foreign(position)),
    };
    let rows = of_import()
        .filter(import_errors::place.gt(behind))
        .order(import_errors::place)
        .limit(page.reach())
        .offset(page.offset())
        .select(ErrorRow::as_select())
        .load(conn)?;
    let position = |row: &ErrorRow| Position { key: SortKey::Number(row.place), id: Uuid::nil() };
    Ok(Some(Paged::of(page, total, rows, position)))
}

pub(crate) fn into_import(row: ProcessRow) -> Result<ImportRow, Corrupt> {
    let count = |count: i32| u32::try_from(count).map_err(|error| error.to_string());
    Ok(ImportRow {
        id: ImportId::new(row.id),
        file_name: row.file_name,
        status: ImportStatus::parse(&row.status).ok_or_else(|| format!("import status {:?}", row.status))?,
        total: count(row.total.unwrap_or(0))?,
        processed: count(row.processed)?,
        failed: count(row.failed)?,
        error: row.error,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

fn into_error(row: ErrorRow) -> Result<ImportErrorRow, AppError> {
    Ok(ImportErrorRow {
        place: row.place,
        row: u32::try_from(row.sheet_row).map_err(AppError::internal)?,
        column: row.column_name,
        value: row.value,
        detail: row.detail,
    })
}
