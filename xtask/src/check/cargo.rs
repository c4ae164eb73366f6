//! Checks that cargo makes, and what it knows about the workspace.

use std::path::Path;

use serde_json::Value;

use crate::error::{Error, Result};
use crate::{process, workspace};

pub(crate) fn fmt() -> Result<()> {
    process::run(workspace::cargo().args(["fmt", "--all", "--check"]), "cargo fmt")
}

pub(crate) fn clippy() -> Result<()> {
    let mut cargo = workspace::cargo();
    cargo.args(["clippy", "--workspace", "--all-targets", "--target-dir"]).arg(workspace::target_dir());
    process::run(cargo.args(["--", "-D", "warnings"]), "cargo clippy")
}

pub(crate) fn doc() -> Result<()> {
    let mut cargo = workspace::cargo();
    cargo.args(["doc", "--workspace", "--no-deps", "--target-dir"]).arg(workspace::target_dir());
    process::run(cargo.env("RUSTDOCFLAGS", "-D warnings"), "cargo doc")
}

/// The manifests of the workspace in `folder`, unresolved: this needs no network and no lock file.
pub(crate) fn manifests(folder: &Path) -> Result<Value> {
    metadata(folder, &["--no-deps"])
}

/// Every package that is built on this machine.
pub(crate) fn packages() -> Result<Value> {
    let version = workspace::output(std::process::Command::new("rustc").arg("-vV"), "rustc -vV")?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
    metadata(&workspace::root(), &["--filter-platform", host])
}

fn metadata(folder: &Path, arguments: &[&str]) -> Result<Value> {
    let mut cargo = workspace::cargo();
    cargo.current_dir(folder).args(["metadata", "--format-version", "1"]).args(arguments);
    let text = workspace::output(&mut cargo, "cargo metadata")?;
    serde_json::from_str(&text).map_err(Error::malformed("cargo metadata's answer"))
}
