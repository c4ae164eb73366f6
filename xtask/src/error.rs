//! What can go wrong in a command, worded for the person at the terminal.

use std::io;
use std::process::ExitStatus;

use techsupport_application::AppError;

use crate::signals;

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused something.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done, as a phrase: "reading /x".
        doing: String,
        /// The system's answer.
        source: io::Error,
    },
    /// A program that was run ended badly.
    #[error("{program} failed ({status}){}", detail(.output))]
    Program {
        /// The program's name, with the arguments that matter.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it wrote; empty when it wrote to the terminal itself.
        output: String,
    },
    /// A file or a program's answer is not what it should be.
    #[error("{what} cannot be understood: {why}")]
    Malformed {
        /// The file or answer.
        what: String,
        /// The parser's complaint.
        why: String,
    },
    /// A server or process did not reach a state in time, or ended instead.
    #[error("{what}{}", detail(.log))]
    NotReady {
        /// Which one, and what was waited for.
        what: String,
        /// The last lines of its log.
        log: String,
    },
    /// A use case failed.
    #[error("{doing}: {source}")]
    Desk {
        /// What was being done, as a phrase: "making demo data".
        doing: &'static str,
        /// Its answer.
        source: AppError,
    },
    /// The caller has to change something first; the text says what.
    #[error("{0}")]
    Refused(String),
    /// The desk wants to know again who asks.
    #[error("{0}")]
    SignedOut(String),
    /// The desk cannot answer for the moment.
    #[error("{0}")]
    Away(String),
    /// The server was given by the environment: it is not ours to stop or kill.
    #[error("{0} was given by the environment and is not ours to stop")]
    NotOurs(&'static str),
    /// Static checks found faults, which are already printed.
    #[error("{0} of the checks failed")]
    ChecksFailed(usize),
    /// Ctrl-C, SIGTERM or SIGHUP arrived.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// Names what was being done when the system refused: `.map_err(Error::io("reading the ledger"))`.
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }

    /// Names what the desk was asked to do: `.map_err(Error::desk("making demo data"))`. An error that came of Ctrl-C says so.
    pub(crate) fn desk(doing: &'static str) -> impl FnOnce(AppError) -> Self {
        move |source| {
            if signals::stop_requested() { Self::Interrupted } else { Self::Desk { doing, source } }
        }
    }

    /// Names the text that a parser could not understand.
    pub(crate) fn malformed<E: std::fmt::Display>(what: impl Into<String>) -> impl FnOnce(E) -> Self {
        let what = what.into();
        move |why| Self::Malformed { what, why: why.to_string() }
    }
}

fn detail(text: &str) -> String {
    if text.trim().is_empty() { String::new() } else { format!("\n{}", text.trim_end()) }
}
