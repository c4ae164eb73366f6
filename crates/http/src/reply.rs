//! An answer before it belongs to a connection: made anywhere, kept if need be, sent later.

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
};
use serde::Serialize;
use techsupport_application::{AppError, ports::KeptAnswer};

use crate::problem::{MEDIA_TYPE, Problem, ProblemDocument};

/// An answer as plain data.
pub(crate) struct Reply(KeptAnswer);

impl Reply {
    /// One that carries JSON.
    pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Result<Self, AppError> {
        let body = serde_json::to_vec(body).map_err(AppError::internal)?;
        let answer = KeptAnswer { status: status.as_u16(), headers: Vec::new(), body };
        Ok(Self(answer).with(&header::CONTENT_TYPE, "application/json"))
    }

    /// The answer to a creation.
    pub(crate) fn created(location: &str, body: &impl Serialize) -> Result<Self, AppError> {
        Ok(Self::json(StatusCode::CREATED, body)?.with(&header::LOCATION, location))
    }

    /// The answer to something that will be done.
    pub(crate) fn accepted(location: &str, body: &impl Serialize) -> Result<Self, AppError> {
        Ok(Self::json(StatusCode::ACCEPTED, body)?.with(&header::LOCATION, location))
    }

    /// One that carries a problem of a kind that is kept; those have no header of their own.
    pub(crate) fn refusal(problem: &Problem, instance: &str, request_id: &str) -> Result<Self, AppError> {
        let document = ProblemDocument::new(problem, instance, request_id);
        Ok(Self::json(problem.kind.status(), &document)?.with(&header::CONTENT_TYPE, MEDIA_TYPE))
    }

    /// With this field in its head.
    pub(crate) fn with(mut self, name: &HeaderName, value: &str) -> Self {
        self.0.headers.retain(|(other, _)| other != name.as_str());
        self.0.headers.push((name.as_str().to_owned(), value.to_owned()));
        self
    }

    /// As it is kept.
    pub(crate) fn into_kept(self) -> KeptAnswer {
        self.0
    }

    /// As it is sent.
    pub(crate) fn into_response(self) -> Result<HttpResponse, Problem> {
        response(self.0).map_err(|error| {
            tracing::error!(error, "an answer that cannot be sent");
            Problem::internal()
        })
    }
}

impl From<KeptAnswer> for Reply {
    fn from(kept: KeptAnswer) -> Self {
        Self(kept)
    }
}

fn response(answer: KeptAnswer) -> Result<HttpResponse, String> {
    let status = StatusCode::from_u16(answer.status).map_err(|error| error.to_string())?;
    let mut response = HttpResponse::build(status);
    for (name, value) in &answer.headers {
        let name = HeaderName::try_from(name.as_str()).map_err(|error| error.to_string())?;
        response.insert_header((name, HeaderValue::from_str(value).map_err(|error| error.to_string())?));
    }
    Ok(response.body(answer.body))
}
