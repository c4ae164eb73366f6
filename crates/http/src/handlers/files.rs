//! Imports of historical tickets.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use actix_web::{HttpResponse, web::Bytes};
use futures_util::stream;
use garde::Validate;
use serde::{Deserialize, Serialize};
use techsupport_application::{
    AppError, Entity, Page, Paged, Position, SortedBy,
    imports::{self, RequestImport},
    ports::{ImportErrorRow, ImportRow, ImportStatus},
    wire_time,
};
use techsupport_domain::ImportId;
use utoipa::ToSchema;

use super::{list::List, rules};
use crate::{
    csv,
    inbound::{Inbound, Member, OnceAnswer, Parameters, optional},
    openapi::{Operation, Tag, samples, terms},
    problem::Problem,
    reply::Reply,
    routes::Answer,
};

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ImportAccepted)]
struct AcceptedDto {
    #[schema(required, schema_with = terms::id)]
    process_id: String,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Import)]
pub(super) struct ImportDto {
    #[schema(required, schema_with = terms::id)]
    pub(super) process_id: String,
    #[schema(required, schema_with = terms::file_name)]
    pub(super) file_name: String,
    #[schema(required, schema_with = terms::import_status)]
    pub(super) status: &'static str,
    #[schema(required, schema_with = terms::rows_total)]
    pub(super) total: u32,
    #[schema(required, schema_with = terms::rows_processed)]
    pub(super) processed: u32,
    #[schema(required, schema_with = terms::rows_failed)]
    pub(super) failed: u32,
    #[schema(required, schema_with = terms::or_null::import_reason)]
    pub(super) error: Option<String>,
    #[schema(required, schema_with = terms::moment)]
    pub(super) created_at: String,
    #[schema(required, schema_with = terms::moment)]
    pub(super) updated_at: String,
}

impl From<ImportRow> for ImportDto {
    fn from(import: ImportRow) -> Self {
        Self {
            process_id: import.id.to_string(),
            file_name: import.file_name,
            status: import.status.wire_name(),
            total: import.total,
            processed: import.processed,
            failed: import.failed,
            error: import.error,
            created_at: wire_time::format(import.created_at),
            updated_at: wire_time::format(import.updated_at),
        }
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ImportError)]
struct ErrorDto {
    #[schema(required, schema_with = terms::sheet_row)]
    row: u32,
    #[schema(required, schema_with = terms::or_null::sheet_column)]
    column: Option<String>,
    #[schema(required, schema_with = terms::sheet_value)]
    value: String,
    #[schema(required, schema_with = terms::sheet_detail)]
    detail: String,
}

impl From<ImportErrorRow> for ErrorDto {
    fn from(error: ImportErrorRow) -> Self {
        Self { row: error.row, column: error.column, value: error.value, detail: error.detail }
    }
}

#[derive(Deserialize, Validate, Default, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct ErrorQuery {
    #[garde(custom(optional(rules::page_number)))]
    #[schema(schema_with = terms::page)]
    page: Member<String>,
    #[garde(custom(optional(rules::page_size)))]
    #[schema(schema_with = terms::page_size)]
    page_size: Member<String>,
    #[garde(custom(optional(rules::cursor)))]
    #[schema(schema_with = terms::cursor)]
    cursor: Member<String>,
}

impl Parameters for ErrorQuery {}

/// `POST /api/files/upload`
pub(crate) async fn upload(mut inbound: Inbound) -> Result<OnceAnswer, Problem> {
    let upload = inbound.upload().await?;
    let command = RequestImport {
        file: upload.file,
        name: upload.name,
        kind: upload.kind,
        most_unfinished: inbound.state().settings.uploads.max_unfinished,
    };
    let asked = Arc::new(AtomicBool::new(false));
    let noted = Arc::clone(&asked);
    let work = move |ctx: techsupport_application::Ctx<'_>| {
        noted.store(true, Ordering::Release);
        imports::request_import(ctx, &command)
    };
    let accepted = |id: ImportId| {
        let location = format!("/api/files/status/{id}");
        Reply::accepted(&location, &AcceptedDto { process_id: id.to_string() })
    };
    let answer = inbound.run_once(work, accepted).await;
    // Refused, or the same request again, whose file is known already.
    if answer.is_err() || !asked.load(Ordering::Acquire) {
        inbound.discard(upload.file).await;
    }
    answer
}

/// `GET /api/files/status/{id}`
pub(crate) async fn status(inbound: Inbound) -> Answer {
    let id = inbound.id(ImportId::new)?;
    let import = inbound.run(move |ctx| imports::show_import(ctx, id)).await?;
    Ok(HttpResponse::Ok().json(ImportDto::from(import)))
}

