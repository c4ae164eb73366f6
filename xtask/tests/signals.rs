//! A command that is asked to stop leaves no servers behind.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::park_timeout;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, test_kill_process, waitpid};
use serde_json::Value;
use xtask::provision::instances_of;

/// Building the programs may be part of it.
const LIMIT: Duration = Duration::from_mins(10);

/// As `timeout` sends it, to the process and once more to its group; two different ones, since two that are equal may arrive
/// as one.
#[test]
fn two_signals_at_once_are_one_and_every_server_is_stopped() {
    let mut chaos = Command::new(env!("CARGO_BIN_EXE_xtask"));
    chaos
        .args(["chaos", "--breaches", "1000", "--kills", "1000"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if let Some(programs) = programs() {
        chaos.arg("--programs").arg(programs);
    }
    let mut chaos = chaos.spawn().unwrap();
    let pid = Pid::from_child(&chaos);
    let (folder, servers) = until(&mut chaos, || {
        let (folder, ledger) = ledger_of(pid)?;
        let servers: Vec<Pid> =
            ledger["processes"].as_array()?.iter().filter_map(|it| process(&it[1])).collect();
        (servers.len() >= 3).then_some((folder, servers))
    });
    // Halted, so that both are there when it looks, however slow the machine is.
    kill_process(pid, Signal::STOP).unwrap();
    let (_, halted) = waitpid(Some(pid), WaitOptions::UNTRACED).unwrap().unwrap();
    assert!(halted.stopped(), "{halted:?}");
    for signal in [Signal::TERM, Signal::INT, Signal::CONT] {
        kill_process(pid, signal).unwrap();
    }
    assert_eq!(chaos.wait().unwrap().code(), Some(130));
    assert!(!folder.exists());
    for server in servers {
        assert!(test_kill_process(server).is_err(), "{server:?} is still there");
    }
}

fn ledger_of(owner: Pid) -> Option<(PathBuf, Value)> {
    let instances = instances_of(Path::new(env!("CARGO_BIN_EXE_xtask")));
    fs::read_dir(instances).ok()?.filter_map(Result::ok).find_map(|entry| {
        let ledger: Value = serde_json::from_slice(&fs::read(entry.path().join("ledger.json")).ok()?).ok()?;
        (process(&ledger["owner"]) == Some(owner)).then_some((entry.path(), ledger))
    })
}

fn process(mark: &Value) -> Option<Pid> {
    Pid::from_raw(i32::try_from(mark["pid"].as_i64()?).ok()?)
}

fn until<T>(chaos: &mut Child, mut condition: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(chaos.try_wait().unwrap().is_none(), "it ended by itself");
        assert!(started.elapsed() < LIMIT, "it does not start its servers");
        park_timeout(Duration::from_millis(20));
    }
}

/// Where `cargo xtask test` has built the services; without it they are built now.
#[expect(clippy::disallowed_methods, reason = "the way in which `cargo xtask test` tells its tests")]
fn programs() -> Option<PathBuf> {
    std::env::var_os("XTASK_BIN_DIR").map(PathBuf::from)
}
