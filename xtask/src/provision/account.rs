//! Who the servers run as, and a folder which that account can reach.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, Result};

/// The account that servers run as when we are root, because PostgreSQL refuses to run as root.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Account {
    uid: u32,
    gid: u32,
}

impl Account {
    /// `nobody` when we are root; `None` when we are not, and the servers run as ourselves.
    pub(crate) fn for_servers() -> Option<Self> {
        rustix::process::geteuid().is_root().then(|| {
            let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
            nobody(&users).unwrap_or(Self { uid: 65534, gid: 65534 })
        })
    }

    /// Makes `command` run as this account; the supplementary groups are dropped with it.
    pub(crate) fn apply(self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }

    /// Gives a folder to the account.
    pub(crate) fn give(self, folder: &Path) -> Result<()> {
        chown(folder, Some(self.uid), Some(self.gid))
            .map_err(Error::io(format!("chown {}", folder.display())))
    }
}

/// Where the servers of an instance keep their files: in its folder, or, when some parent of it is closed to the account
/// (a clone under `/root`), in a folder of the same name under `/var/tmp`.
pub(crate) fn storage(instance: &Path, account: Option<Account>) -> Result<PathBuf> {
    let folder = instance.canonicalize().map_err(Error::io(format!("resolving {}", instance.display())))?;
    if account.is_none() {
        return Ok(folder);
    }
    if folder.ancestors().all(is_open) {
        return Ok(folder);
    }
    let name = folder.display().to_string().trim_start_matches('/').replace('/', "-");
    let elsewhere = Path::new("/var/tmp").join(format!("techsupport-{name}"));
    make_own(&elsewhere)?;
    Ok(elsewhere)
}

/// Everybody can write to `/var/tmp`: take a folder only if it is a real one that belongs to us and to nobody else.
fn make_own(folder: &Path) -> Result<()> {
    match DirBuilder::new().mode(0o755).create(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            return Err(Error::io(format!("creating {}", folder.display()))(error));
        }
        Ok(()) | Err(_) => {}
    }
    let found = fs::symlink_metadata(folder).map_err(Error::io(format!("reading {}", folder.display())))?;
    let ours = found.is_dir() && found.uid() == rustix::process::geteuid().as_raw();
    if ours && found.permissions().mode() & 0o022 == 0 {
        Ok(())
    } else {
        Err(Error::Refused(format!("{} exists and is not safely ours; please remove it", folder.display())))
    }
}

fn is_open(folder: &Path) -> bool {
    fs::metadata(folder).is_ok_and(|found| found.permissions().mode() & 0o001 != 0)
}

fn nobody(users: &str) -> Option<Account> {
    let line = users.lines().find(|line| line.starts_with("nobody:"))?;
    let mut fields = line.split(':').skip(2);
    Some(Account { uid: fields.next()?.parse().ok()?, gid: fields.next()?.parse().ok()? })
}
