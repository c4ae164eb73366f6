//! One of our two services as a child process.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::process::{Managed, Mark, Signal};
use crate::{probe, wait, workspace};

/// Longer than a request may take.
const STOP_GRACE: Duration = Duration::from_secs(40);

/// How long services have until they are ready.
const READY_LIMIT: Duration = Duration::from_mins(1);

/// A program with its environment and its log, started again and again.
#[derive(Debug)]
pub(crate) struct Service {
    name: &'static str,
    program: PathBuf,
    log: PathBuf,
    environment: Vec<(String, String)>,
    process: Option<Managed>,
}

impl Service {
    /// Nothing is started yet.
    pub(crate) fn new(
        name: &'static str,
        program: PathBuf,
        log: PathBuf,
        environment: Vec<(String, String)>,
    ) -> Self {
        Self { name, program, log, environment, process: None }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn log(&self) -> &Path {
        &self.log
    }

    /// Starts it. Its log is opened for appending: sla-worker then finds in it what it wrote before a crash.
    pub(crate) fn start(&mut self) -> Result<Mark> {
        let open = || File::options().create(true).append(true).read(true).open(&self.log);
        let (out, err) = open()
            .and_then(|out| Ok((out.try_clone()?, out)))
            .map_err(Error::io(format!("opening {}", self.log.display())))?;
        let mut command = Command::new(&self.program);
        command.envs(self.environment.iter().cloned()).stdin(Stdio::null()).stdout(out).stderr(err);
        let process = Managed::spawn(&mut command, self.name)?;
        let mark = process.mark().clone();
        self.process = Some(process);
        Ok(mark)
    }

    /// The number of its process, while there is one.
    pub(crate) fn pid(&self) -> Option<i32> {
        self.process.as_ref().map(|process| process.mark().pid())
    }

    /// False before the first start and after every end.
    pub(crate) fn is_running(&mut self) -> bool {
        self.process.as_mut().is_some_and(|process| process.ended().is_none())
    }

    /// How it ended, once it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.process.as_mut().and_then(Managed::ended)
    }

    /// `kill -9`, and does not return before the process is gone and reaped.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
    }

    /// SIGTERM, then patience, then SIGKILL.
    pub(crate) fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.stop(Signal::TERM, STOP_GRACE);
        }
    }
}

/// Waits until the API says that it is ready. A service that ends before will not get better by being restarted.
pub(crate) fn await_ready(port: u16, services: &mut [&mut Service]) -> Result<()> {
    let ready = wait::until(READY_LIMIT, || {
        if let Some(ended) = services.iter_mut().find_map(|service| service.ended().map(|_| service)) {
            let what = format!("{} ended while starting", ended.name);
            return Err(Error::NotReady { what, log: workspace::log_tail(&ended.log) });
        }
        Ok(probe::is_ready(port).then_some(()))
    })?;
    ready.ok_or_else(|| Error::NotReady {
        what: format!("/health/ready is not 200 after {} s", READY_LIMIT.as_secs()),
        log: services.first().map(|service| workspace::log_tail(&service.log)).unwrap_or_default(),
    })
}
