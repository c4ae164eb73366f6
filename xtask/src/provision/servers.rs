//! A set of servers, got as the plan says.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use super::account::{self, Account};
use super::docker::{self, Container};
use super::installed;
use super::instance::{self, Instance};
use super::local::{Home, SharedInstance, lock};
use super::plan::Plan;
use super::postgres::Postgres;
use super::rabbitmq::{Ports, RabbitMq};
use super::server::{Given, Server};
use super::{apt, ports};
use crate::environment;
use crate::error::{Error, Result};
use crate::process::Mark;

/// PostgreSQL and RabbitMQ, as far as the plan asked for them. Dropping it stops what it started.
pub struct Servers {
    database: Option<Box<dyn Server>>,
    broker: Option<Box<dyn Server>>,
    instance: SharedInstance,
    released: bool,
}

impl Servers {
    /// Gets everything the plan asks for, ready for connections.
    ///
    /// # Errors
    /// [`Error::Refused`] with what to do when there is no way to get a server, or when a kept instance is in use.
    pub fn start(plan: &Plan) -> Result<Self> {
        let instance = Arc::new(Mutex::new(hold(plan)?));
        let mut servers = Self { database: None, broker: None, instance, released: false };
        let given = |name: &str| plan.environment.then(|| environment::text(name)).flatten();
        if plan.database {
            servers.database = given("DATABASE_URL").map(|url| boxed(Given { name: "PostgreSQL", url }));
        }
        if plan.broker {
            servers.broker = given("AMQP_URL").map(|url| boxed(Given { name: "RabbitMQ", url }));
        }
        let need_database = plan.database && servers.database.is_none();
        let need_broker = plan.broker && servers.broker.is_none();
        install_missing(need_database, need_broker);
        if need_database {
            servers.database = Some(start_database(plan, &servers.instance)?);
        }
        if need_broker {
            servers.broker = Some(start_broker(plan, &servers.instance)?);
        }
        let urls = [servers.database_url(), servers.amqp_url()].map(|url| url.map(str::to_owned));
        let [database_url, amqp_url] = urls;
        lock(&servers.instance).write(|ledger| {
            ledger.database_url = database_url;
            ledger.amqp_url = amqp_url;
        })?;
        if !plan.quiet {
            for server in [&servers.database, &servers.broker].into_iter().flatten() {
                eprintln!("xtask: {} at {}", server.name(), without_password(server.url()));
            }
        }
        Ok(servers)
    }

    /// `postgres://…`; `None` when the plan was without a database.
    pub fn database_url(&self) -> Option<&str> {
        self.database.as_ref().map(|server| server.url())
    }

    /// `amqp://…`; `None` when the plan was without a broker.
    pub fn amqp_url(&self) -> Option<&str> {
        self.broker.as_ref().map(|server| server.url())
    }

    /// PostgreSQL, to be killed and started again.
    ///
    /// # Errors
    /// [`Error::Refused`] when the plan was without one.
    pub fn database(&mut self) -> Result<&mut dyn Server> {
        present(&mut self.database)
    }

    /// RabbitMQ, to be killed and started again.
    ///
    /// # Errors
    /// [`Error::Refused`] when the plan was without one.
    pub fn broker(&mut self) -> Result<&mut dyn Server> {
        present(&mut self.broker)
    }

    /// The folder of the instance, for logs and other files of the command that holds it.
    pub fn folder(&self) -> PathBuf {
        lock(&self.instance).folder().to_path_buf()
    }

    /// Writes a further process into the ledger: if we crash, the next holder stops it.
    pub(crate) fn record(&self, name: &str, mark: Mark) -> Result<()> {
        lock(&self.instance).record(name, mark)
    }

    /// Stops what was started, broker first, and removes the data of a fresh instance.
    ///
    /// # Errors
    /// What stopping a container or removing the data fails with.
    pub fn stop(mut self) -> Result<()> {
        self.release()
    }

    /// As [`Servers::stop`], for holders that cannot give it away.
    pub(crate) fn release(&mut self) -> Result<()> {
        if std::mem::replace(&mut self.released, true) {
            return Ok(());
        }
        for server in [&mut self.broker, &mut self.database].into_iter().flatten() {
            server.stop()?;
        }
        let mut instance = lock(&self.instance);
        if let Some(project) = &instance.ledger().compose_project {
            docker::stop_project(project, instance.ledger().keep);
        }
        instance.release()
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        if let Err(error) = self.release() {
            eprintln!("xtask: {error}");
        }
    }
}

fn boxed(server: impl Server + 'static) -> Box<dyn Server> {
    Box::new(server)
}

fn present(server: &mut Option<Box<dyn Server>>) -> Result<&mut dyn Server> {
    match server {
        Some(server) => Ok(server.as_mut()),
        None => Err(Error::Refused("this server was not part of the plan".into())),
    }
}

/// Takes the named instance, or for a fresh one the first free number of it.
fn hold(plan: &Plan) -> Result<Instance> {
    if let Some(instance) = Instance::acquire(&plan.name, plan.keep)? {
        return Ok(instance);
    }
    if plan.keep {
        let name = &plan.name;
        return Err(Error::Refused(format!("`{name}` is already running; `cargo xtask down` stops it")));
    }
    for number in 2..100 {
        if let Some(instance) = Instance::acquire(&format!("{}-{number}", plan.name), false)? {
            return Ok(instance);
        }
    }
    Err(Error::Refused(format!("a hundred instances of `{}` are running", plan.name)))
}

/// A failed installation is not the end: there may be Docker.
fn install_missing(database: bool, broker: bool) {
    if missing(database, broker).is_empty() || !apt::is_possible() {
        return;
    }
    // One at a time; whoever waited finds everything installed.
    let outcome = instance::lock_and_wait("apt").and_then(|_lock| {
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

fn start_database(plan: &Plan, instance: &SharedInstance) -> Result<Box<dyn Server>> {
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

fn start_broker(plan: &Plan, instance: &SharedInstance) -> Result<Box<dyn Server>> {
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

/// The URL with its password masked: it goes to a terminal.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    match rest.split_once('@') {
        Some((user, place)) => {
            let user = user.split_once(':').map_or(user.to_owned(), |(name, _)| format!("{name}:***"));
            format!("{scheme}://{user}@{place}")
        }
        None => url.to_owned(),
    }
}
