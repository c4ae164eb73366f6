//! Tickets that cannot be processed are set aside and reported, and hold up nobody.

use techsupport_tests::{Desk, eventually};
use uuid::Uuid;

use super::{let_two_hours_pass, sweep, tickets};

/// Somebody has written down that the step ran, though the clock says that it did not: the unique key of the
/// step stops every attempt to write it.
fn poison(desk: &Desk, ticket: Uuid) {
    desk.database().execute(
        "INSERT INTO sla_steps (ticket_id, metric, cycle, step, due_at, ran_at, event_id) \
         VALUES ($1, 'FIRST_RESPONSE', 1, 0, now(), now(), gen_random_uuid())",
        &[&ticket],
    );
}

/// A title that no ticket can have.
fn corrupt(desk: &Desk, ticket: Uuid) {
    desk.database().execute("UPDATE tickets SET title = 'x' WHERE id = $1", &[&ticket]);
}

fn set_aside(desk: &Desk) -> Vec<Uuid> {
    let sql = "SELECT ticket_id FROM sla_clocks WHERE set_aside_until > now() ORDER BY ticket_id";
    desk.database().all(sql, &[])
}

#[test]
fn poisoned_tickets_are_set_aside_with_their_reason_and_the_others_go_on() {
    let desk = Desk::with().without_sweep().without_relay().start();
    let all = tickets(&desk, &desk.admin(), "VIP", 12);
    poison(&desk, all[3]);
    corrupt(&desk, all[7]);
    let_two_hours_pass(&desk);
    let ports = desk.ports();
    let mut reported = Vec::new();
    for _ in 0..4 {
        let report = sweep(&ports, 50).unwrap();
        reported.extend(report.set_aside.into_iter().map(|aside| (aside.ticket.uuid(), aside.reason)));
    }
    reported.sort();
    let mut expected = vec![all[3], all[7]];
    expected.sort();
    assert_eq!(reported.iter().map(|(ticket, _)| *ticket).collect::<Vec<_>>(), expected, "{reported:?}");
    assert_eq!(set_aside(&desk), expected);
    assert_eq!(desk.database().count("tickets WHERE status = 'ESCALATED'"), 10);
    assert_eq!(desk.database().count("sla_clocks WHERE set_aside_reason LIKE '%title%'"), 1);
}

#[test]
fn one_poisoned_ticket_does_not_stop_batches_of_one() {
    let desk = Desk::with().without_sweep().without_relay().start();
    let all = tickets(&desk, &desk.admin(), "VIP", 4);
    // The one that waits longest is always claimed first.
    poison(&desk, all[0]);
    let_two_hours_pass(&desk);
    let ports = desk.ports();
    for _ in 0..4 {
        assert_eq!(sweep(&ports, 1).unwrap().claimed, 1);
    }
    assert_eq!(sweep(&ports, 1).unwrap().claimed, 0);
    assert_eq!(desk.database().count("tickets WHERE status = 'ESCALATED'"), 3);
}

/// The whole program: it says so in its metrics, and does the step once the ticket is repaired.
#[test]
fn a_repaired_ticket_breaches_after_all() {
    let desk = Desk::with().set("SWEEP__SET_ASIDE_MS", 300).start();
    let admin = desk.admin();
    let ticket = tickets(&desk, &admin, "VIP", 1)[0];
    corrupt(&desk, ticket);
    let_two_hours_pass(&desk);
    eventually("it is set aside twice", || {
        desk.database().count("sla_clocks WHERE set_aside_count >= 2") == 1
    });
    let metrics = desk.anonymous().get("/metrics").expect(200).body;
    assert!(metrics.lines().any(|line| line.starts_with("sla_tickets_set_aside_total")), "{metrics}");
    desk.database().execute("UPDATE tickets SET title = 'The printer' WHERE id = $1", &[&ticket]);
    eventually("it breaches", || desk.database().count("sla_steps") == 1);
    assert_eq!(admin.get(&format!("/api/tickets/{ticket}")).expect(200).json()["status"], "ESCALATED");
}

/// Nobody who asks for a corrupt ticket sees why it is corrupt, and the list says so too instead of hiding it.
#[test]
fn a_corrupt_ticket_is_an_internal_error_without_details() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let ticket = tickets(&desk, &admin, "VIP", 1)[0];
    corrupt(&desk, ticket);
    let answer = admin.get(&format!("/api/tickets/{ticket}")).expect_problem(500, "internal");
    assert!(!answer.body.contains("title must"), "{}", answer.body);
}
