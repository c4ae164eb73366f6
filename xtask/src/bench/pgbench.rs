//! The other side of the comparison.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::round::Round;
use crate::error::{Error, Result};
use crate::{provision, workspace};

/// pgbench with a database and a folder for its scripts and logs.
#[derive(Debug)]
pub(super) struct PgBench {
    program: PathBuf,
    url: String,
    folder: PathBuf,
    connections: u32,
}

impl PgBench {
    pub(super) fn new(url: &str, folder: PathBuf, connections: u32) -> Result<Self> {
        let program = provision::postgres_client("pgbench").ok_or_else(|| {
            Error::Refused("pgbench is needed; it comes with PostgreSQL (postgresql-contrib)".into())
        })?;
        fs::create_dir_all(&folder).map_err(Error::io(format!("creating {}", folder.display())))?;
        Ok(Self { program, url: url.to_owned(), folder, connections })
    }

    /// Writes a script; gives its path.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.folder.join(format!("{name}.sql"));
        fs::write(&path, text).map_err(Error::io(format!("writing {}", path.display())))?;
        Ok(path)
    }

    /// One round of so many seconds, with prepared statements and a latency for each transaction.
    pub(super) fn round(&self, script: &Path, seconds: u64) -> Result<Round> {
        let prefix = self.folder.join("transactions");
        let mut command = Command::new(&self.program);
        command
            .current_dir(&self.folder)
            .args(["--no-vacuum", "--protocol=prepared", "--jobs=2", "--log"])
            .arg(format!("--client={}", self.connections))
            .arg(format!("--time={seconds}"))
            .arg(format!("--log-prefix={}", prefix.display()))
            .arg("--file")
            .arg(script)
            .arg(&self.url);
        let report = workspace::output(&mut command, "pgbench")?;
        let tps =
            number_after(&report, "tps = ").ok_or_else(|| Error::malformed("pgbench's report")(&report))?;
        let latencies_ms = self.take_latencies()?;
        let failures = number_after(&report, "number of failed transactions: ").unwrap_or_default();
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "counts of transactions are far below 2^52"
        )]
        Ok(Round {
            // Its own count of seconds leaves out the time that connecting takes.
            seconds: latencies_ms.len() as f64 / tps,
            latencies_ms,
            failures: failures as u64,
            example: (failures > 0.0).then(|| "pgbench: see its documentation of failed transactions".into()),
        })
    }

    /// Reads and removes the transaction logs, one for each thread. The third column is the latency in microseconds.
    fn take_latencies(&self) -> Result<Vec<f64>> {
        let mut latencies = Vec::new();
        let entries =
            fs::read_dir(&self.folder).map_err(Error::io(format!("reading {}", self.folder.display())))?;
        for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
            if !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("transactions.")) {
                continue;
            }
            let text = fs::read_to_string(&path).map_err(Error::io(format!("reading {}", path.display())))?;
            let third = |line: &str| line.split(' ').nth(2)?.parse::<f64>().ok();
            latencies.extend(text.lines().filter_map(third).map(|microseconds| microseconds / 1e3));
            fs::remove_file(&path).map_err(Error::io(format!("removing {}", path.display())))?;
        }
        Ok(latencies)
    }
}

fn number_after(text: &str, words: &str) -> Option<f64> {
    let (_, rest) = text.split_once(words)?;
    rest.split([' ', '\n']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::number_after;

    #[test]
    fn figures_are_found_in_the_report() {
        let report =
            "number of failed transactions: 0 (0.000%)\ntps = 1234.567 (without initial connection time)\n";
        assert_eq!(number_after(report, "tps = "), Some(1234.567));
        assert_eq!(number_after(report, "number of failed transactions: "), Some(0.0));
        assert_eq!(number_after("pgbench: error", "tps = "), None);
    }
}
