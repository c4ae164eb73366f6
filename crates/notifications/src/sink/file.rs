//! Looking and appending, in a file that can be searched.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Write},
    ops::ControlFlow,
    os::{
        fd::{AsFd, AsRawFd},
        unix::fs::FileExt,
    },
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use uuid::Uuid;

use super::{SinkError, Written, lock::Locked, recent::Recent, scan};

/// Attempts that are remembered while they go on; more than are ever under way in a process.
const MOST_SEARCHES: usize = 1_024;

/// How long a line that somebody is just writing may look torn.
const SETTLE: Duration = Duration::from_millis(1);

#[derive(Debug)]
pub(super) struct LineFile {
    /// An open file description of our own, for reading, appending and locking. `flock` belongs to the
    /// description, and standard output's is often shared with other processes.
    file: File,
    /// How many bytes of its end are searched for earlier attempts.
    search: u64,
    seen: Mutex<Seen>,
    /// How far the end of the file was searched for each event whose line was not written yet. The next attempt
    /// goes on from there.
    unfinished: Mutex<HashMap<Uuid, u64>>,
}

/// What this process knows of the file.
#[derive(Debug)]
struct Seen {
    /// Everything before this was looked at, or was there when the process began.
    until: u64,
    /// The notifications in it that came after the process began.
    recent: Recent,
}

impl LineFile {
    /// Opens the file behind a descriptor once more. By way of the descriptor, not by name: the file may have
    /// been renamed.
    pub(super) fn reopen(output: &File, search: u64) -> io::Result<Self> {
        let path = format!("/proc/self/fd/{}", output.as_fd().as_raw_fd());
        let file = File::options().read(true).append(true).open(path)?;
        let until = file.metadata()?.len();
        Ok(Self {
            file,
            search,
            seen: Mutex::new(Seen { until, recent: Recent::default() }),
            unfinished: Mutex::default(),
        })
    }

    pub(super) fn write_once(
        &self,
        event: Uuid,
        line: &[u8],
        repeated: bool,
        deadline: Instant,
    ) -> Result<Written, SinkError> {
        let written = self.look_and_append(event, line, repeated, deadline)?;
        if repeated {
            self.unfinished().remove(&event);
        }
        Ok(written)
    }

    fn look_and_append(
        &self,
        event: Uuid,
        line: &[u8],
        repeated: bool,
        deadline: Instant,
    ) -> Result<Written, SinkError> {
        // What is in the file stays there, so most of it can be searched without holding up others.
        let searched = if repeated { self.search(event, deadline)? } else { Search::NotNeeded };
        if searched == Search::Found {
            return Ok(Written::Before);
        }
        // Among threads the mutex is fairer than the lock, which has to be asked for again and again.
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let _locked = Locked::acquire(&self.file, deadline)?;
        self.close_torn_line()?;
        let length = self.file.metadata()?.len();
        if length < seen.until {
            // Cut off by whoever rotates logs.
            seen.until = 0;
            self.unfinished().clear();
        }
        let from = match searched {
            Search::Until(until) => until.min(seen.until),
            Search::NotNeeded | Search::Found => seen.until,
        };
        let from = if from > length { 0 } else { from };
        let mut found = false;
        let mut position = from;
        let recent = &mut seen.recent;
        let looked = scan::notifications(&self.file, &mut position, length, deadline, |other| {
            recent.insert(other);
            found |= other == event;
            ControlFlow::Continue(())
        });
        // Also when time ran out: otherwise a long file would be begun again and again and never finished.
        seen.until = if from < seen.until { seen.until.max(position) } else { position };
        looked?;
        if found || seen.recent.contains(&event) {
            return Ok(Written::Before);
        }
        self.append(line)?;
        seen.recent.insert(event);
        Ok(Written::Now)
    }

    fn search(&self, event: Uuid, deadline: Instant) -> Result<Search, SinkError> {
        let length = self.file.metadata()?.len();
        let before = self.unfinished().get(&event).copied().filter(|position| *position <= length);
        let mut position = before.unwrap_or(length.saturating_sub(self.search));
        let mut found = false;
        let searched = scan::notifications(&self.file, &mut position, length, deadline, |other| {
            found = other == event;
            if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        {
            let mut unfinished = self.unfinished();
            if unfinished.len() >= MOST_SEARCHES {
                unfinished.clear();
            }
            unfinished.insert(event, position);
        }
        searched?;
        Ok(if found { Search::Found } else { Search::Until(position) })
    }

    fn unfinished(&self) -> MutexGuard<'_, HashMap<Uuid, u64>> {
        self.unfinished.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// With a write of its own: the line it closes may turn out to be the one that is looked for.
    fn close_torn_line(&self) -> Result<(), SinkError> {
        if self.ends_within_a_line()? {
            std::thread::park_timeout(SETTLE);
            if self.ends_within_a_line()? {
                self.append(b"\n")?;
            }
        }
        Ok(())
    }

    fn ends_within_a_line(&self) -> io::Result<bool> {
        let Some(last) = self.file.metadata()?.len().checked_sub(1) else { return Ok(false) };
        let mut byte = [0];
        Ok(self.file.read_at(&mut byte, last)? == 1 && byte != *b"\n")
    }

    /// One write: half a line must not be continued after somebody else's.
    fn append(&self, bytes: &[u8]) -> Result<(), SinkError> {
        let written = loop {
            match (&self.file).write(bytes) {
                Ok(written) => break written,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        };
        if written < bytes.len() {
            return Err(SinkError::Torn { written, length: bytes.len() });
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Search {
    NotNeeded,
    /// Not in what comes before this.
    Until(u64),
    Found,
}
