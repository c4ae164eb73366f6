//! Reading notification lines back, with bounded memory.

use std::{fs::File, io, ops::ControlFlow, os::unix::fs::FileExt, sync::LazyLock, time::Instant};

use memchr::{memchr_iter, memmem::Finder, memrchr};
use serde::Deserialize;
use uuid::Uuid;

use super::SinkError;
use crate::bunyan::LineType;

/// Longer lines are not ours.
const LONGEST_LINE: usize = 64 * 1024;

/// Read at once. More than a line, so that every read makes progress.
const WINDOW: usize = 4 * LONGEST_LINE;

/// In every line of ours. Finding it is quick; what has it is then parsed.
static MARK: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"SLA_"));

/// Calls `visit` with the event of each notification in the complete lines from `position` to `end`, and moves
/// `position` to where the last of them ends, also when time runs out: then it can go on from there. It begins
/// at the start of a line, or inside of one that is passed over. Every call makes some progress.
pub(super) fn notifications(
    file: &File,
    position: &mut u64,
    end: u64,
    deadline: Instant,
    mut visit: impl FnMut(Uuid) -> ControlFlow<()>,
) -> Result<(), SinkError> {
    let mut window = vec![0; WINDOW];
    let mut first = true;
    while *position < end {
        if !std::mem::take(&mut first) && Instant::now() >= deadline {
            return Err(SinkError::Timeout("searched"));
        }
        let wanted = usize::try_from(end - *position).map_or(WINDOW, |left| left.min(WINDOW));
        let read = read_at(file, &mut window[..wanted], *position)?;
        let bytes = &window[..read];
        let Some(last_newline) = memrchr(b'\n', bytes) else {
            if read < WINDOW {
                break;
            }
            // One line longer than the window: not ours. What follows begins inside of it.
            *position += as_u64(read);
            continue;
        };
        let complete = &bytes[..=last_newline];
        let mut start = 0;
        if MARK.find(complete).is_some() {
            for newline in memchr_iter(b'\n', complete) {
                if let Some(event) = event_of(&complete[start..newline])
                    && visit(event).is_break()
                {
                    *position += as_u64(newline) + 1;
                    return Ok(());
                }
                start = newline + 1;
            }
        }
        *position += as_u64(complete.len());
    }
    Ok(())
}

/// The event of a notification line; `None` for any other line.
fn event_of(line: &[u8]) -> Option<Uuid> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Notification {
        r#type: String,
        event_id: Uuid,
    }
    if line.len() > LONGEST_LINE || MARK.find(line).is_none() {
        return None;
    }
    let notification: Notification = serde_json::from_slice(line).ok()?;
    LineType::NAMES.contains(&notification.r#type.as_str()).then_some(notification.event_id)
}

/// Fills the buffer unless the file ends before.
fn read_at(file: &File, buffer: &mut [u8], position: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], position + as_u64(filled)) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn as_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
