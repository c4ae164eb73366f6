//! Where notifications go.

use std::{path::PathBuf, time::Duration};

use garde::Validate;
use serde::Deserialize;

/// Section `[notifications]` of the settings.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct NotificationSettings {
    /// The log channel.
    #[garde(dive)]
    pub log: LogTargetSettings,
}

/// Section `[notifications.log]`.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct LogTargetSettings {
    /// `stdout`, or the path of a file that lines are appended to.
    #[garde(skip)]
    pub target: LogTarget,
    /// How long writing a line may take, waiting for other processes and searching included, in milliseconds.
    #[garde(range(min = 100, max = 60_000))]
    pub timeout_ms: u64,
    /// How much of the end of the file is searched for a line of an earlier attempt, in MiB. More than is
    /// logged between the first attempt and the last.
    #[garde(range(min = 1, max = 65_536))]
    pub search_mib: u32,
}

impl LogTargetSettings {
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    pub(crate) fn search_bytes(&self) -> u64 {
        u64::from(self.search_mib) * 1024 * 1024
    }
}

/// Where lines are written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum LogTarget {
    /// Standard output, whatever that is connected to.
    Stdout,
    /// A file, made if there is none.
    File(PathBuf),
}

impl From<String> for LogTarget {
    fn from(target: String) -> Self {
        if target == "stdout" { Self::Stdout } else { Self::File(target.into()) }
    }
}
