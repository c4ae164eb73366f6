//! A small run of `cargo xtask chaos`: every process is killed at least once, and no breach is lost or told of twice.

#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use xtask::chaos::{Options, Victim, run};

#[test]
fn every_breach_is_told_of_once_whoever_is_killed() {
    let options = Options { breaches: 60, kills: 8, programs: programs(), ..Options::default() };
    let report = run(&options).unwrap();
    assert!(report.is_good(), "{report}");
    for victim in Victim::ALL {
        assert!(report.tally.kills[&victim.to_string()] >= 1, "{report}");
    }
}

/// Where `cargo xtask test` has built the services; without it they are built now.
#[expect(clippy::disallowed_methods, reason = "the way in which `cargo xtask test` tells its tests")]
fn programs() -> Option<PathBuf> {
    std::env::var_os("XTASK_BIN_DIR").map(PathBuf::from)
}
