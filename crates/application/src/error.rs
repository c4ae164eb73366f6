//! What can go wrong in a use case.

use std::time::Duration;

use techsupport_domain::{TicketId, ticket::Refusal};

/// Something a route can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entity {
    /// A ticket.
    Ticket,
    /// A client.
    Client,
    /// An agent.
    Agent,
    /// A user.
    User,
    /// A login.
    Session,
    /// The import of a file.
    Import,
    /// A dead letter.
    DeadLetter,
}

/// A clash with what already exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflict {
    /// The e-mail address belongs to another client, agent or user.
    EmailTaken(Entity),
    /// Nobody would be left who may manage users.
    LastAdmin,
    /// Another request with the same idempotency key is under way.
    RepeatInFlight,
}

/// Why a caller is not let in. Bad credentials are deliberately one reason, whatever was wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unauthenticated {
    /// Unknown e-mail, wrong password or inactive user.
    BadCredentials,
    /// A refresh token that is unknown, malformed, expired, spent or revoked.
    UnusableRefreshToken,
    /// The login of the access token has ended.
    SessionEnded,
}

/// A member of the input that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) to the member, for example `/clientId`.
    pub pointer: String,
    /// Completes a sentence that begins with the member's name.
    pub detail: String,
}

impl FieldError {
    /// An error at `pointer`.
    pub fn new(pointer: impl Into<String>, detail: &(impl ToString + ?Sized)) -> Self {
        Self { pointer: pointer.into(), detail: detail.to_string() }
    }
}

/// What can go wrong in a use case. Whatever it is, nothing has changed, except where a variant says so.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// There is no such thing, or no longer.
    #[error("not found")]
    NotFound(Entity),
    /// The domain said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The input breaks a rule.
    #[error("invalid input")]
    Invalid(Vec<FieldError>),
    /// The input is well-formed but refers to what does not exist or may not be used.
    #[error("unusable reference")]
    Unprocessable(Vec<FieldError>),
    /// It has changed since the caller saw it.
    #[error("changed since it was seen")]
    Stale,
    /// The idempotency key was used before, for something else.
    #[error("idempotency key used for something else")]
    RepeatDiffers,
    /// It clashes with what already exists.
    #[error("conflict")]
    Conflict(Conflict),
    /// The caller is not let in.
    #[error("not authenticated")]
    Unauthenticated(Unauthenticated),
    /// The time for the work is over; it was rolled back.
    #[error("the time for the work is over")]
    TimedOut,
    /// A server this needs is down or overloaded. Worth trying again. When it was the commit that got no
    /// answer, the change may have been made.
    #[error("unavailable: {reason}")]
    Unavailable {
        /// For the log, never for the caller.
        reason: String,
        /// How long to wait before trying again.
        retry_after: Duration,
    },
    /// Others kept getting in the way (deadlock, serialization failure, lock timeout). Worth trying again.
    #[error("contention: {reason}")]
    Contention {
        /// For the log.
        reason: String,
    },
    /// A stored ticket cannot be understood.
    #[error("ticket {ticket} is corrupt: {reason}")]
    Corrupt {
        /// Which one.
        ticket: TicketId,
        /// For the log.
        reason: String,
    },
    /// A defect of ours, or of the storage.
    #[error("internal error: {0}")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl AppError {
    /// Wraps what nobody outside should see.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(source.into())
    }

    /// A single member of the input that breaks a rule.
    pub fn invalid(pointer: &str, detail: &(impl ToString + ?Sized)) -> Self {
        Self::Invalid(vec![FieldError::new(pointer, detail)])
    }

    /// A single reference that cannot be used.
    pub fn unprocessable(pointer: &str, detail: &(impl ToString + ?Sized)) -> Self {
        Self::Unprocessable(vec![FieldError::new(pointer, detail)])
    }

    /// Whether the same call may well succeed a little later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            AppError::TimedOut | AppError::Unavailable { .. } | AppError::Contention { .. } => true,
            AppError::NotFound(_)
            | AppError::Refused(_)
            | AppError::Invalid(_)
            | AppError::Unprocessable(_)
            | AppError::Stale
            | AppError::RepeatDiffers
            | AppError::Conflict(_)
            | AppError::Unauthenticated(_)
            | AppError::Corrupt { .. }
            | AppError::Internal(_) => false,
        }
    }

    /// Whether it was the caller's wish that was refused, while the transaction itself is as good as ever.
    pub(crate) fn is_refusal(&self) -> bool {
        match self {
            AppError::Refused(_) | AppError::Unprocessable(_) | AppError::Stale => true,
            AppError::NotFound(_)
            | AppError::Invalid(_)
            | AppError::RepeatDiffers
            | AppError::Conflict(_)
            | AppError::Unauthenticated(_)
            | AppError::TimedOut
            | AppError::Unavailable { .. }
            | AppError::Contention { .. }
            | AppError::Corrupt { .. }
            | AppError::Internal(_) => false,
        }
    }

    /// Whether the rules have judged a well-formed request: done again, it would be answered alike as long as
    /// nobody changes what it is about. Such an answer is kept for repeated requests, as a success is.
    pub fn is_verdict(&self) -> bool {
        match self {
            AppError::Refused(refusal) => match refusal {
                Refusal::IllegalTransition { .. }
                | Refusal::NotAssignable { .. }
                | Refusal::AgentInactive(_) => true,
                Refusal::AgentLevelTooLow { .. } => false,
            },
            AppError::Unprocessable(_) => true,
            AppError::Conflict(conflict) => match conflict {
                Conflict::EmailTaken(_) | Conflict::LastAdmin => true,
                Conflict::RepeatInFlight => false,
            },
            AppError::NotFound(_)
            | AppError::Invalid(_)
            | AppError::Stale
            | AppError::RepeatDiffers
            | AppError::Unauthenticated(_)
            | AppError::TimedOut
            | AppError::Unavailable { .. }
            | AppError::Contention { .. }
            | AppError::Corrupt { .. }
            | AppError::Internal(_) => false,
        }
    }
}
