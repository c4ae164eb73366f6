//! `cargo xtask check`: everything that can be said about the code without running it.

mod alerts;
mod cargo;
mod image;
pub mod layering;
mod licences;
mod tidy;

use std::time::Instant;

use crate::error::{Error, Result};
use crate::workspace;

/// Options of `check`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Only these; all of them by default.
    #[arg(value_enum)]
    checks: Vec<Check>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Check {
    /// Which crate may use which.
    Layering,
    /// The licences of all dependencies, against deny.toml.
    Licences,
    /// No machine's paths, no unfinished code, no ignored tests, complete migrations.
    Tidy,
    /// The alerts, where there is promtool: that they are well-formed, and fire when they should.
    Alerts,
    /// `cargo fmt --check`.
    Fmt,
    /// `cargo clippy`, every warning an error.
    Clippy,
    /// The Dockerfile's cargo commands: that they build the programs, and that these compile so.
    Image,
    /// `cargo doc`, every warning an error.
    Doc,
}

/// The quick ones first.
const ALL: [Check; 8] = [
    Check::Layering,
    Check::Licences,
    Check::Tidy,
    Check::Alerts,
    Check::Fmt,
    Check::Clippy,
    Check::Image,
    Check::Doc,
];

/// Runs every check, also after one has failed.
pub(crate) fn run(options: &Options) -> Result<()> {
    let chosen = if options.checks.is_empty() { &ALL[..] } else { &options.checks };
    let mut failed = 0;
    for check in chosen {
        let name = format!("{check:?}").to_lowercase();
        let started = Instant::now();
        match check.run() {
            Ok(()) => eprintln!("check {name}: ok ({:.1} s)", started.elapsed().as_secs_f32()),
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            Err(error) => {
                failed += 1;
                eprintln!("check {name}: {error}");
            }
        }
    }
    if failed == 0 { Ok(()) } else { Err(Error::ChecksFailed(failed)) }
}

impl Check {
    fn run(self) -> Result<()> {
        match self {
            Self::Layering => none(&layering::violations(&cargo::manifests(&workspace::root())?)),
            Self::Licences => none(&licences::violations()?),
            Self::Tidy => none(&tidy::violations()?),
            Self::Alerts => alerts::check(),
            Self::Fmt => cargo::fmt(),
            Self::Clippy => cargo::clippy(),
            Self::Image => image::check(),
            Self::Doc => cargo::doc(),
        }
    }
}

fn none(violations: &[String]) -> Result<()> {
    if violations.is_empty() { Ok(()) } else { Err(Error::Refused(violations.join("\n  "))) }
}
