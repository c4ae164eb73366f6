//! The body: its type before its size, its size before its content.

use std::time::Duration;

use actix_web::{
    dev::Payload,
    error::PayloadError,
    http::header::{self, HeaderMap},
    web::Bytes,
};
use futures_util::StreamExt as _;

use crate::problem::{Kind, Problem};

/// How much and how long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) bytes: usize,
    pub(super) time: Duration,
}

/// Refuses what is not declared to be JSON. Without compression, because nothing here unpacks any.
pub(super) fn check_type(headers: &HeaderMap) -> Result<(), Problem> {
    let refuse = |detail| Err(Problem::new(Kind::UnsupportedMediaType, detail));
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let Some(content_type) = content_type else {
        return refuse("the body must be declared as application/json");
    };
    let mut parts = content_type.split(';').map(str::trim);
    if !parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json")) {
        return refuse("the body must be application/json");
    }
    let charset =
        parts.filter_map(|part| part.split_once('=')).find(|(name, _)| name.eq_ignore_ascii_case("charset"));
    if charset.is_some_and(|(_, charset)| !charset.trim_matches('"').eq_ignore_ascii_case("utf-8")) {
        return refuse("the body must be encoded in UTF-8");
    }
    let encoding = headers.get(header::CONTENT_ENCODING).map(header::HeaderValue::as_bytes);
    if encoding.is_some_and(|encoding| !encoding.eq_ignore_ascii_case(b"identity")) {
        return refuse("the body must not be compressed");
    }
    Ok(())
}

/// Collects the body. A declared length is believed when it is too large, and counted otherwise.
pub(super) async fn collect(
    headers: &HeaderMap,
    payload: &mut Payload,
    limits: Limits,
) -> Result<Bytes, Problem> {
    let too_large = || {
        let detail = format!("the body must not have more than {} bytes", limits.bytes);
        Problem::new(Kind::BodyTooLarge, detail)
    };
    check_length(headers, u64::try_from(limits.bytes).unwrap_or(u64::MAX))
        .map_err(|_| too_large().closing())?;
    let reading = async {
        let mut body = Vec::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|error| broken(&error))?;
            if body.len() + chunk.len() > limits.bytes {
                return Err(too_large().closing());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Bytes::from(body))
    };
    match tokio::time::timeout(limits.time, reading).await {
        Ok(read) => read,
        Err(_elapsed) => Err(Problem::new(Kind::SlowRequest, "the body took too long to arrive").closing()),
    }
}

/// The body says that it is too long.
pub(super) struct TooLong;

/// Whether the declared length is within the limit; what is not declared is.
pub(super) fn check_length(headers: &HeaderMap, limit: u64) -> Result<(), TooLong> {
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let length = declared.and_then(|length| length.parse::<u64>().ok());
    if length.is_some_and(|length| length > limit) { Err(TooLong) } else { Ok(()) }
}

fn broken(error: &PayloadError) -> Problem {
    tracing::debug!(%error, "the body broke off");
    Problem::new(Kind::MalformedRequest, "the body broke off or is not properly framed").closing()
}
