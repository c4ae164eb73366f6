//! One line and one count for every request, however it ends.

use std::time::{Duration, Instant};

use techsupport_domain::{Role, UserId};

use crate::inbound::Identity;

/// The caller went away before there was an answer: nginx's status for it. Never sent.
const CLOSED_BY_CALLER: u16 = 499;
const NO_SUCH_METHOD: u16 = 405;

/// What the application finds out about a request on its way.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Note {
    pub(crate) caller: Option<(UserId, Role)>,
    /// The caller closed its side of the connection.
    pub(crate) gone: bool,
}

/// Writes the line when it is dropped, so that a request that is cut off has one too.
pub(super) struct AccessLog {
    identity: Identity,
    method: String,
    raw_path: String,
    started: Instant,
    route: Option<String>,
    status: u16,
    note: Note,
}

impl AccessLog {
    /// A line for a request that has just arrived. `raw_path` without the query, which may hold anything.
    pub(super) fn begin(identity: Identity, method: &str, raw_path: &str) -> Self {
        Self {
            identity,
            method: method.to_owned(),
            raw_path: raw_path.to_owned(),
            started: Instant::now(),
            route: None,
            status: CLOSED_BY_CALLER,
            note: Note::default(),
        }
    }

    /// It was answered.
    pub(super) fn answered(&mut self, status: u16, route: Option<String>, note: Note) {
        self.status = if note.gone { CLOSED_BY_CALLER } else { status };
        self.route = route;
        self.note = note;
    }
}

impl Drop for AccessLog {
    fn drop(&mut self) {
        let took = self.started.elapsed();
        let route = self.route.take().unwrap_or_else(|| "-".to_owned());
        // Unknown paths and methods, and known ones that do not belong together, share one label: the outside
        // must not be able to make new ones. Nor has time a label for each status: buckets are many.
        let label = if self.status == NO_SUCH_METHOD { "-".to_owned() } else { route.clone() };
        let method = known_method(&self.method);
        metrics::counter!("http_requests_total",
            "method" => method, "route" => label.clone(), "status" => self.status.to_string())
        .increment(1);
        metrics::histogram!("http_request_duration_seconds", "method" => method, "route" => label)
            .record(took);
        let user = self.note.caller.map(|(user, _)| user.to_string());
        tracing::info!(
            "type" = "http_request",
            method = self.method,
            path = route,
            rawPath = self.raw_path,
            status = self.status,
            duration_ms = milliseconds(took),
            userId = user,
            userRole = self.note.caller.map(|(_, role)| role.name()),
            requestId = &*self.identity.request_id,
            traceId = self.identity.trace.trace_id(),
            "request answered"
        );
    }
}

/// To the microsecond: more digits are noise.
pub(crate) fn milliseconds(took: Duration) -> f64 {
    f64::from(u32::try_from(took.as_micros()).unwrap_or(u32::MAX)) / 1_000.0
}

fn known_method(method: &str) -> &'static str {
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
        .into_iter()
        .find(|known| *known == method)
        .unwrap_or("other")
}
