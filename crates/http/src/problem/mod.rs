//! Problem documents (RFC 9457): the one form in which anything here says no.

mod document;
mod kind;
mod outcome;

use std::{borrow::Cow, time::Duration};

use techsupport_domain::ticket::Status;

pub(crate) use document::{MEDIA_TYPE, Manner, ProblemDocument, render};
pub(crate) use kind::Kind;

/// Which part of the input is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A member of the body, as a JSON pointer (RFC 6901).
    Pointer(String),
    /// A parameter of the query or the path.
    Parameter(String),
    /// A field of the head.
    Header(&'static str),
}

/// One wrong part of the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InputError {
    pub(crate) place: Place,
    /// Completes a sentence that begins with the name of the part.
    pub(crate) detail: String,
}

/// A transition that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RefusedTransition {
    pub(crate) from: Status,
    pub(crate) to: Status,
    pub(crate) allowed: Vec<Status>,
}

/// A problem, before it knows which request it belongs to. Its texts are for the caller: nothing internal
/// gets in here.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) kind: Kind,
    pub(crate) detail: Cow<'static, str>,
    pub(crate) errors: Vec<InputError>,
    pub(crate) transition: Option<Box<RefusedTransition>>,
    /// For [`Kind::NotReady`]: what is missing.
    pub(crate) failing: Option<&'static str>,
    /// `Retry-After`; answers of kinds that want one and have none get the default.
    pub(crate) retry_after: Option<Duration>,
    /// `Allow` of a 405.
    pub(crate) allow: Option<String>,
    /// Whether the connection cannot be used any more.
    pub(crate) close: bool,
}

impl Problem {
    pub(crate) fn new(kind: Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            errors: Vec::new(),
            transition: None,
            failing: None,
            retry_after: None,
            allow: None,
            close: false,
        }
    }

    /// Input that breaks rules, each named.
    pub(crate) fn invalid(errors: Vec<InputError>) -> Self {
        let detail = match errors.as_slice() {
            [InputError { place: Place::Pointer(at) | Place::Parameter(at), detail }] if !at.is_empty() => {
                format!("{} {detail}", at.trim_start_matches('/'))
            }
            [InputError { place: Place::Header(name), detail }] => format!("{name} {detail}"),
            _ => "the request breaks rules; see errors".to_owned(),
        };
        Self { errors, ..Self::new(Kind::InvalidInput, detail) }
    }

    /// A parameter of the query or the path that breaks a rule.
    pub(crate) fn parameter(name: &str, detail: &(impl ToString + ?Sized)) -> Self {
        Self::invalid(vec![InputError {
            place: Place::Parameter(name.to_owned()),
            detail: detail.to_string(),
        }])
    }

    pub(crate) fn unauthenticated(detail: &'static str) -> Self {
        Self::new(Kind::Unauthenticated, detail)
    }

    /// The token is good, the login it belongs to is over.
    pub(crate) fn session_ended() -> Self {
        Self::unauthenticated("the session has ended; sign in again")
    }

    pub(crate) fn internal() -> Self {
        Self::new(Kind::Internal, "something went wrong on our side; the request id helps to find out what")
    }

    pub(crate) fn timed_out() -> Self {
        Self::new(Kind::TimedOut, "the request took too long; nothing it did was kept")
    }

    pub(crate) fn unavailable(retry_after: Duration) -> Self {
        Self::new(Kind::Unavailable, "something this needs is unavailable at the moment")
            .retry_after(retry_after)
    }

    pub(crate) fn contention() -> Self {
        Self::new(Kind::Contention, "others kept changing the same thing; nothing was changed")
    }

    /// After this answer the connection is closed.
    pub(crate) fn closing(self) -> Self {
        Self { close: true, ..self }
    }

    pub(crate) fn retry_after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }
}
