//! `cargo xtask schemathesis`: property-based tests of the running API against its own OpenAPI document.
//!
//! Somebody of each role sends what the document allows and what it forbids, calls operations in the order that links
//! suggest, and every answer is held against what the document promises. All checks are on. What schemathesis cannot know
//! from the document (accounts that work, which values of two parameters go together) is in `hooks.py`, with its reason.

mod people;
mod tool;

use std::fs;
use std::path::{Path, PathBuf};

use crate::desk::Desk;
use crate::error::{Error, Result};
use crate::migrate::migrate;
use crate::programs::Programs;
use crate::provision::{Plan, Servers, free_port};
use crate::service::{Service, await_ready};
use crate::{process, seed};

use people::{Person, Role};
use tool::Tool;

/// Demo data, so that lists have rows and links lead somewhere.
const TICKETS: u32 = 40;
const CONFIG: &str = include_str!("schemathesis.toml");
const HOOKS: &str = include_str!("hooks.py");

/// Quotas that such a run would use up at once, and tokens that outlast it. Everything else is as it is delivered.
const SETTINGS: [(&str, &str); 8] = [
    ("TECHSUPPORT__AUTH__THROTTLE__ADDRESS_BURST", "1000000"),
    ("TECHSUPPORT__AUTH__THROTTLE__ADDRESS_PER_MINUTE", "1000000"),
    ("TECHSUPPORT__AUTH__THROTTLE__ACCOUNT_BURST", "1000000"),
    ("TECHSUPPORT__AUTH__THROTTLE__ACCOUNT_PER_MINUTE", "1000000"),
    ("TECHSUPPORT__HTTP__RATE_LIMIT__REQUESTS", "1000000"),
    ("TECHSUPPORT__AUTH__THROTTLE__ANYWHERE_BURST", "1000000"),
    ("TECHSUPPORT__AUTH__THROTTLE__ANYWHERE_PER_HOUR", "1000000"),
    ("TECHSUPPORT__AUTH__ACCESS_LIFETIME_S", "86400"),
];

/// Options of `schemathesis`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Examples of each operation in each phase, at most.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    max_examples: u32,
    /// The same seed makes the same requests.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only with the token of this role; may be given several times.
    #[arg(long = "role", value_enum)]
    roles: Vec<Role>,
    /// Build and run with optimisation.
    #[arg(long)]
    release: bool,
    /// Handed to schemathesis, for example: -- --include-path /api/tickets
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// Runs schemathesis once with a token of each role, on servers of its own.
pub(crate) fn run(options: &Options) -> Result<()> {
    let tool = Tool::install()?;
    let programs = Programs::build(options.release)?;
    let servers = Servers::start(&Plan::fresh("schemathesis").private())?;
    let outcome = try_out(&servers, &programs, &tool, options);
    let stopped = servers.stop();
    outcome.and(stopped)
}

fn try_out(servers: &Servers, programs: &Programs, tool: &Tool, options: &Options) -> Result<()> {
    let database_url = servers.database_url().unwrap_or_default();
    migrate(&programs.api(), "up", database_url)?;
    let port = free_port()?;
    let log = servers.folder().join("api.log");
    let mut api = Service::new("techsupport-api", programs.api(), log.clone(), environment(servers, port));
    servers.recorder().record(api.name(), api.start()?)?;
    await_ready(port, &mut [&mut api])?;
    seed::plant(&Desk::open(database_url)?, TICKETS, seed::SEED)?;
    let folder = servers.folder();
    write(&folder.join("schemathesis.toml"), CONFIG)?;
    write(&folder.join("hooks.py"), HOOKS)?;

    let roles = if options.roles.is_empty() { Role::ALL.to_vec() } else { options.roles.clone() };
    // All before the first of them begins to change what it can.
    let people = roles.iter().map(|role| Person::register(port, *role)).collect::<Result<Vec<_>>>()?;
    let ids: Vec<&str> = people.iter().map(|person| person.id.as_str()).collect();
    let run = Run { folder: &folder, port, ids: ids.join(","), options };
    let mut failed = Vec::new();
    for (number, person) in people.iter().enumerate() {
        let role = person.role;
        eprintln!("xtask: schemathesis as {} ({} of {})", role.name(), number + 1, people.len());
        match process::run(&mut tool.command(&run, person), "schemathesis") {
            Ok(()) => {}
            Err(Error::Program { .. }) => failed.push(role.name()),
            Err(other) => return Err(other),
        }
    }
    if api.ended().is_some() {
        let log = crate::workspace::log_tail(&log);
        return Err(Error::NotReady { what: "techsupport-api did not survive".into(), log });
    }
    api.stop();
    if failed.is_empty() {
        return Ok(());
    }
    let kept = keep(&log)?;
    let again: Vec<String> = failed.iter().map(|role| format!("--role {}", role.to_lowercase())).collect();
    Err(Error::Refused(format!(
        "schemathesis found failures as {}; the log of techsupport-api is in {}. Again: cargo xtask schemathesis {} \
         --seed {} --max-examples {}",
        failed.join(", "),
        kept.display(),
        again.join(" "),
        options.seed,
        options.max_examples
    )))
}

/// What the runs have in common.
struct Run<'a> {
    folder: &'a Path,
    port: u16,
    /// Everybody's, so that nobody takes away the account of somebody whose turn is still to come.
    ids: String,
    options: &'a Options,
}

fn environment(servers: &Servers, port: u16) -> Vec<(String, String)> {
    let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let port = port.to_string();
    [
        ("DATABASE_URL", servers.database_url().unwrap_or_default()),
        ("AMQP_URL", servers.amqp_url().unwrap_or_default()),
        ("TECHSUPPORT__HTTP__PORT", port.as_str()),
        ("TECHSUPPORT_ADMIN_PASSWORD", people::ADMIN_PASSWORD),
    ]
    .into_iter()
    .chain(SETTINGS)
    .map(pair)
    .collect()
}

/// The log outlives the instance when it may tell why.
fn keep(log: &Path) -> Result<PathBuf> {
    let kept = crate::workspace::target_dir().join("xtask").join("schemathesis-api.log");
    fs::copy(log, &kept).map_err(Error::io(format!("copying {}", log.display())))?;
    Ok(kept)
}

fn write(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).map_err(Error::io(format!("writing {}", file.display())))
}
