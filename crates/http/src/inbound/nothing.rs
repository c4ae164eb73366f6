//! The body of a POST that takes none.

use garde::Validate;
use serde_json::Value;

use super::{Inbound, body, not_a, pointer, shape, strict_json};
use crate::problem::{Kind, Problem};

/// An object without members.
#[derive(serde::Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct NoMembers {}

impl Inbound {
    /// Holds that the body asks for nothing: it is absent, empty or `{}`, which are all the same request to
    /// `Idempotency-Key`. Only a body that is there has to say what it is: 415, 413, 400.
    pub(crate) async fn no_body(&mut self) -> Result<(), Problem> {
        let declared = body::check_type(self.http.headers());
        // What is not declared to be JSON may only be nothing, which is known when it does not come.
        let most = if declared.is_ok() { self.state.settings.max_body_bytes } else { 0 };
        let bytes = match (self.read(most).await, declared) {
            (Err(problem), Err(undeclared)) if problem.kind == Kind::BodyTooLarge => {
                return Err(undeclared.closing());
            }
            (read, _) => read?,
        };
        if bytes.is_empty() {
            return Ok(());
        }
        let strict_json::Parsed { value, findings } = strict_json::read(&bytes)?;
        let Value::Object(members) = value else { return Err(not_a("JSON object")) };
        shape::shape::<NoMembers>(members, findings, pointer).map(drop)
    }
}
