//! Builds the services.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::{process, workspace};

/// The packages of the services.
pub(crate) const PACKAGES: [&str; 3] =
    ["techsupport-api", "techsupport-sla-worker", "techsupport-import-worker"];

const API: &str = "techsupport-api";
const WORKER: &str = "sla-worker";
const IMPORTER: &str = "import-worker";

/// Where the services' programs are.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// Builds them, with cargo's progress on the terminal.
    pub(crate) fn build(release: bool) -> Result<Self> {
        Self::build_with(release, &[])
    }

    /// Builds them with features (`package/feature`).
    pub(crate) fn build_with(release: bool, features: &[&str]) -> Result<Self> {
        let mut cargo = workspace::cargo();
        cargo.arg("build").args(PACKAGES.iter().flat_map(|name| ["--package", name]));
        cargo.arg("--target-dir").arg(workspace::target_dir());
        for feature in features {
            cargo.args(["--features", feature]);
        }
        if release {
            cargo.arg("--release");
        }
        process::run(&mut cargo, "cargo build")?;
        Ok(Self { folder: workspace::target_dir().join(if release { "release" } else { "debug" }) })
    }

    /// Those that somebody built.
    pub(crate) fn in_folder(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf() }
    }

    /// Copies them to a folder, which is made.
    pub(crate) fn copy_to(&self, folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).map_err(Error::io(format!("creating {}", folder.display())))?;
        for name in [API, WORKER, IMPORTER] {
            let from = self.folder.join(name);
            let copied = fs::copy(&from, folder.join(name));
            copied.map_err(Error::io(format!("copying {}", from.display())))?;
        }
        Ok(Self::in_folder(folder))
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn api(&self) -> PathBuf {
        self.folder.join(API)
    }

    pub(crate) fn worker(&self) -> PathBuf {
        self.folder.join(WORKER)
    }

    pub(crate) fn importer(&self) -> PathBuf {
        self.folder.join(IMPORTER)
    }
}
