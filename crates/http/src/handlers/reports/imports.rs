//! The newest imports.

use serde::Serialize;
use techsupport_application::{ports::ImportRow, reports, wire_time};
use utoipa::ToSchema;

use super::table::{self, Row, or_empty};
use crate::{
    csv,
    handlers::files,
    inbound::Inbound,
    openapi::{Operation, Tag, terms},
    routes::Answer,
};

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LastImport)]
struct LastImportDto {
    #[schema(required, schema_with = terms::id)]
    process_id: String,
    #[schema(required, schema_with = terms::file_name)]
    file_name: String,
    #[schema(required, schema_with = terms::import_status)]
    status: &'static str,
    #[schema(required, schema_with = terms::rows_total)]
    total: u32,
    #[schema(required, schema_with = terms::rows_processed)]
    processed: u32,
    #[schema(required, schema_with = terms::rows_failed)]
    failed: u32,
    #[schema(required, schema_with = terms::or_null::import_reason)]
    error: Option<String>,
    #[schema(required, schema_with = terms::moment)]
    created_at: String,
    #[schema(required, schema_with = terms::moment)]
    updated_at: String,
    #[serde(rename = "_id")]
    #[schema(required, schema_with = terms::old_key_import)]
    old_key: String,
}

impl From<ImportRow> for LastImportDto {
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
            old_key: import.id.to_string(),
        }
    }
}

impl Row for LastImportDto {
    const COLUMNS: &'static [&'static str] = &[
        "processId",
        "fileName",
        "status",
        "total",
        "processed",
        "failed",
        "error",
        "createdAt",
        "updatedAt",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.process_id.clone(),
            self.file_name.clone(),
            self.status.to_owned(),
            self.total.to_string(),
            self.processed.to_string(),
            self.failed.to_string(),
            or_empty(self.error.as_ref()),
            self.created_at.clone(),
            self.updated_at.clone(),
        ]
    }
}

/// `GET /api/reports/last-processes`
pub(crate) async fn last_imports(inbound: Inbound) -> Answer {
    let rows = inbound.run(reports::last_imports).await?;
    table::answer(&inbound, "last-processes", rows.into_iter().map(LastImportDto::from))
}

pub(crate) fn last_imports_docs() -> Operation {
    Operation::new("reportLastImports", Tag::Reports, "Report the newest imports")
        .about("The ten that were uploaded last, the newest first, each as in `GET /api/files/status/{id}`.")
        .answers_rows("A row for each import.", Some(10), Some(LastImportDto::from(files::sample())))
        .or_sends(csv::MEDIA_TYPE)
}
