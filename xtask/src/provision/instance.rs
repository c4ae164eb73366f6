//! One named set of servers: its folder, its lock, and a ledger of what it runs.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use super::docker;
use crate::error::{Error, Result};
use crate::process::Mark;
use crate::{wait, workspace};

/// In the target directory.
const FOLDER: &str = "xtask";

/// What is written down about an instance, so that a later command can find, use or clean up what an earlier one started.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Ledger {
    /// The command that holds or last held the instance.
    pub(crate) owner: Option<Mark>,
    /// Whether the data outlives the command.
    pub(crate) keep: bool,
    /// Where the servers' files are when they could not be in the instance's folder.
    pub(crate) storage: Option<PathBuf>,
    pub(crate) database_url: Option<String>,
    pub(crate) amqp_url: Option<String>,
    /// The last ports, taken again when they are still free.
    pub(crate) ports: BTreeMap<String, u16>,
    /// The Docker Compose project, if one was started.
    pub(crate) compose_project: Option<String>,
    /// In the order in which they were started.
    processes: Vec<(String, Mark)>,
}

impl Ledger {
    /// The ledger of an instance, whoever holds it.
    pub(crate) fn read(name: &str) -> Option<Self> {
        serde_json::from_slice(&fs::read(folder_of(name).join("ledger.json")).ok()?).ok()
    }
}

/// An instance that this process holds. The lock goes when the process does, however it ends.
#[derive(Debug)]
pub(crate) struct Instance {
    folder: PathBuf,
    ledger: Ledger,
    _lock: Lock,
}

/// A lock that this process holds on a file until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // To close the file is not enough: a child that another thread has just forked holds the same lock until it runs its
        // program. Where this fails, closing has to do.
        flock(&self.0, FlockOperation::Unlock).ok();
    }
}

impl Instance {
    /// Takes the instance and stops what an earlier holder left running. `None` when somebody holds it.
    pub(crate) fn acquire(name: &str, keep: bool) -> Result<Option<Self>> {
        let Some(lock) = try_lock(name)? else { return Ok(None) };
        let folder = folder_of(name);
        let mut ledger = Ledger::read(name).unwrap_or_default();
        stop_stale(&mut ledger, name);
        if !keep {
            remove(&folder, &ledger)?;
            ledger = Ledger::default();
        }
        fs::create_dir_all(&folder).map_err(Error::io(format!("creating {}", folder.display())))?;
        ledger.owner = Mark::own();
        ledger.keep = keep;
        let mut instance = Self { folder, ledger, _lock: lock };
        instance.write(|_| ())?;
        Ok(Some(instance))
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Changes the ledger, on disk too.
    pub(crate) fn write(&mut self, change: impl FnOnce(&mut Ledger)) -> Result<()> {
        change(&mut self.ledger);
        let text = serde_json::to_vec_pretty(&self.ledger).map_err(Error::malformed("the ledger"))?;
        let draft = self.folder.join("ledger.json.new");
        fs::write(&draft, text)
            .and_then(|()| fs::rename(&draft, self.folder.join("ledger.json")))
            .map_err(Error::io(format!("writing the ledger in {}", self.folder.display())))
    }

    /// Writes down a process that was just started, in place of an earlier one of the same name.
    pub(crate) fn record(&mut self, name: &str, mark: Mark) -> Result<()> {
        self.write(|ledger| {
            ledger.processes.retain(|(known, _)| known != name);
            ledger.processes.push((name.to_owned(), mark));
        })
    }

    /// Ends the holding; everything has been stopped by now. The data of a fresh instance goes with it.
    pub(crate) fn release(&mut self) -> Result<()> {
        if self.ledger.keep {
            return self.write(|ledger| {
                ledger.owner = None;
                ledger.database_url = None;
                ledger.amqp_url = None;
                ledger.processes.clear();
            });
        }
        remove(&self.folder, &self.ledger)
    }
}

/// Whether some process holds the instance.
pub(crate) fn is_locked(name: &str) -> Result<bool> {
    Ok(try_lock(name)?.is_none())
}

/// Removes an instance that nobody holds, with its data. False when there was nothing.
pub(crate) fn purge(name: &str) -> Result<bool> {
    let existed = folder_of(name).exists();
    if existed
        && Instance::acquire(name, false)?.map(|mut instance| instance.release()).transpose()?.is_none()
    {
        return Err(Error::Refused(format!("`{name}` is in use")));
    }
    Ok(existed)
}

/// Removes fresh instances that crashed commands and tests left behind.
pub(crate) fn sweep() -> Result<()> {
    let entries = fs::read_dir(base()).into_iter().flatten().flatten();
    for name in entries.filter_map(|entry| entry.file_name().into_string().ok()) {
        if Ledger::read(&name).is_some_and(|ledger| !ledger.keep) && !is_locked(&name)? {
            purge(&name)?;
        }
    }
    Ok(())
}

/// Waits for a lock that commands hold for a moment, such as the one for installing packages.
pub(crate) fn lock_and_wait(name: &str) -> Result<Lock> {
    let file = lock_file(name)?;
    flock(&file, FlockOperation::LockExclusive)
        .map_err(|error| Error::io(format!("locking {name}"))(error.into()))?;
    Ok(Lock(file))
}

fn base() -> PathBuf {
    workspace::target_dir().join(FOLDER)
}

/// Where the folders are of the instances that this xtask makes, wherever cargo put it.
pub fn instances_of(xtask: &Path) -> PathBuf {
    workspace::target_dir_of(xtask).join(FOLDER)
}

fn folder_of(name: &str) -> PathBuf {
    base().join(name)
}

/// Lock files live beside the instances and are never removed: a lock on a file that somebody else just unlinked holds nothing.
fn try_lock(name: &str) -> Result<Option<Lock>> {
    let file = lock_file(name)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(Lock(file))),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(Error::io(format!("locking {name}"))(error.into())),
    }
}

