//! Where the workspace and its build output are, and how to call cargo in it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::environment;
use crate::error::{Error, Result};

/// The folder of the workspace's `Cargo.toml`.
pub(crate) fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_path_buf()
}

/// The target directory of the running program.
pub(crate) fn target_dir() -> PathBuf {
    std::env::current_exe().map_or_else(|_| root().join("target"), |program| target_dir_of(&program))
}

/// The target directory of a program: its ancestor that cargo tagged as such, so that every way of setting it (environment,
/// configuration, command line) is honoured without asking cargo.
pub(crate) fn target_dir_of(program: &Path) -> PathBuf {
    let tagged = program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file());
    tagged.map_or_else(|| root().join("target"), Path::to_path_buf)
}

/// A call of the cargo that runs us, from the workspace's root.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(environment::text("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Runs a command to its end and returns what it wrote to its standard output.
pub(crate) fn output(command: &mut Command, name: &str) -> Result<String> {
    let done = command.output().map_err(Error::io(format!("starting {name}")))?;
    if done.status.success() {
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    } else {
        let output = [done.stdout, done.stderr].concat();
        Err(Error::Program {
            program: name.into(),
            status: done.status,
            output: last_lines(&String::from_utf8_lossy(&output), 20),
        })
    }
}

/// The end of a text, for an error message.
pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// The end of a log file; empty when there is none.
pub(crate) fn log_tail(file: &Path) -> String {
    std::fs::read(file).map(|bytes| last_lines(&String::from_utf8_lossy(&bytes), 20)).unwrap_or_default()
}
