//! The worker, inside of the test process or as a process of its own.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use techsupport_bootstrap::settings::{Sources, load_from};
use techsupport_sla_worker::{SlaWorkerSettings, WorkerError};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{Desk, broker::runtime, program, until};

static NEXT: AtomicU32 = AtomicU32::new(1);

/// A file that goes with the test.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        let name = format!("techsupport-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let file = std::env::temp_dir().join(name);
        File::create(&file).unwrap();
        Self(file)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        std::fs::read_to_string(&self.0).unwrap().lines().map(str::to_owned).collect()
    }

    /// Its lines of level ERROR.
    pub(crate) fn errors(&self) -> Vec<String> {
        self.lines().into_iter().filter(|line| line.contains("\"level\":50")).collect()
    }

    /// Its lines that are JSON with a `type` that begins with `SLA_`.
    fn notifications(&self) -> Vec<Value> {
        let parsed = self.lines().into_iter().filter_map(|line| serde_json::from_str::<Value>(&line).ok());
        parsed.filter(|line| line["type"].as_str().is_some_and(|kind| kind.starts_with("SLA_"))).collect()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

/// A worker inside of the test process.
pub struct Worker {
    stop: CancellationToken,
    running: Option<JoinHandle<Result<(), WorkerError>>>,
    log: Scratch,
}

impl Worker {
    /// Starts one for this desk; its notifications go to a file of its own.
    pub fn start(desk: &Desk) -> Self {
        Self::start_with(desk, &[])
    }

    /// With further settings, `SECTION__KEY`.
    pub fn start_with(desk: &Desk, settings: &[(&str, &str)]) -> Self {
        let log = Scratch::new();
        let mut variables = desk.variables().to_vec();
        let own = |key: &str, value: &str| (format!("TECHSUPPORT__{key}"), value.to_owned());
        variables.push(own("NOTIFICATIONS__LOG__TARGET", log.path().to_str().unwrap()));
        variables.extend(settings.iter().map(|(key, value)| own(key, value)));
        let settings: SlaWorkerSettings = load_from(&Sources { folder: None, variables }).unwrap();
        let stop = CancellationToken::new();
        let running = runtime().spawn(techsupport_sla_worker::run(settings, stop.clone()));
        Self { stop, running: Some(running), log }
    }

    /// What it has told people so far.
    pub fn notifications(&self) -> Vec<Value> {
        self.log.notifications()
    }

    /// Waits until it has told people of so many things.
    pub fn await_notifications(&self, count: usize) -> Vec<Value> {
        until(&format!("{count} notifications"), || {
            Some(self.notifications()).filter(|told| told.len() >= count)
        })
    }

    /// Stops it as SIGTERM does, and waits until it has finished.
    pub fn stop(&mut self) {
        self.stop.cancel();
        if let Some(running) = self.running.take() {
            runtime().block_on(running).expect("the worker does not panic").expect("the worker ends well");
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(running) = self.running.take() {
            drop(runtime().block_on(running));
        }
    }
}

/// A worker in a process of its own, whose standard output is a file that is appended to.
pub struct WorkerProcess {
    child: Child,
    log: Scratch,
    environment: Vec<(String, String)>,
}

impl WorkerProcess {
    /// Starts one for this desk.
    pub fn start(desk: &Desk) -> Self {
        Self::start_with(desk, &[])
    }

    /// With further settings, `SECTION__KEY`.
    pub fn start_with(desk: &Desk, settings: &[(&str, &str)]) -> Self {
        let log = Scratch::new();
        let mut environment = desk.variables().to_vec();
        environment
            .extend(settings.iter().map(|(key, value)| (format!("TECHSUPPORT__{key}"), (*value).to_owned())));
        let child = spawn(&environment, log.path());
        Self { child, log, environment }
    }

    /// Kills it at once, with no chance to finish anything.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again, appending to the same file.
    pub fn restart(&mut self) {
        self.child = spawn(&self.environment, self.log.path());
    }

    /// Asks it to stop.
    pub fn send_sigterm(&self) {
        let pid = Pid::from_raw(self.child.id().cast_signed()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        until("the worker ends", || self.child.try_wait().unwrap())
    }

    /// What it has told people so far.
    pub fn notifications(&self) -> Vec<Value> {
        self.log.notifications()
    }

    /// Everything it has written, line by line.
    pub fn lines(&self) -> Vec<String> {
        self.log.lines()
    }

    /// The lines with which it reported an error.
    pub fn errors(&self) -> Vec<String> {
        self.log.errors()
    }
}

fn spawn(environment: &[(String, String)], log: &Path) -> Child {
    let log = File::options().append(true).open(log).unwrap();
    let errors = log.try_clone().unwrap();
    Command::new(program("sla-worker"))
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .spawn()
        .unwrap()
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
