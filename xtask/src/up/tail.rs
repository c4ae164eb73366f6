//! Follows a log file.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// What bunyan calls a warning.
const WARN: u64 = 40;

/// Reads whole lines that were appended to a file since the last look.
#[derive(Debug)]
pub(crate) struct Tail {
    path: PathBuf,
    offset: u64,
    rest: Vec<u8>,
}

impl Tail {
    /// Begins at the present end of the file, which need not exist yet.
    pub(crate) fn from_end(path: &Path) -> Self {
        let offset = path.metadata().map(|found| found.len()).unwrap_or_default();
        Self { path: path.to_path_buf(), offset, rest: Vec::new() }
    }

    /// The new complete lines.
    pub(crate) fn lines(&mut self) -> Result<Vec<String>> {
        if !self.path.exists() {
            return Ok(Vec::new());
        }
        let reading = || Error::io(format!("reading {}", self.path.display()));
        let mut file = File::open(&self.path).map_err(reading())?;
        file.seek(SeekFrom::Start(self.offset)).map_err(reading())?;
        let read = file.read_to_end(&mut self.rest).map_err(reading())?;
        self.offset += read as u64;
        let complete = self.rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let text: Vec<u8> = self.rest.drain(..complete).collect();
        Ok(String::from_utf8_lossy(&text).lines().map(str::to_owned).collect())
    }
}

/// Whether a line is a warning or worse. What is no bunyan line (a panic) is.
pub(crate) fn is_alarming(line: &str) -> bool {
    let record: Option<serde_json::Value> = serde_json::from_str(line).ok();
    record.and_then(|record| record.get("level")?.as_u64()).is_none_or(|level| level >= WARN)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Write;

    use super::*;

    #[test]
    fn a_line_is_given_once_and_only_when_it_is_complete() {
        let path = std::env::temp_dir().join(format!("xtask-tail-{}", std::process::id()));
        std::fs::write(&path, "old\n").unwrap();
        let mut tail = Tail::from_end(&path);
        let mut file = File::options().append(true).open(&path).unwrap();
        write!(file, "one\ntw").unwrap();
        assert_eq!(tail.lines().unwrap(), ["one"]);
        writeln!(file, "o").unwrap();
        assert_eq!(tail.lines().unwrap(), ["two"]);
        assert!(tail.lines().unwrap().is_empty());
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn warnings_and_panics_alarm() {
        assert!(is_alarming(r#"{"level":40,"msg":"slow"}"#));
        assert!(!is_alarming(r#"{"level":30,"msg":"listening"}"#));
        assert!(is_alarming("thread 'main' panicked at"));
    }
}
