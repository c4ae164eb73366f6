//! Who is calling.

mod revocations;
mod throttle;
mod tokens;

use std::time::Duration;

use actix_web::http::header::{self, HeaderMap};
use time::OffsetDateTime;

pub use revocations::Revocations;
use revocations::TooOld;
pub(crate) use throttle::Throttle;
pub(crate) use tokens::{KeyError, Tokens};

use crate::{inbound::Caller, problem::Problem, state::State};

/// How long to wait while nobody can tell whether logins have ended.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The caller, by the bearer token of the request (RFC 6750, section 2.1), unless the login it belongs to has ended.
pub(crate) fn authenticate(headers: &HeaderMap, state: &State) -> Result<Caller, Problem> {
    let caller = bearer(headers, &state.tokens, (state.now)())?;
    match state.revocations.is_ended(caller.session) {
        Ok(false) => Ok(caller),
        Ok(true) => Err(Problem::session_ended()),
        Err(TooOld) => Err(Problem::unavailable(RETRY_AFTER)),
    }
}

fn bearer(headers: &HeaderMap, tokens: &Tokens, now: OffsetDateTime) -> Result<Caller, Problem> {
    let mut values = headers.get_all(header::AUTHORIZATION);
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(Problem::unauthenticated("an access token is needed"));
    };
    let bearer = value.to_str().ok().and_then(|value| value.split_once(' '));
    let token =
        bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    token
        .and_then(|token| tokens.verify(token, now))
        .ok_or_else(|| Problem::unauthenticated("the access token is malformed, expired or not ours"))
}
