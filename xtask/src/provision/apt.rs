//! Installs missing servers with `apt-get`, starting and creating nothing on the system.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::environment;
use crate::error::{Error, Result};
use crate::workspace;

const POLICY: &str = "/usr/sbin/policy-rc.d";
const CLUSTER_FOLDER: &str = "/etc/postgresql-common/createcluster.d";
const CLUSTER: &str = "/etc/postgresql-common/createcluster.d/techsupport-xtask.conf";

/// Whether packages can be installed: root on Debian, Ubuntu or a relative of theirs.
pub(crate) fn is_possible() -> bool {
    rustix::process::geteuid().is_root()
        && Path::new("/etc/debian_version").is_file()
        && environment::on_path("apt-get").is_some()
}

/// Installs the packages. The services are not started, now or at the next boot, and no database cluster is made.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    eprintln!("xtask: installing {} with apt-get", packages.join(" and "));
    let policy = Temporary::create(POLICY, "#!/bin/sh\nexit 101\n", 0o755)?;
    let cluster = packages.contains(&"postgresql").then(|| {
        fs::create_dir_all(CLUSTER_FOLDER).map_err(Error::io(format!("creating {CLUSTER_FOLDER}")))?;
        Temporary::create(CLUSTER, "create_main_cluster = false\n", 0o644)
    });
    let cluster = cluster.transpose()?;
    let installed = install_now(packages).or_else(|_| {
        // The package lists are missing or older than the archive.
        apt_get(&["update"])?;
        install_now(packages)
    });
    drop((policy, cluster));
    installed?;
    if environment::on_path("systemctl").is_some() {
        for package in packages {
            // Where no systemd runs there is nothing to disable, and that is fine.
            Command::new("systemctl").args(["--quiet", "disable", package]).output().ok();
        }
    }
    Ok(())
}

fn install_now(packages: &[&str]) -> Result<()> {
    apt_get(&[&["install", "--yes", "--no-install-recommends"], packages].concat())
}

fn apt_get(arguments: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    command.arg("--quiet=2").args(["-o", "DPkg::Lock::Timeout=120", "-o", "Dpkg::Use-Pty=0"]).args(arguments);
    command.env("DEBIAN_FRONTEND", "noninteractive");
    workspace::output(&mut command, &format!("apt-get {}", arguments.join(" "))).map(drop)
}

/// A file of the system's that exists while packages are being installed. One that is already there is left alone.
struct Temporary {
    ours: Option<PathBuf>,
}

impl Temporary {
    fn create(path: &str, text: &str, mode: u32) -> Result<Self> {
        let path = PathBuf::from(path);
        match fs::File::create_new(&path) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(Self { ours: None }),
            Err(error) => return Err(Error::io(format!("creating {}", path.display()))(error)),
        }
        let temporary = Self { ours: Some(path.clone()) };
        fs::write(&path, text)
            .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(mode)))
            .map_err(Error::io(format!("writing {}", path.display())))?;
        Ok(temporary)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(path) = &self.ours
            && let Err(error) = fs::remove_file(path)
        {
            eprintln!("xtask: please remove {}: {error}", path.display());
        }
    }
}
