//! What a deadline that has passed means for those who come too late, and for those who are gone.

use serde_json::json;
use techsupport_tests::{Desk, eventually};

use super::{let_two_hours_pass, sweep, tickets};

#[test]
fn a_person_who_answers_too_late_does_not_make_the_breach_disappear() {
    let desk = Desk::with().without_sweep().without_relay().start();
    let (agent, admin) = (desk.agent(), desk.admin());
    let ticket = tickets(&desk, &admin, "VIP", 1)[0];
    let_two_hours_pass(&desk);
    let answer = agent.patch(&format!("/api/tickets/{ticket}/status"), &json!({"status": "IN_PROGRESS"}));
    let now = answer.expect(200).json();
    assert_eq!((&now["status"], &now["escalationLevel"]), (&json!("IN_PROGRESS"), &json!(1)));
    assert_eq!(now["sla"][0]["state"], "BREACHED");
    assert_ne!(now["sla"][0]["stoppedAt"], json!(null));
    let timeline = agent.get(&format!("/api/tickets/{ticket}/timeline")).expect(200).json();
    let told: Vec<(&str, &str)> = timeline["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["action"].as_str().unwrap(), entry["actor"]["kind"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ("CREATED", "USER"),
            ("SLA_BREACHED", "SYSTEM"),
            ("STATUS_CHANGED", "SYSTEM"),
            ("STATUS_CHANGED", "USER")
        ]
    );
    assert_eq!(sweep(&desk.ports(), 10).unwrap().claimed, 0, "there is nothing left to do");
    assert_eq!(desk.database().count("sla_steps"), 1);
}

#[test]
fn an_answered_ticket_never_breaches() {
    let desk = Desk::with().without_sweep().without_relay().start();
    let admin = desk.admin();
    let ticket = tickets(&desk, &admin, "VIP", 1)[0];
    admin.patch(&format!("/api/tickets/{ticket}/status"), &json!({"status": "IN_PROGRESS"})).expect(200);
    let_two_hours_pass(&desk);
    assert_eq!(sweep(&desk.ports(), 10).unwrap().claimed, 0);
    let now = admin.get(&format!("/api/tickets/{ticket}")).expect(200).json();
    assert_eq!(now["sla"][0]["state"], "MET");
}

#[test]
fn a_deleted_ticket_never_breaches_and_is_gone() {
    let desk = Desk::with().without_sweep().without_relay().start();
    let admin = desk.admin();
    let all = tickets(&desk, &admin, "VIP", 2);
    let path = format!("/api/tickets/{}", all[0]);
    assert_eq!(admin.delete(&path).expect(204).body, "");
    let_two_hours_pass(&desk);
    assert_eq!(sweep(&desk.ports(), 10).unwrap().claimed, 1);
    let stepped: Vec<uuid::Uuid> = desk.database().all("SELECT ticket_id FROM sla_steps", &[]);
    assert_eq!(stepped, [all[1]]);
    admin.get(&path).expect_problem(404, "not-found");
    admin.delete(&path).expect_problem(404, "not-found");
    admin.get(&format!("{path}/timeline")).expect_problem(404, "not-found");
    admin
        .patch(&format!("{path}/status"), &json!({"status": "IN_PROGRESS"}))
        .expect_problem(404, "not-found");
    assert_eq!(admin.get("/api/tickets").expect(200).json()["total"], 1);
}

#[test]
fn a_normal_ticket_stays_where_it_is_and_a_supervisor_is_told() {
    let desk = Desk::with().without_sweep().without_relay().start();
    let admin = desk.admin();
    let ticket = tickets(&desk, &admin, "NORMAL", 1)[0];
    desk.age(ticket, 24 * 60 + 30);
    assert_eq!(sweep(&desk.ports(), 10).unwrap().lags.len(), 1);
    let now = admin.get(&format!("/api/tickets/{ticket}")).expect(200).json();
    assert_eq!((&now["status"], &now["escalationLevel"]), (&json!("OPEN"), &json!(0)));
    let body: serde_json::Value =
        desk.database().one("SELECT body FROM outbox WHERE type LIKE '%breached%'", &[]);
    assert_eq!(body["data"]["needsSupervisorNotif"], true);
    assert_eq!(body["data"]["slaHoursElapsed"], 24.5);
}

/// The sweep sleeps for a minute when nothing is due. A deadline that appears meanwhile wakes it.
#[test]
fn a_near_deadline_wakes_the_sweep() {
    let desk = Desk::with().set("SWEEP__POLL_MS", 60_000).start();
    // A warning after two percent of a minute.
    let steps =
        [("RESOLUTION", -1, None, Some(2), "WARN"), ("RESOLUTION", 0, Some(0), None, "NOTIFY_SUPERVISOR")];
    super::policies::install(&desk, &[("RESOLUTION", 1)], &steps);
    let admin = desk.admin();
    // The first look of the sweep is over.
    desk.await_topology();
    let mut opened = 0;
    let mut least_lag = || -> f64 {
        super::policies::open(&desk, &admin, 1);
        opened += 1;
        // The sweep that has warned of one ticket sleeps until that one's deadline, longer than anybody waits here. So it
        // has to be woken, and to sleep until the warning.
        eventually("the warning is given", || desk.database().count("sla_steps") == opened);
        desk.database().one("SELECT min(extract(epoch FROM ran_at - due_at))::float8 FROM sla_steps", &[])
    };
    least_lag();
    // The machine may stand still now and then.
    eventually("a warning is given on time", || least_lag() < 1.0);
    let early = "sla_steps WHERE ran_at < due_at";
    assert_eq!(desk.database().count(early), 0);
}
