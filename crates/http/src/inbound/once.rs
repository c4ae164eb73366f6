//! Requests that can be sent again without being done again: `Idempotency-Key`.
//!
//! Every POST below `/api` goes through here, but for those that answer with secrets ([`crate::routes`]). Two
//! requests are the same when caller, method, path and key are; they ask for the same when their bodies are the same
//! JSON value.

use actix_web::{
    HttpResponse,
    http::header::{HeaderMap, HeaderName, HeaderValue},
};
use serde_json::Value;
use sha2::{Digest, Sha256};
use techsupport_application::{
    AppError, Ctx,
    ports::{Fingerprint, RepeatKey},
    repeats::{self, Once, Repeatable},
};

use super::Inbound;
use crate::{
    problem::{InputError, Place, Problem},
    reply::Reply,
};

const NAME: &str = "Idempotency-Key";
const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// An answer that will be the same if the request is sent again. Only [`Inbound::run_once`] makes one, and rows of
/// the table for POST take nothing else.
pub(crate) struct OnceAnswer(HttpResponse);

impl OnceAnswer {
    pub(crate) fn into_response(self) -> HttpResponse {
        self.0
    }
}

impl Inbound {
    /// Runs a use case whose answer is kept when the caller gave the request a key. `render` makes the answer out
    /// of what the use case came to; with a key that happens inside the transaction, which commits both.
    pub(crate) async fn run_once<T: Send + 'static>(
        &self,
        work: impl Fn(Ctx<'_>) -> Result<T, AppError> + Send + 'static,
        render: impl Fn(T) -> Result<Reply, AppError> + Send + 'static,
    ) -> Result<OnceAnswer, Problem> {
        let Some(request) = self.repeatable()? else {
            let reply = render(self.run(work).await?)?;
            return Ok(OnceAnswer(reply.into_response()?));
        };
        let (instance, request_id) = (self.path().to_owned(), self.request_id());
        let once = self
            .run(move |ctx| {
                let refusal = |error: AppError| {
                    Reply::refusal(&Problem::from(error), &instance, &request_id).map(Reply::into_kept)
                };
                let work = |ctx: Ctx<'_>| render(work(ctx)?).map(Reply::into_kept);
                repeats::run_once(ctx, &request, work, refusal)
            })
            .await?;
        let (answer, is_replay) = match once {
            Once::First(answer) => (answer, false),
            Once::Again(answer) => (answer, true),
        };
        let mut response = Reply::from(answer).into_response()?;
        if is_replay {
            metrics::counter!("http_requests_replayed_total").increment(1);
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        }
        Ok(OnceAnswer(response))
    }

    /// What makes this request the same as another one, if its caller wants it to be.
    fn repeatable(&self) -> Result<Option<Repeatable>, Problem> {
        let Some(key) = key(self.http.headers())? else { return Ok(None) };
        let caller = self.caller()?.user.uuid();
        let parts =
            [caller.as_bytes(), self.http.method().as_str().as_bytes(), self.http.path().as_bytes(), key];
        Ok(Some(Repeatable {
            key: RepeatKey(digest(&parts)),
            fingerprint: self.fingerprint.unwrap_or_else(|| fingerprint(&Value::Null)),
            keep_for: self.state.idempotency_lifetime,
        }))
    }
}

/// Whether the caller gave the request a key.
pub(super) fn has_key(headers: &HeaderMap) -> bool {
    headers.contains_key(KEY)
}

fn key(headers: &HeaderMap) -> Result<Option<&[u8]>, Problem> {
    let mut keys = headers.get_all(KEY).map(HeaderValue::as_bytes);
    let Some(key) = keys.next() else { return Ok(None) };
    let is_sound = (1..=255).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic);
    if is_sound && keys.next().is_none() {
        return Ok(Some(key));
    }
    Err(Problem::invalid(vec![InputError {
        place: Place::Header(NAME),
        detail: "must be 1 to 255 visible ASCII characters, once".to_owned(),
    }]))
}

/// What a body asks for. The order of members, white space and the way a character is escaped make no difference;
/// numbers are the same when they are written alike (no route takes another form than whole numbers).
pub(super) fn fingerprint(body: &Value) -> Fingerprint {
    let mut canonical = String::new();
    write(body, &mut canonical);
    Fingerprint(digest(&[canonical.as_bytes()]))
}

/// As deep as the parser goes.
fn write(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for item in items {
                write(item, out);
                out.push(',');
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut sorted: Vec<(&String, &Value)> = members.iter().collect();
            sorted.sort_unstable_by_key(|(name, _)| *name);
            out.push('{');
            for (name, member) in sorted {
                out.push_str(&Value::String(name.clone()).to_string());
                out.push(':');
                write(member, out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            out.push_str(&value.to_string());
        }
    }
}

/// Lengths keep the parts apart.
fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn of(json: &str) -> Fingerprint {
        fingerprint(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn the_same_value_has_the_same_fingerprint_however_it_is_written() {
        let one = of(r#"{"a": [1, {"x": "é", "y": null}], "b": true}"#);
        assert_eq!(one, of("{\"b\":true,\n \"a\":[1,{\"y\":null,\"x\":\"\\u00e9\"}]}"));
        for other in [
            r#"{"a": [1, {"x": "é", "y": null}]}"#,
            r#"{"a": [{"x": "é", "y": null}, 1], "b": true}"#,
            r#"{"a": ["1", {"x": "é", "y": null}], "b": true}"#,
            r#"{"a": [1, {"x": "é"}], "b": true}"#,
            r#"{"a": [2, {"x": "é", "y": null}], "b": true}"#,
        ] {
            assert_ne!(one, of(other), "{other}");
        }
        assert_ne!(of(r#"{"a": "b\":\"c"}"#), of(r#"{"a\":\"b": "c"}"#));
        assert_ne!(of("[[1],2]"), of("[[1,2]]"));
    }

    #[test]
    fn keys_are_1_to_255_visible_characters_and_given_once() {
        let headers = |keys: &[&str]| {
            let mut headers = HeaderMap::new();
            for key in keys {
                headers.append(KEY, HeaderValue::from_str(key).unwrap());
            }
            headers
        };
        assert_eq!(key(&HeaderMap::new()).unwrap(), None);
        let longest = "~".repeat(255);
        for sound in ["!", "\"quoted\"", &longest] {
            assert_eq!(key(&headers(&[sound])).unwrap(), Some(sound.as_bytes()));
        }
        for wrong in [&[""][..], &["a b"], &["é"], &["a\tb"], &["a", "a"], &[&"~".repeat(256)]] {
            let problem = key(&headers(wrong)).unwrap_err();
            assert_eq!(problem.errors[0].place, Place::Header(NAME), "{wrong:?}");
        }
    }

    #[test]
    fn parts_are_kept_apart() {
        assert_ne!(digest(&[b"ab", b"c"]), digest(&[b"a", b"bc"]));
    }
}
