//! A caller of the API.

use serde_json::Value;
use ureq::{
    Agent,
    http::{HeaderMap, Request},
};
use uuid::Uuid;

use crate::conformance;

/// Somebody who calls the API, signed in or not.
#[derive(Debug, Clone)]
pub struct Client {
    agent: Agent,
    base: String,
    token: Option<String>,
    headers: Vec<(String, String)>,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The fields of its head.
    pub headers: HeaderMap,
    /// The body as text.
    pub body: String,
    asked: String,
}

impl Client {
    /// Somebody without a token.
    pub(crate) fn anonymous(base: String) -> Self {
        let config =
            Agent::config_builder().http_status_as_error(false).timeout_global(Some(crate::LIMIT)).build();
        Self { agent: config.into(), base, token: None, headers: Vec::new() }
    }

    /// The same caller with this access token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same caller, who sends one more header from now on.
    #[must_use]
    pub fn with_header(&self, name: &str, value: &str) -> Self {
        let mut headers = self.headers.clone();
        headers.push((name.to_owned(), value.to_owned()));
        Self { headers, ..self.clone() }
    }

    /// The same caller at another replica, by its address.
    #[must_use]
    pub fn at(&self, address: &str) -> Self {
        Self { base: format!("http://{address}"), ..self.clone() }
    }

    /// The access token.
    pub fn token(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    /// Asks for a path, with its query.
    pub fn get(&self, path: &str) -> Answer {
        self.call("GET", path, None)
    }

    /// Sends a JSON body.
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.call("POST", path, Some(body))
    }

    /// Sends a JSON body.
    pub fn patch(&self, path: &str, body: &Value) -> Answer {
        self.call("PATCH", path, Some(body))
    }

    /// Deletes.
    pub fn delete(&self, path: &str) -> Answer {
        self.call("DELETE", path, None)
    }

    /// Calls with any method.
    pub fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let text = body.map(Value::to_string);
        self.send(method, path, text.as_deref(), "application/json")
    }

    /// Sends any text as any type.
    pub fn send(&self, method: &str, path: &str, body: Option<&str>, content_type: &str) -> Answer {
        self.send_any(method, path, body.map(str::as_bytes), content_type)
    }

    /// Sends any bytes as any type.
    pub fn send_bytes(&self, method: &str, path: &str, body: &[u8], content_type: &str) -> Answer {
        self.send_any(method, path, Some(body), content_type)
    }

    fn send_any(&self, method: &str, path: &str, body: Option<&[u8]>, content_type: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let sent = match body {
            Some(body) => {
                self.agent.run(request.header("content-type", content_type).body(body.to_vec()).unwrap())
            }
            None => self.agent.run(request.body(()).unwrap()),
        };
        let asked = format!("{method} {path}");
        let mut answer = sent.unwrap_or_else(|error| panic!("{asked}: {error}"));
        let answer = Answer {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            body: answer.body_mut().read_to_string().unwrap(),
            asked,
        };
        conformance::check(conformance::Seen {
            method,
            target: path,
            status: answer.status,
            content_type: answer.header("content-type"),
            headers: &answer.headers.keys().map(|name| name.as_str().to_owned()).collect::<Vec<_>>(),
            body: answer.body.as_bytes(),
        });
        answer
    }
}

impl Answer {
    /// Fails the test unless this is the status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.asked, self.body);
        self
    }

    /// Fails the test unless this is a problem document of this status and kind (the end of its `type`),
    /// complete and true to the answer it is in.
    #[track_caller]
    pub fn expect_problem(self, status: u16, kind: &str) -> Self {
        let answer = self.expect(status);
        let problem = answer.json();
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{}", answer.asked);
        let slug = problem["type"].as_str().unwrap_or_default().rsplit(['/', ':', '#']).next();
        assert_eq!(slug, Some(kind), "{}: {problem}", answer.asked);
        assert_eq!(problem["status"], status);
        for member in ["title", "detail", "requestId"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {problem}");
        }
        assert_eq!(problem["message"], problem["detail"]);
        let path = answer.asked.split(' ').nth(1).and_then(|path| path.split('?').next());
        assert_eq!(problem["instance"].as_str(), path);
        assert_eq!(problem["requestId"].as_str(), answer.header("x-request-id"));
        answer
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{}: no JSON: {}", self.asked, self.body))
    }

    /// A field of the head.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The member `id`.
    #[track_caller]
    pub fn id(&self) -> Uuid {
        self.json()["id"].as_str().and_then(|id| id.parse().ok()).expect("an id")
    }
}
