//! Builds the two services.

use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::{process, workspace};

/// Where the services' programs are.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// Builds them, with cargo's progress on the terminal.
    pub(crate) fn build(release: bool) -> Result<Self> {
        let mut cargo = workspace::cargo();
        cargo.args(["build", "--package", "techsupport-api", "--package", "techsupport-sla-worker"]);
        cargo.arg("--target-dir").arg(workspace::target_dir());
        if release {
            cargo.arg("--release");
        }
        process::run(&mut cargo, "cargo build")?;
        Ok(Self { folder: workspace::target_dir().join(if release { "release" } else { "debug" }) })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn api(&self) -> PathBuf {
        self.folder.join("techsupport-api")
    }

    pub(crate) fn worker(&self) -> PathBuf {
        self.folder.join("sla-worker")
    }
}
