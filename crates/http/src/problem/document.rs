//! How a problem looks on the wire.

use std::time::Duration;

use actix_web::{
    HttpResponse,
    http::header::{self, HeaderValue},
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Kind, Place, Problem};

pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// A problem document. `message` equals `detail`: clients of the original service read it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProblemDocument<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    message: &'a str,
    instance: &'a str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failing: Option<&'static str>,
}

impl<'a> ProblemDocument<'a> {
    pub(crate) fn new(problem: &'a Problem, instance: &'a str, request_id: &'a str) -> Self {
        let transition = problem.transition.as_ref();
        Self {
            r#type: problem.kind.uri(),
            title: problem.kind.title(),
            status: problem.kind.status().as_u16(),
            detail: &problem.detail,
            message: &problem.detail,
            // The target of CONNECT has no path.
            instance: if instance.is_empty() { "/" } else { instance },
            request_id,
            errors: problem
                .errors
                .iter()
                .map(|error| match &error.place {
                    Place::Pointer(pointer) => json!({"pointer": pointer, "detail": error.detail}),
                    Place::Parameter(name) => json!({"parameter": name, "detail": error.detail}),
                    Place::Header(name) => json!({"header": name, "detail": error.detail}),
                })
                .collect(),
            from: transition.map(|t| t.from.name()),
            to: transition.map(|t| t.to.name()),
            allowed: transition.map(|t| t.allowed.iter().map(|status| status.name()).collect()),
            failing: problem.failing,
        }
    }
}

/// The answer that carries the problem. `retry_after_s` is what 503 says when the problem does not know better.
pub(crate) fn render(
    problem: &Problem,
    instance: &str,
    request_id: &str,
    retry_after_s: u64,
) -> HttpResponse {
    let mut answer = HttpResponse::build(problem.kind.status());
    answer.insert_header((header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE)));
    match Manner::of(problem.kind) {
        Manner::Challenge => {
            answer.insert_header((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
        }
        Manner::Wait => {
            // Rounded up: who comes back a moment early is turned away again.
            let whole = |wait: Duration| (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1);
            let wait = problem.retry_after.map_or(retry_after_s, whole);
            answer.insert_header((header::RETRY_AFTER, wait));
        }
        Manner::Plain => {}
    }
    if let Some(allow) = problem.allow.as_deref().and_then(|allow| HeaderValue::from_str(allow).ok()) {
        answer.insert_header((header::ALLOW, allow));
    }
    if problem.close {
        answer.force_close();
    }
    answer.json(ProblemDocument::new(problem, instance, request_id))
}

/// What an answer says beside the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// `WWW-Authenticate`
    Challenge,
    /// `Retry-After`
    Wait,
    Plain,
}

impl Manner {
    pub(crate) const fn of(kind: Kind) -> Self {
        match kind {
            Kind::Unauthenticated | Kind::BadCredentials | Kind::UnusableRefreshToken => Manner::Challenge,
            Kind::TooManyAttempts
            | Kind::RateLimited
            | Kind::RepeatInFlight
            | Kind::TimedOut
            | Kind::Overloaded
            | Kind::Unavailable
            | Kind::Contention
            | Kind::NotReady => Manner::Wait,
            Kind::MalformedRequest
            | Kind::PreflightRefused
            | Kind::MalformedBody
            | Kind::InvalidInput
            | Kind::Forbidden
            | Kind::AgentLevelTooLow
            | Kind::UnknownRoute
            | Kind::NotFound
            | Kind::MethodNotAllowed
            | Kind::SlowRequest
            | Kind::IllegalTransition
            | Kind::NotAssignable
            | Kind::EmailTaken
            | Kind::LastAdmin
            | Kind::PreconditionFailed
            | Kind::RepeatDiffers
            | Kind::BodyTooLarge
            | Kind::UriTooLong
            | Kind::UnsupportedMediaType
            | Kind::UnusableReference
            | Kind::HeadTooLarge
            | Kind::Internal => Manner::Plain,
        }
    }
}
