//! Servers and services of a run, and their logs.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::migrate::migrate;
use crate::programs::Programs;
use crate::provision::{Plan, Recorder, Server, Servers, free_port};
use crate::service::{Service, await_ready};

/// Everything that runs. Dropping it stops everything and removes the data; the logs have a folder of their own, which stays
/// until [`Stage::strike`].
pub(crate) struct Stage {
    api: Service,
    worker: Service,
    importer: Importer,
    logs: PathBuf,
    port: u16,
    servers: Servers,
}

/// import-worker, which only some runs need.
struct Importer {
    program: PathBuf,
    environment: Vec<(String, String)>,
    running: Option<Service>,
}

/// The processes of a stage.
pub(crate) struct Parts<'a> {
    pub(crate) api: &'a mut Service,
    pub(crate) worker: &'a mut Service,
    pub(crate) database: &'a mut dyn Server,
    pub(crate) broker: &'a mut dyn Server,
    pub(crate) recorder: Recorder,
}

impl Stage {
    /// Private servers that wait for the disk as in production, a migrated database, both services ready.
    /// `settings` are PostgreSQL's.
    pub(crate) fn set(name: &str, programs: &Programs, settings: &[(&str, &str)]) -> Result<Self> {
        let plan = Plan::fresh(name).private().durable();
        let plan = settings.iter().fold(plan, |plan, (name, value)| plan.postgres_setting(name, value));
        let servers = Servers::start(&plan)?;
        let logs = logs_beside(&servers.folder())?;
        // Copies: whoever builds meanwhile must not change what is being tried.
        let programs = programs.copy_to(&servers.folder().join("bin"))?;
        let database_url = servers.database_url().unwrap_or_default().to_owned();
        migrate(&programs.api(), "up", &database_url)?;
        let port = free_port()?;
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let environment = vec![
            pair("DATABASE_URL", &database_url),
            pair("AMQP_URL", servers.amqp_url().unwrap_or_default()),
            pair("TECHSUPPORT__HTTP__PORT", &port.to_string()),
            // A handful of callers do everything here. Switched off, the limit would cost nothing, too.
            pair("TECHSUPPORT__HTTP__RATE_LIMIT__REQUESTS", "1000000"),
            pair("TECHSUPPORT__HTTP__RATE_LIMIT__WINDOW_S", "1"),
        ];
        let api = Service::new("techsupport-api", programs.api(), logs.join("api.log"), environment.clone());
        let worker =
            Service::new("sla-worker", programs.worker(), logs.join("worker.log"), environment.clone());
        let importer = Importer { program: programs.importer(), environment, running: None };
        let mut stage = Self { api, worker, importer, logs, port, servers };
        let recorder = stage.servers.recorder();
        for service in [&mut stage.api, &mut stage.worker] {
            let mark = service.start()?;
            recorder.record(service.name(), mark)?;
        }
        await_ready(port, &mut [&mut stage.api, &mut stage.worker])?;
        Ok(stage)
    }

    pub(crate) fn database_url(&self) -> &str {
        self.servers.database_url().unwrap_or_default()
    }

    /// The folder of the instance, which goes with it.
    pub(crate) fn folder(&self) -> PathBuf {
        self.servers.folder()
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Starts import-worker with further settings.
    pub(crate) fn start_importer(&mut self, settings: &[(&str, &str)]) -> Result<()> {
        let mut environment = self.importer.environment.clone();
        environment.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let log = self.logs.join("importer.log");
        let mut service = Service::new("import-worker", self.importer.program.clone(), log, environment);
        let mark = service.start()?;
        self.servers.recorder().record(service.name(), mark)?;
        self.importer.running = Some(service);
        Ok(())
    }

    /// `kill -9`.
    pub(crate) fn kill_importer(&mut self) {
        if let Some(mut service) = self.importer.running.take() {
            service.kill();
        }
    }

    /// Its process, while it runs.
    pub(crate) fn importer_pid(&self) -> Option<i32> {
        self.importer.running.as_ref()?.pid()
    }

    pub(crate) fn worker_log(&self) -> &Path {
        self.worker.log()
    }

    /// The four processes, each to be handled by itself.
    pub(crate) fn parts(&mut self) -> Result<Parts<'_>> {
        let recorder = self.servers.recorder();
        let (database, broker) = self.servers.both()?;
        Ok(Parts { api: &mut self.api, worker: &mut self.worker, database, broker, recorder })
    }

