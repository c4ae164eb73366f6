//! The recorder of this process's metrics. There is one a process, whoever measures.

use std::{io, sync::OnceLock};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// From a millisecond to the request limit.
const SECONDS: [f64; 16] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0];

static RECORDER: OnceLock<Result<PrometheusHandle, String>> = OnceLock::new();

/// Makes this process record metrics; once, further calls do nothing. What is measured before is lost.
pub fn install_metrics() -> io::Result<()> {
    let installed = RECORDER.get_or_init(|| {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
            .map_err(|error| error.to_string())?;
        let handle = builder.install_recorder().map_err(|error| error.to_string())?;
        describe();
        Ok(handle)
    });
    installed.as_ref().map(drop).map_err(|error| io::Error::other(error.clone()))
}

/// Everything that was measured, in Prometheus' text format.
pub(crate) fn prometheus_text() -> String {
    RECORDER
        .get()
        .and_then(|recorder| recorder.as_ref().ok())
        .map(PrometheusHandle::render)
        .unwrap_or_default()
}

/// Folds what was measured into its buckets. Without it, and without anybody who reads the metrics, memory
/// would grow with every measurement.
pub(crate) fn upkeep() {
    if let Some(Ok(recorder)) = RECORDER.get() {
        recorder.run_upkeep();
    }
}

fn describe() {
    metrics::describe_counter!("http_requests_total", "Requests by method, route and status");
    metrics::describe_histogram!("http_request_duration_seconds", "From the head of a request to its answer");
    metrics::describe_gauge!("http_work_in_flight", "Places taken, by queue; common is the database's");
    metrics::describe_gauge!("http_work_waiting", "Requests that wait for a place, by queue");
    metrics::describe_counter!("http_work_rejected_total", "Requests that found the queue full, by queue");
    metrics::describe_counter!(
        "http_requests_replayed_total",
        "Requests that got the kept answer of an earlier one"
    );
    metrics::describe_gauge!(
        "auth_ended_sessions_known",
        "Ended logins whose access tokens this process still has to turn away"
    );
    metrics::describe_counter!("login_throttled_total", "Attempts to sign in that came too often");
    metrics::describe_counter!(
        "http_rate_limited_total",
        "Requests beyond the rate limit, by user or address"
    );
    metrics::describe_gauge!("events_waiters", "Requests that wait for events");
    metrics::describe_counter!(
        "events_waiters_rejected_total",
        "Requests that found no place to wait for events"
    );
    metrics::describe_gauge!("outbox_pending", "Events that have not been published");
    metrics::describe_gauge!("outbox_oldest_seconds", "How long the oldest of them has been waiting");
    metrics::describe_gauge!("sla_tickets_set_aside", "Tickets the sweep cannot process");
    metrics::describe_gauge!(
        "sla_sweep_overdue_seconds",
        "Age of the oldest SLA step that is due and has not run"
    );
    metrics::describe_gauge!("deliveries", "Deliveries by state");
    metrics::describe_gauge!("dead_letters", "Dead letters that nobody has decided about, by queue");
    metrics::describe_counter!(
        "backlog_read_failures_total",
        "Times the database did not tell the figures above"
    );
    // What first appears as one never rose, for whoever asks how much it did.
    for name in ["http_requests_replayed_total", "login_throttled_total", "backlog_read_failures_total"] {
        metrics::counter!(name).increment(0);
    }
}
