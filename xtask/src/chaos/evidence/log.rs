//! What the worker's log says.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::error::{Error, Result};

/// A notification in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Effect {
    /// `SLA_ESCALATED` and its likes.
    pub(crate) kind: String,
    pub(crate) ticket: String,
    pub(crate) event: String,
    /// When it was written, in microseconds since 1970; 0 when the line does not say.
    pub(crate) at_us: i64,
}

/// A log, read without any code of those who write it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Log {
    pub(crate) effects: Vec<Effect>,
    /// Lines that are no complete JSON object: torn by the death of the writer, or no bunyan line at all. A notification that
    /// is only there as such a fragment has reached nobody.
    pub(crate) fragments: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    ticket_id: String,
    #[serde(default)]
    event_id: String,
    #[serde(default)]
    time: String,
}

impl Log {
    /// Reads a whole file; one that does not exist is empty.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        if !path.exists() {
            return Ok(Self::default());
        }
        let bytes = fs::read(path).map_err(Error::io(format!("reading {}", path.display())))?;
        Ok(Self::parse(&String::from_utf8_lossy(&bytes)))
    }

    /// Empty lines are none; a last line without its end is one all the same.
    pub(crate) fn parse(text: &str) -> Self {
        let mut log = Self::default();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            match serde_json::from_str::<Value>(line) {
                Ok(value @ Value::Object(_)) => log.effects.extend(effect(value)),
                Ok(_) | Err(_) => log.fragments.push(line.to_owned()),
            }
        }
        log
    }
}

fn effect(value: Value) -> Option<Effect> {
    let line: Line = serde_json::from_value(value).ok()?;
    let at = OffsetDateTime::parse(&line.time, &Rfc3339).ok();
    line.kind.starts_with("SLA_").then(|| Effect {
        kind: line.kind,
        ticket: line.ticket_id,
        event: line.event_id,
        at_us: at.and_then(|at| i64::try_from(at.unix_timestamp_nanos() / 1_000).ok()).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str =
        r#"{"v":0,"type":"SLA_ESCALATED","ticketId":"t","eventId":"e","time":"1970-01-01T00:00:01.500Z"}"#;

    #[test]
    fn only_complete_lines_of_our_types_are_effects() {
        let effect =
            Effect { kind: "SLA_ESCALATED".into(), ticket: "t".into(), event: "e".into(), at_us: 1_500_000 };
        let other = r#"{"v":0,"msg":"type SLA_ESCALATED"}"#;
        assert_eq!(Log::parse(&format!("{other}\n{LINE}\n\n{LINE}\n")).effects, [effect.clone(), effect]);
        assert!(Log::parse(&format!("{other}\n\n")).fragments.is_empty());
    }

    #[test]
    fn a_torn_line_is_a_fragment_wherever_it_is() {
        let (torn, _) = LINE.split_at(60);
        let log = Log::parse(&format!("{torn}\n{LINE}\n{torn}"));
        assert_eq!((log.effects.len(), log.fragments.len()), (1, 2));
        assert_eq!(Log::parse(&format!("{torn}{LINE}\n")).effects, []);
        assert_eq!(Log::parse("thread 'main' panicked\n7\n").fragments.len(), 2);
    }
}
