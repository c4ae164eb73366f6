//! Which process a number meant when it was written down.

use std::fs;
use std::process::Command;

use rustix::process::{self, Pid, Signal};
use serde::{Deserialize, Serialize};

/// A process id together with the moment that process started. Ids are reused; a pair is not. Nothing is ever signalled on
/// the strength of a bare id from a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    pid: i32,
    started: String,
}

impl Mark {
    /// The mark of a process that runs now.
    pub(crate) fn of(pid: i32) -> Option<Self> {
        started(pid).map(|started| Self { pid, started })
    }

    /// The mark of this process.
    pub(crate) fn own() -> Option<Self> {
        Self::of(process::getpid().as_raw_nonzero().get())
    }

    pub(crate) fn pid(&self) -> i32 {
        self.pid
    }

    /// Whether this very process still runs. A zombie does not.
    pub(crate) fn is_alive(&self) -> bool {
        started(self.pid).as_deref() == Some(self.started.as_str())
    }

    /// Sends a signal if the process still is the one that was marked.
    pub(crate) fn signal(&self, signal: Signal) {
        if let Some(pid) = Pid::from_raw(self.pid)
            && self.is_alive()
        {
            // It may end between the look and the signal; then there is nothing left to do.
            process::kill_process(pid, signal).ok();
        }
    }

    /// Sends a signal to the whole group that the process leads, as all that we start do.
    pub(crate) fn signal_group(&self, signal: Signal) {
        if let Some(pid) = Pid::from_raw(self.pid)
            && self.is_alive()
        {
            process::kill_process_group(pid, signal).ok();
        }
    }
}

/// The children that a process has now.
pub(crate) fn children(parent: i32) -> Vec<Mark> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| stat(*pid).is_some_and(|fields| fields.get(1) == Some(&parent.to_string())))
        .filter_map(Mark::of)
        .collect()
}

/// The command line of a process, for recognising one of ours that nobody wrote down.
pub(crate) fn command_line(pid: i32) -> String {
    fs::read(format!("/proc/{pid}/cmdline"))
        .map(|bytes| String::from_utf8_lossy(&bytes).replace('\0', " "))
        .or_else(|_| {
            let listed = Command::new("ps").args(["-o", "command=", "-p", &pid.to_string()]).output();
            listed.map(|done| String::from_utf8_lossy(&done.stdout).into_owned())
        })
        .unwrap_or_default()
}

/// On Linux the boot and the clock tick of the start, elsewhere what `ps` says; `None` when nothing runs under this id.
fn started(pid: i32) -> Option<String> {
    if let Ok(boot) = fs::read_to_string("/proc/sys/kernel/random/boot_id") {
        let fields = stat(pid)?;
        let ended = matches!(fields.first().map(String::as_str), Some("Z" | "X"));
        return fields.get(19).filter(|_| !ended).map(|tick| format!("{}:{tick}", boot.trim()));
    }
    let listed = Command::new("ps").args(["-o", "stat=,lstart=", "-p", &pid.to_string()]).output().ok()?;
    let line = String::from_utf8_lossy(&listed.stdout).trim().to_owned();
    let (state, since) = line.split_once(char::is_whitespace)?;
    (!state.starts_with('Z')).then(|| since.trim().to_owned())
}

/// The fields of `/proc/<pid>/stat` after the command's name (which may contain blanks): state, parent, …
fn stat(pid: i32) -> Option<Vec<String>> {
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = line.rsplit_once(')')?;
    Some(fields.split_whitespace().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_mark_outlives_neither_its_process_nor_a_reuse_of_the_id() {
        let own = Mark::own().unwrap();
        assert!(own.is_alive());
        let impostor = Mark { pid: own.pid, started: "another moment".into() };
        assert!(!impostor.is_alive());

        let mut child = Command::new("true").spawn().unwrap();
        let mark = Mark::of(i32::try_from(child.id()).unwrap());
        child.wait().unwrap();
        assert!(!mark.is_some_and(|mark| mark.is_alive()));
    }
}
