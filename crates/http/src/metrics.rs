//! What is counted here, and by the probes of the database.

/// Says what each figure means, and begins to count at zero: what first appears as one never rose. To be called
/// once a recorder is installed.
pub fn describe_metrics() {
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
    metrics::describe_gauge!("dead_letters", "Dead letters that are not back in their queue, by queue");
    metrics::describe_gauge!(
        "report_changes_waiting",
        "Changes of imported tickets that wait to be moved into the sums of reports; 100,000 are that many or more"
    );
    metrics::describe_counter!(
        "backlog_read_failures_total",
        "Times the database did not tell the figures above"
    );
    for name in ["http_requests_replayed_total", "login_throttled_total", "backlog_read_failures_total"] {
        metrics::counter!(name).increment(0);
    }
}
