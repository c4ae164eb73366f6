//! The newest imports.

use serde::Serialize;
use techsupport_application::{ports::ImportRow, reports};
use utoipa::ToSchema;

use super::table::{self, Row, or_empty};
use crate::{
    csv,
    handlers::files::{self, ImportDto},
    inbound::Inbound,
    openapi::{Operation, Tag, terms},
    routes::Answer,
};

#[derive(Serialize, ToSchema)]
#[schema(as = LastImport)]
struct LastImportDto {
    #[serde(flatten)]
    #[schema(inline)]
    import: ImportDto,
    #[serde(rename = "_id")]
    #[schema(required, schema_with = terms::old_key_import)]
    old_key: String,
}

impl From<ImportRow> for LastImportDto {
    fn from(import: ImportRow) -> Self {
        Self { old_key: import.id.to_string(), import: import.into() }
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
        let import = &self.import;
        vec![
            import.process_id.clone(),
            import.file_name.clone(),
            import.status.to_owned(),
            import.total.to_string(),
            import.processed.to_string(),
            import.failed.to_string(),
            or_empty(import.error.as_ref()),
            import.created_at.clone(),
            import.updated_at.clone(),
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