/// `GET /api/files/{id}/errors`
pub(crate) async fn errors(inbound: Inbound) -> Answer {
    let query: ErrorQuery = inbound.query()?;
    let places = SortedBy::Number { most: i64::MAX };
    let list = List::asked(&inbound, &query.page, &query.page_size, &query.cursor, places)?;
    let id = inbound.id(ImportId::new)?;
    if csv::is_wanted(inbound.headers()) {
        return download(inbound, id).await;
    }
    let paged = inbound.run(move |ctx| imports::list_import_errors(ctx, id, list.page)).await?;
    Ok(csv::declined(list.answer(paged, ErrorDto::from)))
}

/// All of it, read and sent page by page.
async fn download(inbound: Inbound, id: ImportId) -> Answer {
    let first = next_page(&inbound, id, None).await?;
    let parts = stream::unfold(Some((inbound, Some(first), true)), move |state| async move {
        let (inbound, page, is_first) = state?;
        let page: Paged<ImportErrorRow> = page?;
        let mut text =
            if is_first { csv::head(&["row", "column", "value", "detail"]) } else { String::new() };
        for error in page.rows {
            let row = error.row.to_string();
            let column = error.column.as_deref().unwrap_or_default();
            text.push_str(&csv::line(&[&row, column, &error.value, &error.detail]));
        }
        let part = Ok::<Bytes, std::io::Error>(Bytes::from(text));
        let Some(position) = page.next else { return Some((part, None)) };
        match next_page(&inbound, id, Some(position)).await {
            Ok(next) => Some((part, Some((inbound, Some(next), false)))),
            // The answer has begun: all that is left is to break it off, so that nobody takes it for complete.
            Err(problem) => Some((Err(std::io::Error::other(problem.detail.into_owned())), None)),
        }
    });
    Ok(csv::download(&format!("import-errors-{id}"))?.streaming(Box::pin(parts)))
}

async fn next_page(
    inbound: &Inbound,
    id: ImportId,
    behind: Option<Position>,
) -> Result<Paged<ImportErrorRow>, Problem> {
    let page = Page::behind(behind, Page::MAX_SIZE).ok_or_else(Problem::internal)?;
    // Aside: the request counts as answered once its head has left.
    inbound.run_aside(move |ctx| imports::list_import_errors(ctx, id, page)).await
}

/// An import.
pub(super) fn sample() -> ImportRow {
    ImportRow {
        id: ImportId::new(samples::id(30)),
        file_name: "tickets_2025.xlsx".to_owned(),
        status: ImportStatus::CompletedWithErrors,
        total: 5_000,
        processed: 4_998,
        failed: 2,
        error: None,
        created_at: samples::AT,
        updated_at: samples::AT,
    }
}

fn sample_error() -> ErrorDto {
    ErrorDto {
        row: 3,
        column: Some("client_type".to_owned()),
        value: "GOLD".to_owned(),
        detail: "is not one of VIP, NORMAL".to_owned(),
    }
}

pub(crate) fn upload_docs() -> Operation {
    Operation::new("uploadFile", Tag::Files, "Upload a file of historical tickets")
        .about(
            "An .xlsx (its first sheet) or .csv whose header names the columns ticket_id, client_id, client_type, created_at, \
             resolved_at, agent_id, escalation_level and status, in any order; tipo_cliente, fecha_creacion, \
             fecha_resolucion, agente_id, nivel_escalamiento and estado are the same. Dates are RFC 3339 or date cells, \
             which are taken for UTC. `resolved_at` may be blank unless the status is RESOLVED or CLOSED, `agent_id` \
             always. In a .csv commas, semicolons, tabs or vertical bars separate; it is UTF-8, UTF-16 with a mark, or \
             Windows-1252. The file is imported in the background: rows that are wrong are listed, the others are in. \
             The same `ticket_id` again, in this file or a later one, updates its row. What is no spreadsheet is refused \
             at once; one that cannot be read ends as `failed`, with the reason in `error`.",
        )
        .takes_file("file", "The .xlsx or .csv.")
        .answers(202, "The file is stored and will be imported.", Some(AcceptedDto { process_id: sample().id.to_string() }))
        .with_location("/api/files/status/{id}")
        .leads_to("status", "showImport", "id", "$response.body#/processId")
        .leads_to("errors", "listImportErrors", "id", "$response.body#/processId")
}

pub(crate) fn status_docs() -> Operation {
    Operation::new("showImport", Tag::Files, "Show how far an import is")
        .about("`total` is 0 until the file has been read once. At the end `processed` and `failed` are `total` together.")
        .answers(200, "The import.", Some(ImportDto::from(sample())))
        .refuses_with(AppError::NotFound(Entity::Import))
}

pub(crate) fn errors_docs() -> Operation {
    Operation::new("listImportErrors", Tag::Files, "List what is wrong with the rows of an import")
        .about(
            "In the order of the sheet. With `Accept: text/csv` all of it, to download; cells that a spreadsheet could \
             take for formulas begin with an apostrophe there.",
        )
        .asks::<ErrorQuery>()
        .lists(Some(sample_error()))
        .or_sends(csv::MEDIA_TYPE)
        .refuses_with(AppError::NotFound(Entity::Import))
}
