//! The deadline sweep on a real server.

mod late;
pub(crate) mod policies;
mod replicas;
mod trouble;

use std::time::Duration;

use techsupport_application::{AppError, Ctx, Ports, SweepReport, sweep_deadlines};
use techsupport_tests::{Client, Desk, system_call};
use uuid::Uuid;

/// One pass.
pub(crate) fn sweep(ports: &Ports, batch: u32) -> Result<SweepReport, AppError> {
    let call = system_call();
    sweep_deadlines(Ctx::new(ports, &call), batch, Duration::from_mins(1))
}

/// So many tickets of one client of this tier.
fn tickets(desk: &Desk, caller: &Client, tier: &str, count: usize) -> Vec<Uuid> {
    let client = desk.client_of(caller, tier);
    (0..count).map(|_| desk.ticket_for(caller, client)).collect()
}

/// Every ticket two hours and a second older: past the deadline of a VIP.
pub(crate) fn let_two_hours_pass(desk: &Desk) {
    for statement in [
        "UPDATE tickets SET created_at = created_at - interval '7201 s', updated_at = updated_at - interval '7201 s'",
        "UPDATE sla_clocks SET started_at = started_at - interval '7201 s', \
         running_since = running_since - interval '7201 s', due_at = due_at - interval '7201 s', \
         next_step_at = next_step_at - interval '7201 s'",
    ] {
        desk.database().execute(statement, &[]);
    }
}

/// Each of these tickets was escalated once, with one step, one event of each kind and a complete history.
fn assert_each_breached_once(desk: &Desk, count: i64) {
    let database = desk.database();
    assert_eq!(database.count("sla_steps"), count);
    assert_eq!(database.count("outbox WHERE type = 'pro.techsupport.sla.breached.v1'"), count);
    assert_eq!(database.count("outbox WHERE type = 'pro.techsupport.ticket.status_changed.v1'"), count);
    assert_eq!(database.count("ticket_timeline WHERE action = 'SLA_BREACHED' AND actor_id IS NULL"), count);
    assert_eq!(database.count("ticket_timeline WHERE action = 'STATUS_CHANGED' AND actor_id IS NULL"), count);
    let escalated = "tickets WHERE status = 'ESCALATED' AND escalation_level = 1 AND version = 2";
    assert_eq!(database.count(escalated), count);
    assert_eq!(database.count("sla_clocks WHERE state = 'BREACHED' AND next_step_at IS NULL"), count);
}
