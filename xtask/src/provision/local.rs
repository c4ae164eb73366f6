//! What private servers on this machine have in common.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::account::Account;
use super::instance::Instance;
use crate::environment;
use crate::error::{Error, Result};
use crate::process::Managed;
use crate::{wait, workspace};

/// The instance, shared by its servers, which write their processes into its ledger.
pub(crate) type SharedInstance = Arc<Mutex<Instance>>;

/// Takes the lock. The ledger is rewritten as a whole, so a panic elsewhere leaves it usable.
pub(crate) fn lock(instance: &SharedInstance) -> MutexGuard<'_, Instance> {
    instance.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A folder of one server, and how its programs are run in it.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    pub(crate) folder: PathBuf,
    account: Option<Account>,
}

impl Home {
    /// Makes the folder if need be and gives it to the account that the servers run as.
    pub(crate) fn prepare(folder: PathBuf, account: Option<Account>) -> Result<Self> {
        fs::create_dir_all(&folder).map_err(Error::io(format!("creating {}", folder.display())))?;
        if let Some(account) = account {
            account.give(&folder)?;
        }
        Ok(Self { folder, account })
    }

    /// A program run as that account, in that folder, with nothing of the caller's environment that could change its meaning.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", environment::raw_path())
            .env("HOME", &self.folder)
            .env("LC_ALL", "C.UTF-8")
            .current_dir(&self.folder)
            .stdin(Stdio::null());
        if let Some(account) = self.account {
            account.apply(&mut command);
        }
        command
    }

    /// Starts a long-running program that writes to a log file of this name.
    pub(crate) fn spawn(&self, command: &mut Command, log: &str, name: &str) -> Result<Managed> {
        let path = self.folder.join(log);
        let open = || File::options().create(true).append(true).open(&path);
        let (out, err) = open()
            .and_then(|out| Ok((out.try_clone()?, out)))
            .map_err(Error::io(format!("opening {}", path.display())))?;
        Managed::spawn(command.stdout(out).stderr(err), name)
    }

    /// The end of that log file.
    pub(crate) fn log_tail(&self, log: &str) -> String {
        workspace::log_tail(&self.folder.join(log))
    }
}

/// How a start went.
pub(crate) enum Started {
    /// It accepts connections.
    Ready(Managed),
    /// It ended instead.
    Ended,
}

/// Waits until a process that was just started is ready.
pub(crate) fn await_ready(
    mut process: Managed,
    what: &str,
    limit: Duration,
    mut is_ready: impl FnMut() -> Result<bool>,
) -> Result<Started> {
    let outcome = wait::until(limit, || {
        if process.ended().is_some() {
            return Ok(Some(false));
        }
        Ok(is_ready()?.then_some(true))
    })?;
    match outcome {
        Some(true) => Ok(Started::Ready(process)),
        Some(false) => Ok(Started::Ended),
        None => Err(Error::NotReady {
            what: format!("{what} is not ready after {} s", limit.as_secs()),
            log: String::new(),
        }),
    }
}
