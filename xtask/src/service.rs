//! One of our two services as a child process.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::process::{Managed, Mark, Signal};

/// Longer than a request may take.
const STOP_GRACE: Duration = Duration::from_secs(40);

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
