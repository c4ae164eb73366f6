//! The operations of the document, and a server that notices when somebody gets as far as a change.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::{Value, json};
use techsupport_application::AppError;
use techsupport_http::openapi;

use crate::common::{Desk, client::Answer, stubs::StubWork, token};

pub(crate) const ID: &str = "0190c0de-0000-7000-8000-000000000001";

/// One operation of the document.
pub(crate) struct Operation {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) described: Value,
}

impl Operation {
    pub(crate) fn all() -> Vec<Self> {
        let document: Value = serde_json::from_str(openapi()).unwrap();
        let paths = document["paths"].as_object().unwrap();
        let of_path = |(path, item): (&String, &Value)| {
            let methods = item.as_object().unwrap().iter();
            let row = |(method, described): (&String, &Value)| Self {
                method: method.to_uppercase(),
                path: path.clone(),
                described: described.clone(),
            };
            methods.map(row).collect::<Vec<_>>()
        };
        paths.iter().flat_map(of_path).filter(|operation| operation.path.starts_with("/api/")).collect()
    }

    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    pub(crate) fn target(&self) -> String {
        self.path.replace("{id}", ID)
    }

    pub(crate) fn takes_id(&self) -> bool {
        self.path.contains("{id}")
    }

    pub(crate) fn body(&self) -> Option<&Value> {
        self.described.pointer("/requestBody/content/application~1json")
    }

    /// Whether it may come without its body.
    pub(crate) fn needs_body(&self) -> bool {
        self.described["requestBody"]["required"] == true
    }

    pub(crate) fn parameters(&self, place: &str) -> Vec<&Value> {
        let all = self.described["parameters"].as_array().into_iter().flatten();
        all.filter(|parameter| parameter["in"] == place).collect()
    }
}

/// A server that counts how often somebody wants to change something, and changes nothing.
pub(crate) struct Watched {
    pub(crate) desk: Desk,
    pub(crate) changes: Arc<AtomicUsize>,
    pub(crate) bearer: String,
}

impl Watched {
    pub(crate) fn start() -> Self {
        let changes = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&changes);
        let desk = Desk::with(|plan| {
            plan.http.rate_limit.enabled = false;
            plan.work = StubWork(Box::new(move |_| {
                counted.fetch_add(1, Ordering::SeqCst);
                Err(AppError::TimedOut)
            }));
        });
        Self { desk, changes, bearer: format!("Bearer {}", token("ADMIN")) }
    }

    pub(crate) fn send(
        &self,
        operation: &Operation,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut all = vec![("authorization", self.bearer.as_str())];
        all.extend(headers);
        self.desk.call(&operation.method, target, &all, body)
    }

    pub(crate) fn send_json(&self, operation: &Operation, body: &[u8]) -> Answer {
        self.send(operation, &operation.target(), &[("content-type", "application/json")], body)
    }

    /// The answer is a 400 that names this place, and nobody tried to change anything.
    #[track_caller]
    pub(crate) fn assert_refused(&self, answer: &Answer, member: &str, place: &str, what: &str) {
        assert_eq!(answer.status, 400, "{what}: {}", answer.text());
        let problem = answer.problem(400, "invalid-input");
        let errors = problem["errors"].as_array().unwrap_or_else(|| panic!("{what}: {problem}"));
        assert!(errors.iter().any(|error| error[member] == place), "{what} does not name {place}: {problem}");
        self.assert_unchanged(what);
    }

    #[track_caller]
    pub(crate) fn assert_unchanged(&self, what: &str) {
        assert_eq!(self.changes.load(Ordering::SeqCst), 0, "{what} got as far as a change");
    }

    /// Whatever it came to, it was not refused for its form.
    #[track_caller]
    pub(crate) fn assert_taken(&self, answer: &Answer, what: &str) {
        assert!(!matches!(answer.status, 400 | 413 | 415 | 500), "{what}: {}", answer.text());
        self.changes.store(0, Ordering::SeqCst);
    }
}

/// A schema of the document, with everything it may refer to.
pub(crate) struct Schema(Value);

impl Schema {
    pub(crate) fn of(schema: &Value) -> Self {
        let document: Value = serde_json::from_str(openapi()).unwrap();
        let mut whole = json!({"allOf": [schema]});
        whole["components"] = document["components"].clone();
        Self(whole)
    }

    pub(crate) fn validator(&self) -> jsonschema::Validator {
        jsonschema::options().should_validate_formats(true).build(&self.0).unwrap()
    }

    /// The schema itself, after following references.
    pub(crate) fn resolved(&self) -> &Value {
        let mut schema = &self.0["allOf"][0];
        while let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            schema = self.0.pointer(target.trim_start_matches('#')).unwrap();
        }
        schema
    }
}