fn lock_file(name: &str) -> Result<File> {
    let locks = base().join("locks");
    fs::create_dir_all(&locks).map_err(Error::io(format!("creating {}", locks.display())))?;
    let path = locks.join(name);
    let opened = File::options().create(true).truncate(false).write(true).open(&path);
    opened.map_err(Error::io(format!("opening {}", path.display())))
}

/// Stops the processes of a holder that did not do it itself, last one first.
fn stop_stale(ledger: &mut Ledger, name: &str) {
    for (process, mark) in ledger.processes.drain(..).rev().filter(|(_, mark)| mark.is_alive()) {
        eprintln!("xtask: stopping {process} (process {}), left behind by an earlier `{name}`", mark.pid());
        // PostgreSQL's fast shutdown is SIGINT; SIGTERM would wait for its clients.
        mark.signal(if process == "postgresql" { Signal::INT } else { Signal::TERM });
        if !wait::until_done(Duration::from_secs(15), || !mark.is_alive()) {
            mark.signal_group(Signal::KILL);
            wait::until_done(Duration::from_secs(5), || !mark.is_alive());
        }
    }
    if let Some(project) = &ledger.compose_project {
        docker::stop_project(project, ledger.keep);
    }
}

fn remove(folder: &Path, ledger: &Ledger) -> Result<()> {
    for folder in [Some(folder), ledger.storage.as_deref()].into_iter().flatten() {
        if folder.exists() {
            fs::remove_dir_all(folder).map_err(Error::io(format!("removing {}", folder.display())))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_lock_ends_with_its_holder_whoever_else_has_its_file_open() {
        let name = format!("test-lock-{}", std::process::id());
        let lock = try_lock(&name).unwrap().unwrap();
        // A child between fork and exec has such a copy.
        let copy = lock.0.try_clone().unwrap();
        assert!(is_locked(&name).unwrap());
        drop(lock);
        assert!(!is_locked(&name).unwrap());
        drop(copy);
        fs::remove_file(base().join("locks").join(name)).unwrap();
    }
}