    /// Messages in each queue that somebody reads or that holds what was given up.
    pub(crate) fn queues(&mut self) -> Result<Vec<(String, u64)>> {
        let columns = ["name", "messages_ready", "messages_unacknowledged", "consumers"];
        let listed = self
            .servers
            .broker()?
            .rabbitmqctl(&[&["list_queues", "--no-table-headers"], &columns[..]].concat())?;
        Ok(listed.lines().filter_map(queue).collect())
    }

    /// Copies the servers' logs to those of the services, for whoever looks for the cause of a failure.
    pub(crate) fn keep_logs(&self) -> Result<&Path> {
        let storage = self.servers.storage();
        for (from, to) in [
            ("postgresql/postgresql.log", "postgresql.log"),
            ("rabbitmq/console.log", "rabbitmq-console.log"),
            ("rabbitmq/logs/techsupport@localhost.log", "rabbitmq.log"),
        ] {
            let from = storage.join(from);
            if from.exists() {
                let copied = fs::copy(&from, self.logs.join(to));
                copied.map_err(Error::io(format!("copying {}", from.display())))?;
            }
        }
        Ok(&self.logs)
    }

    /// Stops everything in order and removes it, the logs too.
    pub(crate) fn strike(mut self) -> Result<()> {
        self.api.stop();
        self.worker.stop();
        if let Some(mut importer) = self.importer.running.take() {
            importer.stop();
        }
        self.servers.release()?;
        fs::remove_dir_all(&self.logs).map_err(Error::io(format!("removing {}", self.logs.display())))
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // Nobody is going to look at what they do from now on.
        self.api.kill();
        self.worker.kill();
        self.kill_importer();
    }
}

/// An empty folder beside that of the instance, which goes with the instance.
fn logs_beside(instance: &Path) -> Result<PathBuf> {
    let name = instance.file_name().unwrap_or_default().display();
    let logs = instance.with_file_name(format!("{name}-logs"));
    if logs.exists() {
        fs::remove_dir_all(&logs).map_err(Error::io(format!("removing {}", logs.display())))?;
    }
    fs::create_dir_all(&logs).map_err(Error::io(format!("creating {}", logs.display())))?;
    Ok(logs)
}

/// Whether the queue holds what was given up.
pub(crate) fn holds_dead_letters(queue: &str) -> bool {
    queue.strip_suffix(".dlq").is_some()
}

/// A line of `list_queues`. A queue that nobody reads is passed over, unless it is one for dead letters.
fn queue(line: &str) -> Option<(String, u64)> {
    let mut columns = line.split('\t');
    let name = columns.next()?;
    let mut number = || columns.next().and_then(|text| text.parse::<u64>().ok()).unwrap_or_default();
    let (ready, unacknowledged, consumers) = (number(), number(), number());
    let matters = consumers > 0 || holds_dead_letters(name) || name.contains(".retry.");
    matters.then(|| (name.to_owned(), ready + unacknowledged))
}

#[cfg(test)]
mod tests {
    use super::queue;

    #[test]
    fn queues_that_nobody_reads_do_not_matter_unless_they_hold_dead_letters() {
        assert_eq!(queue("sla-events\t3\t2\t1"), Some(("sla-events".into(), 5)));
        assert_eq!(queue("webhook-events\t900\t0\t0"), None);
        assert_eq!(queue("webhook-events.dlq\t1\t0\t0"), Some(("webhook-events.dlq".into(), 1)));
        assert_eq!(queue("sla-events.retry.1000ms\t4\t0\t0"), Some(("sla-events.retry.1000ms".into(), 4)));
    }
}
