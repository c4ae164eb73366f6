//! `cargo xtask test`: every test, on servers of its own.

use crate::error::Result;
use crate::programs::Programs;
use crate::provision::{self, Plan, Servers};
use crate::{process, workspace};

/// cargo takes it once.
const NO_FAIL_FAST: &str = "--no-fail-fast";

/// Options of `test`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Handed to `cargo test`, for example: -- -p techsupport-tests sweep -- --nocapture
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// Starts fresh servers and runs `cargo test --workspace` (unit, integration and documentation tests) with `DATABASE_URL` and
/// `AMQP_URL` set, and `XTASK_BIN_DIR` naming the folder of the services' programs. One that fails keeps none of the others from
/// being run: whoever waited for all of this wants to hear all of it.
pub(crate) fn run(options: &Options) -> Result<()> {
    provision::sweep()?;
    let servers = Servers::start(&Plan::fresh("test"))?;
    let outcome = run_on(&servers, &options.arguments);
    let stopped = servers.stop();
    // Servers of tests that were killed in the middle.
    let swept = provision::sweep();
    outcome.and(stopped).and(swept)
}

fn run_on(servers: &Servers, arguments: &[String]) -> Result<()> {
    let programs = Programs::build(false)?;
    let mut cargo = workspace::cargo();
    cargo.arg("test").arg("--target-dir").arg(workspace::target_dir());
    if !of_cargo(arguments).any(|argument| argument == NO_FAIL_FAST) {
        cargo.arg(NO_FAIL_FAST);
    }
    if !names_package(arguments) {
        cargo.arg("--workspace");
    }
    cargo.args(arguments).env("XTASK_BIN_DIR", programs.folder());
    cargo.envs(servers.database_url().map(|url| ("DATABASE_URL", url)));
    cargo.envs(servers.amqp_url().map(|url| ("AMQP_URL", url)));
    process::run(&mut cargo, "cargo test")
}

/// Those that are not handed on to the tests.
fn of_cargo(arguments: &[String]) -> impl Iterator<Item = &String> {
    arguments.iter().take_while(|argument| *argument != "--")
}

/// Whether cargo is told which packages to test.
fn names_package(arguments: &[String]) -> bool {
    let names = |argument: &String| {
        argument.starts_with("-p") || argument.starts_with("--package") || argument == "--workspace"
    };
    of_cargo(arguments).any(names)
}

#[cfg(test)]
mod tests {
    use super::names_package;

    #[test]
    fn a_package_is_only_looked_for_among_the_arguments_of_cargo() {
        let given = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert!(names_package(&given("-p techsupport-tests sweep")));
        assert!(names_package(&given("--package=techsupport-domain")));
        assert!(names_package(&given("--workspace --lib")));
        assert!(!names_package(&given("sweep -- -p")));
    }
}
