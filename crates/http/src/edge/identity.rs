//! Which request this is, and which trace it belongs to.

use std::sync::Arc;

use actix_web::http::header::{HeaderMap, HeaderName};
use techsupport_application::{Budget, TraceContext};

use crate::{inbound::Identity, state::State};

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static(crate::wire::MARK);
pub(super) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Names the request and starts its clock.
pub(super) fn identify(headers: &HeaderMap, state: &State) -> Identity {
    let new_id = state.ports.new_id;
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok()).filter(|id| is_sane(id));
    let parent = headers.get(TRACEPARENT).and_then(|value| value.to_str().ok()).and_then(TraceContext::parse);
    Identity {
        request_id: given.map_or_else(|| Arc::from(new_id().to_string()), Arc::from),
        trace: match parent {
            Some(parent) => parent.child(new_id()),
            None => TraceContext::start(new_id(), new_id()),
        },
        budget: Arc::new(Budget::lasting(state.settings.request_timeout())),
    }
}

/// 1 to 128 characters that do no harm in a log or a header.
fn is_sane(id: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':');
    (1..=128).contains(&id.len()) && id.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_request_ids_are_kept() {
        for sane in ["a", "0a-B_c.d:e", &"x".repeat(128)] {
            assert!(is_sane(sane), "{sane}");
        }
        for wrong in ["", " ", "a b", "é", "a\"b", "a/b", &"x".repeat(129)] {
            assert!(!is_sane(wrong), "{wrong}");
        }
    }
}
