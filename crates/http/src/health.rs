//! Is it alive, is it ready, how much has it to do.

use std::{sync::Arc, time::Duration};

use actix_web::{HttpResponse, http::header};
use serde::Serialize;
use techsupport_application::{
    Actor, AppError, Budget, Call, Ctx, TraceContext,
    dead_letters::QUEUES,
    ports::{Backlog, Readiness},
};
use tokio::{sync::Mutex, time::Instant};
use utoipa::ToSchema;

use crate::{
    gate::Lane,
    inbound::Inbound,
    openapi::{Operation, Tag, terms},
    problem::{Kind, Problem},
    routes::Answer,
    state::State,
};

const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
const OK: &str = "ok";
const ALIVE: AliveDto = AliveDto { status: OK };
const READY: ReadyDto = ReadyDto { status: OK, database: OK, schema: OK, broker: OK };

#[derive(Serialize, ToSchema)]
#[schema(as = Alive)]
struct AliveDto {
    #[schema(required, schema_with = terms::ok)]
    status: &'static str,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Ready)]
struct ReadyDto {
    #[schema(required, schema_with = terms::ok)]
    status: &'static str,
    #[schema(required, schema_with = terms::ok)]
    database: &'static str,
    #[schema(required, schema_with = terms::ok)]
    schema: &'static str,
    #[schema(required, schema_with = terms::ok)]
    broker: &'static str,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Process)]
struct ProcessDto {
    #[schema(required, schema_with = terms::count)]
    uptime_seconds: u64,
    memory_usage: MemoryDto,
}

#[derive(Serialize, ToSchema)]
#[schema(as = MemoryUsage)]
struct MemoryDto {
    /// Resident memory, where the operating system tells.
    #[schema(required, schema_with = terms::or_null::count)]
    rss: Option<u64>,
}

/// What probes remember.
#[derive(Default)]
pub(crate) struct Health {
    /// When the backlog was last asked for.
    asked: Mutex<Option<Instant>>,
}

/// The process answers.
pub(crate) async fn ok(_: Inbound) -> Answer {
    Ok(HttpResponse::Ok().json(ALIVE))
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
    // The look for ended logins has a connection of its own: this one can be back before.
    if state.revocations.are_too_old() {
        return missing("database", "nobody can tell at the moment which logins have ended");
    }
    if !state.broker.is_up() {
        return missing("broker", "the broker cannot be reached");
    }
    Ok(HttpResponse::Ok().json(READY))
}

/// How long this process has been running and how much memory it holds.
pub(crate) async fn process(inbound: Inbound) -> Answer {
    let uptime = inbound.state().started.elapsed().as_secs();
    let memory_usage = MemoryDto { rss: resident_bytes() };
    Ok(HttpResponse::Ok().json(ProcessDto { uptime_seconds: uptime, memory_usage }))
}

/// All metrics, in Prometheus' text format. What the database cannot tell at the moment keeps its last value.
pub(crate) async fn prometheus(inbound: Inbound) -> Answer {
    refresh_backlog(inbound.state()).await;
    let kind = (header::CONTENT_TYPE, PROMETHEUS_TEXT);
    Ok(HttpResponse::Ok().insert_header(kind).body((inbound.state().metrics)()))
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

/// What queues that this release does not know are called together.
const OTHER_QUEUES: &str = "other";

#[expect(clippy::cast_precision_loss, reason = "counts beyond 2^52 are out of reach")]
fn publish(backlog: &Backlog) {
    metrics::gauge!("outbox_pending").set(backlog.outbox_pending as f64);
    metrics::gauge!("outbox_oldest_seconds").set(backlog.outbox_oldest_seconds);
    metrics::gauge!("sla_tickets_set_aside").set(backlog.tickets_set_aside as f64);
    metrics::gauge!("sla_sweep_overdue_seconds").set(backlog.sweep_overdue_seconds);
    metrics::gauge!("deliveries", "state" => "pending").set(backlog.deliveries_pending as f64);
    metrics::gauge!("deliveries", "state" => "dead").set(backlog.deliveries_dead as f64);
    metrics::gauge!("report_changes_waiting").set(backlog.unsummed_changes as f64);
    // Those of queues of another release together: whoever is warned of dead letters has to hear of them as well.
    for queue in QUEUES.into_iter().chain([OTHER_QUEUES]) {
        let belongs =
            |name: &str| if queue == OTHER_QUEUES { !QUEUES.contains(&name) } else { name == queue };
        let dead: i64 =
            backlog.dead_letters.iter().filter(|(name, _)| belongs(name)).map(|(_, dead)| dead).sum();
        metrics::gauge!("dead_letters", "queue" => queue).set(dead as f64);
    }
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

pub(crate) fn ok_docs() -> Operation {
    Operation::new("health", Tag::Health, "Whether the service answers").answers(200, "It does.", Some(ALIVE))
}

pub(crate) fn live_docs() -> Operation {
    Operation::new("live", Tag::Health, "Whether the process lives").answers(200, "It does.", Some(ALIVE))
}

pub(crate) fn ready_docs() -> Operation {
    Operation::new("ready", Tag::Health, "Whether everything it needs is there")
        .about("Database, its schema and the broker; names the first that is missing.")
        .answers(200, "It is.", Some(READY))
        .refuses(Kind::NotReady)
}

pub(crate) fn process_docs() -> Operation {
    let sample = ProcessDto { uptime_seconds: 86_400, memory_usage: MemoryDto { rss: Some(50_331_648) } };
    Operation::new("processMetrics", Tag::Health, "How the process is doing").answers(
        200,
        "Figures.",
        Some(sample),
    )
}

pub(crate) fn prometheus_docs() -> Operation {
    Operation::new("prometheusMetrics", Tag::Health, "All metrics").sends(
        200,
        "Prometheus' text format.",
        &[PROMETHEUS_TEXT],
    )
}
