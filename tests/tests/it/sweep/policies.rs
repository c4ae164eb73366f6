//! Policies as data: the most specific one, several steps, both metrics.

use std::time::Duration;

use serde_json::{Value, json};
use techsupport_application::{Budget, ports::UnitOfWorkExt};
use techsupport_domain::{ClientId, ClientTier, sla::default_policy, ticket::Priority};
use techsupport_tests::{Client, Desk};
use uuid::Uuid;

use super::sweep;

/// Metric, step, minutes from the deadline or percent of the target, action.
type StepRow = (&'static str, i16, Option<i32>, Option<i16>, &'static str);

/// A policy for urgent tickets of NORMAL clients.
pub(crate) fn install(desk: &Desk, targets: &[(&str, i32)], steps: &[StepRow]) {
    let policy = "WITH policy AS (INSERT INTO sla_policies (id, name, client_tier, priority) \
                  VALUES (gen_random_uuid(), 'urgent', 'NORMAL', 1) RETURNING id) \
                  INSERT INTO sla_policy_versions (id, policy_id, version, calendar) \
                  SELECT gen_random_uuid(), id, 1, '24X7' FROM policy RETURNING id";
    let version: Uuid = desk.database().one(policy, &[]);
    for (metric, minutes) in targets {
        let row = "INSERT INTO sla_policy_targets VALUES ($1, $2, $3)";
        desk.database().execute(row, &[&version, metric, minutes]);
    }
    for (metric, step, offset, percent, action) in steps {
        let row = "INSERT INTO sla_policy_steps VALUES ($1, $2, $3, $4, $5, $6)";
        desk.database().execute(row, &[&version, metric, step, offset, percent, action]);
    }
}

/// An hour to answer, two hours to resolve with a warning at half of them and at ten minutes before, and two
/// steps after the breach.
fn install_long_policy(desk: &Desk) {
    install(
        desk,
        &[("FIRST_RESPONSE", 60), ("RESOLUTION", 120)],
        &[
            ("FIRST_RESPONSE", 0, Some(0), None, "NOTIFY_SUPERVISOR"),
            ("RESOLUTION", -2, None, Some(50), "WARN"),
            ("RESOLUTION", -1, Some(-10), None, "WARN"),
            ("RESOLUTION", 0, Some(0), None, "ESCALATE"),
            ("RESOLUTION", 1, Some(60), None, "ESCALATE"),
            ("RESOLUTION", 2, Some(120), None, "ESCALATE"),
        ],
    );
}

/// Opens a ticket of this priority for a NORMAL client.
pub(super) fn open(desk: &Desk, caller: &Client, priority: u8) -> Uuid {
    let client = desk.client_of(caller, "NORMAL");
    let body =
        json!({"title": "Down", "description": "All of it.", "clientId": client, "priority": priority});
    caller.post("/api/tickets", &body).expect(201).id()
}

fn clocks(caller: &Client, ticket: Uuid) -> Vec<(Value, Value, Value)> {
    let ticket = caller.get(&format!("/api/tickets/{ticket}")).expect(200).json();
    let clocks = ticket["sla"].as_array().unwrap().iter();
    clocks.map(|c| (c["metric"].clone(), c["targetMinutes"].clone(), c["state"].clone())).collect()
}

/// They are written twice, as rows of a migration and as a rule of the domain, which its tests rely on.
#[test]
fn the_installed_policies_are_the_defaults_of_the_domain() {
    let desk = Desk::with().without_sweep().start();
    let (admin, ports) = (desk.admin(), desk.ports());
    for tier in ClientTier::ALL {
        let client = ClientId::new(desk.client_of(&admin, tier.name()));
        for priority in 1..=4 {
            let priority = Priority::parse(priority).unwrap();
            let budget = Budget::lasting(Duration::from_mins(1));
            let opening = ports.work.run_for(&budget, |tx| tx.opening(client, priority)).unwrap().unwrap();
            assert_eq!(opening.tier, tier);
            assert_eq!(opening.policy, default_policy(opening.policy.version, tier));
        }
    }
}

