//! Starting and stopping, in order: what comes later may rely on what came before.

use std::{io, sync::Arc};

use techsupport_messaging::{Consumer, Subscription};
use techsupport_spreadsheet::ProcessParser;
use techsupport_worker::{Servers, ServersError};
use tokio_util::sync::CancellationToken;

use crate::{ImportWorkerSettings, cli::PARSE, housekeeping::keep_house, import::Import, meters};

/// What the database, the broker and the log see as the name of this program.
pub(crate) const NAME: &str = "import-worker";

/// Why the worker does not run.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// It has no servers.
    #[error(transparent)]
    Servers(#[from] ServersError),
    /// It does not know where its own program is, which reads the files.
    #[error("this program cannot find itself: {0}")]
    Program(io::Error),
}

/// Works until `stop` is cancelled, then finishes the chunk it holds.
pub async fn run(settings: ImportWorkerSettings, stop: CancellationToken) -> Result<(), WorkerError> {
    let parser = ProcessParser::of_this_program(PARSE, settings.imports.parser_limits());
    let parser = Arc::new(parser.map_err(WorkerError::Program)?);
    let Some(servers) = Servers::find(settings.needs(), &stop).await? else { return Ok(()) };
    meters::describe();
    let jobs = servers.database.import_jobs();
    let import =
        Import { jobs: Arc::clone(&jobs), parser, terms: settings.imports.terms(), stop: stop.clone() };
    let consumer = Consumer::new(
        &settings.broker,
        Subscription::TicketImports,
        NAME,
        settings.imports.consumer_options(),
        servers.publisher.clone(),
        Arc::new(import),
        stop.clone(),
    );
    tokio::join!(consumer.run(), keep_house(jobs, settings.imports.clone(), stop.clone()));
    servers.leave().await;
    Ok(())
}
