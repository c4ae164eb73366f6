//! From a message to the use case.

use std::{sync::Arc, time::Instant};

use techsupport_application::{
    AppError,
    deliveries::Verdict,
    imports::{ImportTerms, import_file},
    ports::{ImportEnd, ImportJobs, SheetParser},
};
use techsupport_messaging::{Handler, Message};
use tokio_util::sync::CancellationToken;

use crate::meters;

/// Imports the files that events ask for.
pub(crate) struct Import {
    pub(crate) jobs: Arc<dyn ImportJobs>,
    pub(crate) parser: Arc<dyn SheetParser>,
    pub(crate) terms: ImportTerms,
    pub(crate) stop: CancellationToken,
}

impl Handler for Import {
    fn handle(&self, message: &Message) -> Result<Verdict, AppError> {
        let began = Instant::now();
        let stopping = || self.stop.is_cancelled();
        let report =
            import_file(self.jobs.as_ref(), self.parser.as_ref(), &self.terms, &stopping, &message.body)?;
        meters::rows(report.loaded, report.refused);
        if let Some(end) = &report.end {
            let (outcome, reason) = match end {
                ImportEnd::Done => ("done", None),
                ImportEnd::Failed(reason) => ("failed", Some(reason.as_str())),
            };
            meters::ended(outcome, began.elapsed());
            let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            tracing::info!(
                outcome,
                reason,
                loaded = report.loaded,
                refused = report.refused,
                duration_ms,
                "an import has ended"
            );
        }
        Ok(report.verdict)
    }
}
