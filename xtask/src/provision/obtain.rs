//! The ways to a server that nobody gave us: installed programs, apt, Docker.

use std::sync::Arc;

use super::account::{self, Account};
use super::docker::{self, Container};
use super::local::{Home, SharedInstance, lock};
use super::plan::Plan;
use super::postgres::Postgres;
use super::rabbitmq::{Ports, RabbitMq};
use super::server::Server;
use super::{apt, installed, instance as instances, ports};
use crate::error::{Error, Result};

/// A failed installation is not the end: there may be Docker.
pub(crate) fn install_missing(database: bool, broker: bool) {
    if missing(database, broker).is_empty() || !apt::is_possible() {
        return;
    }
    // One at a time; whoever waited finds everything installed.
    let outcome = instances::lock_and_wait("apt").and_then(|_lock| {
        let packages = missing(database, broker);
        if packages.is_empty() { Ok(()) } else { apt::install(&packages) }
    });
    if let Err(error) = outcome {
        eprintln!("xtask: {error}");
    }
}

/// The packages of the servers that are needed and not installed.
fn missing(database: bool, broker: bool) -> Vec<&'static str> {
    let mut packages = Vec::new();
    if database && installed::postgres().is_none() {
        packages.push("postgresql");
    }
    if broker && installed::rabbitmq().is_none() {
        packages.push("rabbitmq-server");
    }
    packages
}

/// PostgreSQL from installed programs, else in a container.
pub(crate) fn database(plan: &Plan, instance: &SharedInstance) -> Result<Box<dyn Server>> {
    if let Some(programs) = installed::postgres() {
        return with_ports(instance, ["postgresql"], |[port]| {
            let home = home(instance, "postgresql")?;
            let (durable, settings) = (plan.durable, &plan.settings);
            Postgres::start(programs.clone(), home, port, durable, settings, Arc::clone(instance)).map(boxed)
        });
    }
    if docker::is_possible() {
        return with_ports(instance, ["postgresql"], |[port]| Container::postgres(port, instance).map(boxed));
    }
    Err(nowhere("PostgreSQL", "DATABASE_URL"))
}

/// RabbitMQ from installed programs, else in a container.
pub(crate) fn broker(plan: &Plan, instance: &SharedInstance) -> Result<Box<dyn Server>> {
    if let Some(programs) = installed::rabbitmq() {
        return with_ports(instance, ["amqp", "distribution", "epmd"], |[amqp, distribution, epmd]| {
            let home = home(instance, "rabbitmq")?;
            let ports = Ports { amqp, distribution, epmd };
            RabbitMq::start(programs.clone(), home, ports, plan.keep, Arc::clone(instance)).map(boxed)
        });
    }
    if docker::is_possible() {
        return with_ports(instance, ["amqp"], |[port]| Container::rabbitmq(port, instance).map(boxed));
    }
    Err(nowhere("RabbitMQ", "AMQP_URL"))
}

fn home(instance: &SharedInstance, server: &str) -> Result<Home> {
    let account = Account::for_servers();
    let mut instance = lock(instance);
    let storage = account::storage(instance.folder(), account)?;
    if storage.file_name() != instance.folder().file_name() && instance.ledger().storage.is_none() {
        eprintln!(
            "xtask: {} is closed to the account that the servers run as; their data goes to {}",
            instance.folder().display(),
            storage.display()
        );
        instance.write(|ledger| ledger.storage = Some(storage.clone()))?;
    }
    Home::prepare(storage.join(server), account)
}

/// Starts something on the ports it had last time if they are still free, else on new ones. Somebody may take a port between
/// the look and the start: then other ports are tried.
fn with_ports<const N: usize>(
    instance: &SharedInstance,
    names: [&str; N],
    mut start: impl FnMut([u16; N]) -> Result<Box<dyn Server>>,
) -> Result<Box<dyn Server>> {
    let mut attempts = 0;
    loop {
        let mut chosen = [0; N];
        for (port, name) in chosen.iter_mut().zip(names) {
            let last = lock(instance).ledger().ports.get(name).copied();
            *port = match last.filter(|port| attempts == 0 && ports::is_free(*port)) {
                Some(last) => last,
                None => ports::free()?,
            };
            ports::keep(*port);
            lock(instance).write(|ledger| {
                ledger.ports.insert(name.to_owned(), *port);
            })?;
        }
        attempts += 1;
        match start(chosen) {
            Err(Error::NotReady { log, .. }) if attempts < 3 && is_port_taken(&log) => {}
            outcome => return outcome,
        }
    }
}

fn is_port_taken(log: &str) -> bool {
    ["in use", "eaddrinuse", "already allocated"].iter().any(|words| log.contains(words))
}

fn nowhere(server: &str, variable: &str) -> Error {
    Error::Refused(format!(
        "there is no {server} to be had. One of these helps:\n\
         - set {variable} to one that may be used\n\
         - install it: `apt-get install postgresql rabbitmq-server`, `dnf install postgresql-server rabbitmq-server`,\n  \
           `brew install postgresql@16 rabbitmq` (a service need not be started)\n\
         - run this command as root on Debian or Ubuntu, and it installs what is missing\n\
         - start Docker, with its compose plugin"
    ))
}

fn boxed(server: impl Server + 'static) -> Box<dyn Server> {
    Box::new(server)
}
