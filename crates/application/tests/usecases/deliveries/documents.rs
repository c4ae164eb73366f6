//! What comes out of the queue, sane or not.

use techsupport_application::{deliveries::Verdict, events::EventType, ports::Notification};

use super::{BREACH, WARNING, deliver, event, in_inbox};
use crate::fakes::{Desk, FakeChannel};

#[test]
fn a_breach_arrives_with_everything_a_person_needs() {
    let (desk, log) = (Desk::new(), FakeChannel::new("log", []));
    assert_eq!(deliver(&desk, &[&log], BREACH), Verdict::Done);
    let [parcel] = &log.parcels()[..] else { panic!("one parcel") };
    assert_eq!(parcel.event, event());
    assert_eq!(parcel.traceparent, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    assert_eq!(parcel.notification.event_type(), EventType::SlaBreached);
    let Notification::Breach(breach) = &parcel.notification else { panic!("a breach") };
    assert_eq!((breach.number.as_str(), breach.escalation_level), ("TS-1042", 1));
    assert!(in_inbox(&desk));
}

#[test]
fn a_document_without_a_trace_or_with_members_of_later_versions_is_read() {
    let (desk, log) = (Desk::new(), FakeChannel::new("log", []));
    let newer = WARNING.replacen('{', r#"{"invented": {"later": true},"#, 1);
    assert_eq!(deliver(&desk, &[&log], &newer), Verdict::Done);
    assert_eq!(log.parcels()[0].notification.event_type(), EventType::SlaWarning);
}

#[test]
fn what_was_delivered_is_not_delivered_again() {
    let (desk, log) = (Desk::new(), FakeChannel::new("log", []));
    for _ in 0..3 {
        assert_eq!(deliver(&desk, &[&log], BREACH), Verdict::Done);
    }
    assert_eq!(log.attempts(), [1]);
}

/// Only a copy of our own document can be delivered; anything else is for an administrator to look at.
#[test]
fn what_cannot_be_read_is_dead_at_once() {
    let no_document = "not a CloudEvents document: ";
    for (body, begins) in [
        ("", no_document),
        ("null", no_document),
        ("{\"id\": 7}", no_document),
        (&*BREACH.replace("01990000-0000-7000-8000-000000000001", "seven"), no_document),
        (&*BREACH.replace("2026-02-12T22:45:23.123Z\",\n  \"data", "yesterday\",\n  \"data"), no_document),
        (
            &*BREACH.replace("breached.v1", "breached.v2"),
            "unknown event type pro.techsupport.sla.breached.v2",
        ),
        (&*BREACH.replace("\"escalated\": true,", ""), "malformed data of pro.techsupport.sla.breached.v1: "),
        (&*WARNING.replace("75", "-1"), "malformed data of pro.techsupport.sla.warning.v1: "),
    ] {
        let (desk, log) = (Desk::new(), FakeChannel::new("log", []));
        if body == BREACH {
            continue;
        }
        let Verdict::Dead { reason, attempts: 0 } = deliver(&desk, &[&log], body) else {
            panic!("not dead: {body}")
        };
        assert!(reason.starts_with(begins), "{reason}");
        assert_eq!(log.attempts(), [0; 0]);
        assert!(!in_inbox(&desk));
    }
}

#[test]
fn events_nobody_wants_are_done_and_leave_no_trace() {
    let desk = Desk::new();
    let quiet = FakeChannel::new("log", []).without_warnings();
    assert_eq!(deliver(&desk, &[&quiet], WARNING), Verdict::Done);
    assert_eq!(deliver(&desk, &[], BREACH), Verdict::Done);
    let created = WARNING.replace("sla.warning.v1", "ticket.created.v1");
    assert_eq!(deliver(&desk, &[&quiet], &created), Verdict::Done);
    let unheard_of = WARNING.replace("sla.warning.v1", "ticket.tickled.v9");
    assert_eq!(deliver(&desk, &[], &unheard_of), Verdict::Done, "a later release may publish more");
    assert!(desk.store().deliveries.is_empty());
    assert!(desk.store().inbox.is_empty());
}
