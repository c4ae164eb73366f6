//! A place for lines, each of which is written once, however often its writer is killed.
//!
//! A line cannot join a database transaction. A worker may die after the line and before the transaction that
//! remembers it; the next one then attempts again and has to find out whether the line is there. So it looks.
//! Under an exclusive `flock`, which holds for the whole of look-and-append:
//!
//! 1. A file that does not end in a newline was torn by the death of a writer. A newline is appended first, so
//!    that the fragment stands alone: complete, and then found, or broken, and then ignored.
//! 2. What was appended since this process last looked is searched: a worker that was stopped for longer than
//!    its lease must notice that another one was faster. When it is not the first attempt, the end of the
//!    file is searched, as far back as the settings say. Only a line that is complete, valid JSON, of one of our types and with the event's
//!    id counts.
//! 3. If it is not there, it is appended with one write.
//!
//! Ordinary log lines may be appended to the same file at any time without the lock: each is one write of its
//! own, so lines never mix. (Seeing one half-written can add an empty line, which readers skip.)
//!
//! Limits. A pipe or a terminal cannot be searched: then a line is repeated when its writer died between
//! writing and remembering; it carries `eventId`, so that whoever reads can drop repeats. The same holds
//! when the log was rotated in between. The memory of what was appended is bounded: a first attempt that was
//! overtaken by more than 65,536 other notifications does not notice. Once means once in this file: workers on
//! different machines have different ones, and locks work between processes of one machine; files on network file
//! systems are not supported. A full pipe blocks, like all logging to it.

mod file;
mod lock;
mod recent;
mod scan;

use std::{
    fs::File,
    io::{self, Write},
    os::fd::AsFd,
    sync::{Mutex, PoisonError},
    time::Instant,
};

use rustix::fs::{FileType, OFlags, fcntl_getfl, fcntl_setfl, fstat};
use uuid::Uuid;

use crate::settings::LogTarget;
use file::LineFile;

/// Why a line was not written. Another attempt may succeed.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// Others held the file, or it was too long to search, until the time was over.
    #[error("the log could not be {0} in time")]
    Timeout(&'static str),
    /// The operating system said no.
    #[error("the log cannot be used: {0}")]
    Io(#[from] io::Error),
    /// The disk is full, probably.
    #[error("the log took {written} bytes of {length}")]
    Torn {
        /// What it took.
        written: usize,
        /// What it was given.
        length: usize,
    },
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// The line was appended.
    Now,
    /// It was there.
    Before,
}

/// See the module.
#[derive(Debug)]
pub struct LineSink {
    target: Target,
}

#[derive(Debug)]
enum Target {
    File(LineFile),
    Stream(Mutex<File>),
}

impl LineSink {
    /// Opens the target. Standard output that is a file is put into append mode: others write there too.
    /// Of a file, the last `search` bytes are searched for lines of earlier attempts.
    pub fn open(target: &LogTarget, search: u64) -> Result<Self, SinkError> {
        let output = match target {
            LogTarget::Stdout => File::from(io::stdout().as_fd().try_clone_to_owned()?),
            LogTarget::File(path) => File::options().create(true).read(true).append(true).open(path)?,
        };
        Self::from_descriptor(output, search)
    }

    /// A sink for what `output` is open on.
    pub fn from_descriptor(output: File, search: u64) -> Result<Self, SinkError> {
        let kind = FileType::from_raw_mode(fstat(&output).map_err(io::Error::from)?.st_mode);
        if kind != FileType::RegularFile {
            return Ok(Self { target: Target::Stream(Mutex::new(output)) });
        }
        let flags = fcntl_getfl(&output).map_err(io::Error::from)?;
        if !flags.contains(OFlags::APPEND) {
            fcntl_setfl(&output, flags | OFlags::APPEND).map_err(io::Error::from)?;
        }
        match LineFile::reopen(&output, search) {
            Ok(file) => Ok(Self { target: Target::File(file) }),
            Err(error) => {
                tracing::warn!(%error, "the log cannot be read back; repeated notifications will not be noticed");
                Ok(Self { target: Target::Stream(Mutex::new(output)) })
            }
        }
    }

    /// Whether repeats are noticed.
    pub fn can_check(&self) -> bool {
        match self.target {
            Target::File(_) => true,
            Target::Stream(_) => false,
        }
    }

    /// Appends `line`, which must end in a newline and carry `event`, unless it is there. With `repeated`
    /// somebody may have tried before.
    pub fn write_once(
        &self,
        event: Uuid,
        line: &[u8],
        repeated: bool,
        deadline: Instant,
    ) -> Result<Written, SinkError> {
        match &self.target {
            Target::File(file) => file.write_once(event, line, repeated, deadline),
            Target::Stream(stream) => {
                stream.lock().unwrap_or_else(PoisonError::into_inner).write_all(line)?;
                Ok(Written::Now)
            }
        }
    }
}

#[cfg(test)]
mod tests;