#[test]
fn the_most_specific_policy_wins() {
    let desk = Desk::with().without_sweep().start();
    install_long_policy(&desk);
    let admin = desk.admin();
    let running = json!("RUNNING");
    assert_eq!(
        clocks(&admin, open(&desk, &admin, 1)),
        [
            (json!("FIRST_RESPONSE"), json!(60), running.clone()),
            (json!("RESOLUTION"), json!(120), running.clone())
        ]
    );
    assert_eq!(clocks(&admin, open(&desk, &admin, 2)), [(json!("FIRST_RESPONSE"), json!(1_440), running)]);
}

#[test]
fn every_step_of_a_long_policy_runs_once_in_its_order() {
    let desk = Desk::with().without_sweep().without_relay().start();
    install_long_policy(&desk);
    let admin = desk.admin();
    let ticket = open(&desk, &admin, 1);
    let ports = desk.ports();
    let path = format!("/api/tickets/{ticket}/status");
    admin.patch(&path, &json!({"status": "IN_PROGRESS"})).expect(200);
    // 61, 111, 121, 181, 241 minutes since the beginning.
    for (passed, state) in
        [(61, "WARNED"), (50, "WARNED"), (10, "BREACHED"), (60, "BREACHED"), (60, "BREACHED")]
    {
        desk.age(ticket, passed);
        assert_eq!(sweep(&ports, 10).unwrap().lags.len(), 1);
        assert_eq!(clocks(&admin, ticket)[1].2, state);
    }
    assert_eq!(sweep(&ports, 10).unwrap().claimed, 0);
    let steps: Vec<i16> = desk.database().all("SELECT step FROM sla_steps ORDER BY ran_at", &[]);
    assert_eq!(steps, [-2, -1, 0, 1, 2]);
    let actions = "SELECT action FROM ticket_timeline WHERE actor_id IS NULL ORDER BY at, id";
    assert_eq!(
        desk.database().all::<String>(actions, &[]),
        [
            "SLA_WARNED",
            "SLA_WARNED",
            "SLA_BREACHED",
            "STATUS_CHANGED",
            "SLA_ESCALATED",
            "STATUS_CHANGED",
            "SLA_ESCALATED",
            "STATUS_CHANGED",
        ]
    );
    let now = admin.get(&format!("/api/tickets/{ticket}")).expect(200).json();
    assert_eq!(now["escalationLevel"], 3);
}

/// Waiting for the client, and the time after a resolution, are not counted; a reopened breach breaches anew.
#[test]
fn pauses_are_not_counted_and_a_reopened_breach_is_a_new_cycle() {
    let desk = Desk::with().without_sweep().without_relay().start();
    install_long_policy(&desk);
    let admin = desk.admin();
    let ticket = open(&desk, &admin, 1);
    let ports = desk.ports();
    let to = |status: &str| {
        admin.patch(&format!("/api/tickets/{ticket}/status"), &json!({"status": status})).expect(200)
    };
    to("IN_PROGRESS");
    desk.age(ticket, 30);
    to("WAITING");
    assert_eq!(clocks(&admin, ticket)[1].2, "PAUSED");
    desk.age(ticket, 10_000);
    assert_eq!(sweep(&ports, 10).unwrap().claimed, 0, "waiting is not counted");
    to("IN_PROGRESS");
    desk.age(ticket, 29);
    assert_eq!(sweep(&ports, 10).unwrap().claimed, 0, "59 minutes are counted");
    desk.age(ticket, 62);
    assert_eq!(sweep(&ports, 10).unwrap().lags.len(), 3, "two warnings and the breach");
    to("RESOLVED");
    desk.age(ticket, 10_000);
    assert_eq!(sweep(&ports, 10).unwrap().claimed, 0);
    to("IN_PROGRESS");
    // Its deadline passed long ago: the breach of the second cycle is part of the reopening.
    assert_eq!(sweep(&ports, 10).unwrap().claimed, 0, "nothing is left for the sweep");
    let breaches = "SELECT cycle FROM sla_steps WHERE step = 0 ORDER BY cycle";
    assert_eq!(desk.database().all::<i16>(breaches, &[]), [1, 2]);
}
