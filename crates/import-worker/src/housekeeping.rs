//! Removes uploaded files that nobody needs any more.

use std::{sync::Arc, time::Duration};

use techsupport_application::{
    AppError,
    ports::{ForgottenFiles, ImportJobs},
};
use tokio_util::sync::CancellationToken;

use crate::{ImportSettings, meters};

/// Files that one pass removes.
const BATCH: u32 = 100;

/// Looks again and again until it is stopped. Any number of workers may do so.
pub(crate) async fn keep_house(jobs: Arc<dyn ImportJobs>, settings: ImportSettings, stop: CancellationToken) {
    let mut due = tokio::time::interval(Duration::from_millis(settings.housekeeping_ms));
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = due.tick() => {}
        }
        let jobs = Arc::clone(&jobs);
        let (orphans, imports) =
            (Duration::from_secs(settings.orphans_after_s), Duration::from_secs(settings.give_up_after_s));
        let pass = tokio::task::spawn_blocking(move || jobs.forget(orphans, imports, BATCH));
        match pass.await.unwrap_or_else(|panic| Err(AppError::internal(panic))) {
            Ok(ForgottenFiles { orphans, given_up }) => {
                meters::forgotten(orphans, given_up);
                if given_up > 0 {
                    tracing::warn!(given_up, "imports did not end in time");
                }
            }
            Err(error) => tracing::warn!(%error, "cannot look for files that nobody needs"),
        }
    }
}
