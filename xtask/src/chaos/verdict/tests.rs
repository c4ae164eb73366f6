//! The checker keeps quiet about a good run, and notices every way in which one can be bad.

use super::super::evidence::database::{Delivery, Event, Inbox, Step, Ticket};
use super::super::evidence::{Evidence, Log, Records};
use super::{BREACHED, Verdict};

const TICKETS: [&str; 3] = ["t1", "t2", "t3"];

fn line(ticket: &str, event: &str) -> String {
    format!(
        r#"{{"type":"SLA_ESCALATED","ticketId":"{ticket}","eventId":"{event}","time":"2026-01-01T00:00:00Z"}}"#
    )
}

fn log(lines: &[String]) -> Log {
    Log::parse(&lines.join("\n"))
}

fn lines() -> Vec<String> {
    TICKETS.iter().map(|ticket| line(ticket, &event_of(ticket))).collect()
}

fn event_of(ticket: &str) -> String {
    ticket.replace('t', "e")
}

fn good() -> Evidence {
    let of_each = |ticket: &&str| (String::from(*ticket), event_of(ticket));
    let records = Records {
        steps: TICKETS
            .iter()
            .map(of_each)
            .map(|(ticket, event)| Step {
                ticket,
                metric: "FIRST_RESPONSE".into(),
                cycle: 1,
                key: 0,
                event,
                due_us: 0,
            })
            .collect(),
        events: TICKETS
            .iter()
            .map(of_each)
            .map(|(ticket, id)| Event {
                kind: BREACHED.into(),
                published: true,
                created_us: 0,
                document_id: Some(id.clone()),
                document_ticket: Some(ticket.clone()),
                id,
                ticket,
            })
            .collect(),
        deliveries: TICKETS
            .iter()
            .map(of_each)
            .map(|(_, event)| Delivery {
                event,
                channel: "log".into(),
                state: "DELIVERED".into(),
                attempts: 1,
            })
            .collect(),
        inbox: TICKETS.iter().map(of_each).map(|(_, event)| Inbox { event }).collect(),
        tickets: TICKETS
            .iter()
            .map(of_each)
            .map(|(id, _)| Ticket {
                id,
                status: "ESCALATED".into(),
                version: 2,
                moments: 2,
                entries: 3,
                events: 3,
                told: 3,
                escalations: 1,
                set_aside: false,
            })
            .collect(),
        unpublished: 0,
        dead_letters: 0,
    };
    let expected = TICKETS.iter().map(|ticket| String::from(*ticket)).collect();
    let left = vec![("sla-events".to_owned(), 0), ("sla-events.dlq".to_owned(), 0)];
    Evidence { expected, records, log: log(&lines()), left }
}

/// What is said when the evidence is changed in one respect.
fn after(change: impl FnOnce(&mut Evidence)) -> Verdict {
    let mut evidence = good();
    change(&mut evidence);
    Verdict::of(&evidence)
}

#[track_caller]
fn assert_found(change: impl FnOnce(&mut Evidence), words: &str) {
    let verdict = after(change);
    assert!(
        verdict.differences.iter().any(|difference| difference.contains(words)),
        "{words}: {:?}",
        verdict.differences
    );
}

#[test]
fn a_run_that_kept_the_promise_is_not_objected_to() {
    assert_eq!(after(|_| ()), Verdict::default());
}

#[test]
fn lost_doubled_and_foreign_lines_are_found() {
    let lost = after(|evidence| evidence.log = log(&lines()[1..]));
    assert_eq!((lost.lost, lost.doubled), (1, 0));
    assert!(lost.differences[0].contains("the line about is missing: t1"), "{:?}", lost.differences);

    let doubled = after(|evidence| evidence.log = log(&[lines(), lines()[..1].to_vec()].concat()));
    assert_eq!((doubled.lost, doubled.doubled), (0, 1));

    let again = line("t1", "e9");
    assert_found(|evidence| evidence.log = log(&[lines(), vec![again]].concat()), "more than once: t1");
    let foreign = line("t9", "e9");
    assert_found(|evidence| evidence.log = log(&[lines(), vec![foreign]].concat()), "not be there: t9");
    let other = lines()[0].replace("SLA_ESCALATED", "SLA_WARNING");
    assert_found(|evidence| evidence.log = log(&[lines(), vec![other]].concat()), "SLA_WARNING about t1");
    let swapped = [line("t1", "e2"), line("t2", "e1"), line("t3", "e3")];
    assert_found(|evidence| evidence.log = log(&swapped), "another ticket than its event: e2, e1");
}

#[test]
fn a_torn_line_has_told_nobody_and_two_that_ran_together_neither() {
    let mut torn = lines();
    torn[2].truncate(50);
    assert_found(|evidence| evidence.log = log(&torn), "the line about is missing: t3");
    let mixed = [lines()[0].clone(), lines()[1..].concat()];
    assert_eq!(after(|evidence| evidence.log = log(&mixed)).lost, 2);
    // A fragment beside the complete line is no second effect.
    let repaired = [lines(), vec![torn[2].clone()]].concat();
    assert_eq!(after(|evidence| evidence.log = log(&repaired)), Verdict::default());
}

#[test]
fn rows_that_are_missing_or_too_many_are_found() {
    assert_found(|e| drop(e.records.steps.pop()), "the step of is missing: t3");
    assert_found(|e| drop(e.records.events.pop()), "the event about is missing: t3");
    assert_found(|e| drop(e.records.deliveries.pop()), "the delivery of the event is missing: e3");
    assert_found(|e| drop(e.records.inbox.pop()), "the inbox row of the event is missing: e3");
    assert_found(|e| drop(e.records.tickets.pop()), "the ticket is missing: t3");
    assert_found(|e| e.records.steps.push(e.records.steps[0].clone()), "the step of is there more than once");
    assert_found(
        |e| e.records.events.push(e.records.events[0].clone()),
        "the event about is there more than",
    );
    assert_found(
        |e| e.records.deliveries.push(e.records.deliveries[0].clone()),
        "the delivery of the event is",
    );
}

#[test]
fn rows_that_say_something_else_are_found() {
    assert_found(|e| e.records.steps[0].key = 1, "other than the first breach was run: t1");
    assert_found(|e| e.records.steps[0].event = "e9".into(), "the event e1 is not the one");
    assert_found(|e| e.records.events[0].published = false, "the event e1 is not published");
    assert_found(|e| e.records.events[0].document_id = None, "the document of the event e1");
    assert_found(|e| e.records.events[0].kind = "other".into(), "the event e1 is a other");
    assert_found(|e| e.records.deliveries[0].state = "DEAD".into(), "did not reach the log: e1 (log, DEAD");
    assert_found(|e| e.records.unpublished = 4, "4 events of the outbox");
    assert_found(|e| e.records.dead_letters = 3, "3 messages were given up");
    assert_found(|e| e.left[1].1 = 2, "2 messages are left in the queue sla-events.dlq");
}

#[test]
fn tickets_whose_history_does_not_add_up_are_found() {
    assert_found(|e| e.records.tickets[0].status = "OPEN".into(), "the ticket t1 is OPEN");
    assert_found(|e| e.records.tickets[0].escalations = 2, "escalated 2 times");
    assert_found(|e| e.records.tickets[0].version = 3, "version 3 after 2 changes");
    assert_found(|e| e.records.tickets[0].entries = 4, "4 entries in its timeline, 3 events");
    assert_found(|e| e.records.tickets[0].told = 2, "2 of them the same");
    assert_found(|e| e.records.tickets[0].set_aside = true, "set aside");
}
