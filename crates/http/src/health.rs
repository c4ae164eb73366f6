//! Is it alive, is it ready, how much has it to do.

use std::{sync::Arc, time::Duration};

use actix_web::{HttpResponse, http::header};
use serde_json::json;
use techsupport_application::{
    Actor, AppError, Budget, Call, Ctx, TraceContext,
    ports::{Backlog, Readiness},
};
use tokio::{sync::Mutex, time::Instant};

use crate::{
    gate::Lane,
    inbound::Inbound,
    metrics::prometheus_text,
    problem::{Kind, Problem},
    routes::Answer,
    state::State,
};

/// What probes remember.
#[derive(Default)]
pub(crate) struct Health {
    /// When the backlog was last asked for.
    asked: Mutex<Option<Instant>>,
}

/// The process answers.
pub(crate) async fn ok(_: Inbound) -> Answer {
    Ok(HttpResponse::Ok().json(json!({"status": "ok"})))
}

/// Everything this process cannot do without is there. Names the first part that is not.
pub(crate) async fn ready(inbound: Inbound) -> Answer {
    let state = inbound.state();
    let missing = |failing: &'static str, detail: &'static str| {
        Err(Problem { failing: Some(failing), ..Problem::new(Kind::NotReady, detail) })
    };
    match probe(state, |ctx| ctx.ports.reader.readiness(&ctx.call.budget)).await {
        Some(Readiness::Ready) => {}
        Some(Readiness::SchemaBehind) => return missing("schema", "the database lacks migrations"),
        None => return missing("database", "the database does not answer"),
    }
    if !state.broker.is_up() {
        return missing("broker", "the broker cannot be reached");
    }
    Ok(HttpResponse::Ok().json(json!({"status": "ok", "database": "ok", "schema": "ok", "broker": "ok"})))
}

/// How long this process has been running and how much memory it holds.
pub(crate) async fn process(inbound: Inbound) -> Answer {
    let uptime = inbound.state().started.elapsed().as_secs();
    Ok(HttpResponse::Ok().json(json!({"uptimeSeconds": uptime, "memoryUsage": {"rss": resident_bytes()}})))
}

/// All metrics, in Prometheus' text format. What the database cannot tell at the moment keeps its last value.
pub(crate) async fn prometheus(inbound: Inbound) -> Answer {
    refresh_backlog(inbound.state()).await;
    let kind = (header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");
    Ok(HttpResponse::Ok().insert_header(kind).body(prometheus_text()))
}

async fn refresh_backlog(state: &State) {
    // Somebody else is asking already: the last values will do.
    let Ok(mut asked) = state.health.asked.try_lock() else { return };
    let fresh_for = Duration::from_millis(state.settings.backlog_refresh_ms);
    if asked.is_some_and(|at| at.elapsed() < fresh_for) {
        return;
    }
    *asked = Some(Instant::now());
    match probe(state, |ctx| ctx.ports.reader.backlog(&ctx.call.budget)).await {
        Some(backlog) => publish(&backlog),
        None => metrics::counter!("backlog_read_failures_total").increment(1),
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts beyond 2^52 are out of reach")]
fn publish(backlog: &Backlog) {
    metrics::gauge!("outbox_pending").set(backlog.outbox_pending as f64);
    metrics::gauge!("outbox_oldest_seconds").set(backlog.outbox_oldest_seconds);
    metrics::gauge!("sla_tickets_set_aside").set(backlog.tickets_set_aside as f64);
    metrics::gauge!("sla_sweep_overdue_seconds").set(backlog.sweep_overdue_seconds);
    metrics::gauge!("deliveries", "state" => "pending").set(backlog.deliveries_pending as f64);
    metrics::gauge!("deliveries", "state" => "dead").set(backlog.deliveries_dead as f64);
}

/// Asks the database, outside of the common queue and for a short time. `None` when there was no answer.
async fn probe<T: Send + 'static>(
    state: &State,
    ask: impl FnOnce(Ctx<'_>) -> Result<T, AppError> + Send + 'static,
) -> Option<T> {
    let limit = Duration::from_millis(state.settings.readiness_timeout_ms);
    let new_id = state.ports.new_id;
    let call = Call {
        actor: Actor::System,
        origin: None,
        trace: TraceContext::start(new_id(), new_id()),
        budget: Arc::new(Budget::lasting(limit)),
    };
    tokio::time::timeout(limit, state.gate.run(Lane::Probe, call, ask)).await.ok()?.ok()
}

/// Resident memory in bytes; `None` where the operating system has no `/proc`.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1_024)
}
