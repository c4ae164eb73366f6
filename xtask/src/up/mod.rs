//! `cargo xtask up`: the whole product, running and watched.

mod greeting;
mod supervisor;
mod tail;
mod watch;

use std::fs;

use crate::desk::Desk;
use crate::error::{Error, Result};
use crate::migrate::migrate;
use crate::programs::Programs;
use crate::provision::{Plan, Servers, free_port, is_free_port};
use crate::seed;
use crate::service::Service;

use supervisor::Supervisor;
use watch::Watched;

/// The name of the instance that `up` keeps.
pub(crate) const INSTANCE: &str = "up";

const USUAL_PORT: u16 = 8080;

/// Options of `up`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Build and run with optimisation.
    #[arg(long)]
    release: bool,
    /// The port of the API on this machine [default: 8080, or another one when that is taken].
    #[arg(long)]
    port: Option<u16>,
    /// Tickets of the demo data, which is made when there is no client yet.
    #[arg(long, default_value_t = seed::TICKETS)]
    tickets: u32,
    /// The seed of the demo data.
    #[arg(long, default_value_t = seed::SEED)]
    seed: u64,
    /// Add neither demo data nor a ticket to watch.
    #[arg(long)]
    no_seed: bool,
}

/// Runs until a signal asks to stop; then stops everything in order.
pub(crate) fn run(options: &Options) -> Result<()> {
    let port = choose_port(options.port)?;
    let servers = Servers::start(&Plan::kept(INSTANCE))?;
    let programs = Programs::build(options.release)?;
    migrate(&programs.api(), "up", servers.database_url().unwrap_or_default())?;

    let logs = servers.folder().join("logs");
    fs::create_dir_all(&logs).map_err(Error::io(format!("creating {}", logs.display())))?;
    let environment = service_environment(&servers, port);
    let api = Service::new("techsupport-api", programs.api(), logs.join("api.log"), environment.clone());
    let worker = Service::new("sla-worker", programs.worker(), logs.join("worker.log"), environment.clone());
    let importer = Service::new("import-worker", programs.importer(), logs.join("importer.log"), environment);

    let mut supervisor = Supervisor::start(servers, api, [worker, importer])?;
    supervisor.await_ready(port)?;
    let watched = if options.no_seed { None } else { furnish(supervisor.database_url(), options)? };
    greeting::print(port, &logs, watched.as_ref());
    supervisor.watch()?;
    eprintln!("xtask: stopping");
    supervisor.stop()
}

/// Demo data for an empty database, and a ticket to watch each time.
fn furnish(database_url: &str, options: &Options) -> Result<Option<Watched>> {
    let desk = Desk::open(database_url)?;
    if desk.is_empty()? {
        seed::plant(&desk, options.tickets, options.seed)?;
    }
    Watched::add(&desk)
}

fn service_environment(servers: &Servers, port: u16) -> Vec<(String, String)> {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    vec![
        pair("DATABASE_URL", servers.database_url().unwrap_or_default()),
        pair("AMQP_URL", servers.amqp_url().unwrap_or_default()),
        pair("TECHSUPPORT__HTTP__PORT", &port.to_string()),
    ]
}

fn choose_port(wanted: Option<u16>) -> Result<u16> {
    match wanted {
        Some(port) if is_free_port(port) => Ok(port),
        Some(port) => Err(Error::Refused(format!("port {port} is taken"))),
        None if is_free_port(USUAL_PORT) => Ok(USUAL_PORT),
        None => free_port(),
    }
}
