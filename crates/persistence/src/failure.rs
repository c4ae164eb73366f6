//! What PostgreSQL says when something goes wrong, and what it means for us.
//!
//! diesel does not hand out SQLSTATE, and calls deadlocks, lock timeouts and cancellations alike
//! `Unknown`. So they are told apart by their primary message, in this one place; the tests make a real
//! server say each of them.

use std::time::Duration;

use diesel::result::{ConnectionError, DatabaseErrorKind, Error};
use techsupport_application::AppError;

use crate::meters;

/// How long a caller should wait before trying again when a server is away.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What went wrong.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Two transactions got in each other's way (40P01, 40001): the whole transaction can be repeated.
    Clash(String),
    /// Somebody held a lock for too long (55P03).
    LockTimeout,
    /// The statement took too long or was cancelled (57014).
    Cancelled,
    /// There is no server, or no longer.
    Lost(String),
    /// A unique constraint, by its name.
    Unique(String),
    /// A foreign key, by its name.
    ForeignKey(String),
    /// A defect of ours.
    Other(Error),
}

impl Failure {
    pub(crate) fn is_lost(&self) -> bool {
        matches!(self, Failure::Lost(_))
    }

    /// Counts what an operator should know of although nobody is told of each.
    pub(crate) fn count(&self) {
        match self {
            Failure::LockTimeout => meters::lock_timeout(),
            Failure::Cancelled => meters::cancelled(),
            Failure::Clash(_)
            | Failure::Lost(_)
            | Failure::Unique(_)
            | Failure::ForeignKey(_)
            | Failure::Other(_) => {}
        }
    }

    /// The name of the constraint that was hurt, if one was.
    pub(crate) fn constraint(&self) -> Option<&str> {
        match self {
            Failure::Unique(name) | Failure::ForeignKey(name) => Some(name),
            Failure::Clash(_)
            | Failure::LockTimeout
            | Failure::Cancelled
            | Failure::Lost(_)
            | Failure::Other(_) => None,
        }
    }

    /// A pool that has no connection to give.
    pub(crate) fn no_connection(reason: &impl ToString) -> AppError {
        AppError::Unavailable { reason: reason.to_string(), retry_after: RETRY_AFTER }
    }
}

impl From<Error> for Failure {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the enums are diesel's and may grow; the rest is a defect of ours"
    )]
    fn from(error: Error) -> Self {
        let Error::DatabaseError(kind, info) = &error else {
            return match error {
                Error::BrokenTransactionManager => Failure::Lost("the transaction was lost".to_owned()),
                other => Failure::Other(other),
            };
        };
        let message = info.message();
        let constraint = || info.constraint_name().unwrap_or_default().to_owned();
        match kind {
            DatabaseErrorKind::SerializationFailure => Failure::Clash(message.to_owned()),
            DatabaseErrorKind::ClosedConnection => Failure::Lost(message.to_owned()),
            DatabaseErrorKind::UniqueViolation => Failure::Unique(constraint()),
            DatabaseErrorKind::ForeignKeyViolation => Failure::ForeignKey(constraint()),
            _ if message == "deadlock detected" => Failure::Clash(message.to_owned()),
            _ if is_lock_timeout(message) => Failure::LockTimeout,
            _ if message.starts_with("canceling statement due to") => Failure::Cancelled,
            _ if means_lost(message) => Failure::Lost(message.to_owned()),
            _ => Failure::Other(error),
        }
    }
}

impl From<ConnectionError> for Failure {
    fn from(error: ConnectionError) -> Self {
        Failure::Lost(error.to_string())
    }
}

impl From<Failure> for AppError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Clash(reason) => AppError::Contention { reason },
            Failure::LockTimeout => AppError::Contention { reason: "lock timeout".to_owned() },
            Failure::Cancelled => AppError::TimedOut,
            Failure::Lost(reason) => AppError::Unavailable { reason, retry_after: RETRY_AFTER },
            Failure::Unique(name) => AppError::internal(format!("unexpected duplicate: {name}")),
            Failure::ForeignKey(name) => AppError::internal(format!("unexpected dangling reference: {name}")),
            Failure::Other(error) => AppError::internal(error),
        }
    }
}

/// Whether it says, among other things, that somebody held a lock for too long (55P03).
pub(crate) fn is_lock_timeout(message: &str) -> bool {
    message.contains("canceling statement due to lock timeout")
}

/// Messages of libpq and of a server that goes down or comes up.
fn means_lost(message: &str) -> bool {
    const SIGNS: [&str; 16] = [
        "server closed the connection unexpectedly",
        "terminating connection",
        "the database system is",
        "no connection to the server",
        "connection to server",
        "could not receive data from server",
        "could not send data to server",
        "could not connect to server",
        "connection not open",
        "connection already closed",
        "SSL connection has been closed",
        "SSL SYSCALL error",
        "SSL error:",
        "lost synchronization with server",
        "sorry, too many clients already",
        "remaining connection slots are reserved",
    ];
    SIGNS.iter().any(|sign| message.contains(sign))
}
