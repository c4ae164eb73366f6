#![allow(clippy::unwrap_used)]

use std::{fs, path::PathBuf};

use techsupport_application::events::{SlaBreachedV1, SlaWarningV1};
use techsupport_domain::EventId;
use time::macros::datetime;
use uuid::Uuid;

use super::*;
use crate::settings::LogTarget;

fn parcel(notification: Notification) -> Parcel {
    Parcel {
        event: EventId::new(Uuid::from_u128(7)),
        at: datetime!(2026-02-12 20:45:23.123 UTC),
        traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into(),
        notification,
    }
}

fn breach(escalated: bool) -> Notification {
    Notification::Breach(SlaBreachedV1 {
        ticket_id: "0190a1b2-0000-7000-8000-000000000001".into(),
        number: "TS-000042".into(),
        client_type: "VIP".into(),
        metric: "FIRST_RESPONSE".into(),
        due_at: datetime!(2026-02-12 20:45:00 UTC),
        step: 0,
        escalated,
        needs_supervisor_notif: !escalated,
        escalation_level: 1,
        sla_hours_elapsed: 2.01,
    })
}

fn warning() -> Notification {
    Notification::Warning(SlaWarningV1 {
        ticket_id: "0190a1b2-0000-7000-8000-000000000001".into(),
        number: "TS-000042".into(),
        client_type: "VIP".into(),
        metric: "RESOLUTION".into(),
        due_at: datetime!(2026-02-12 22:00:00 UTC),
        percent: 75,
    })
}

fn written(name: &str, notifications: Vec<Notification>) -> String {
    let path: PathBuf =
        std::env::temp_dir().join(format!("techsupport-channel-{}-{name}.log", std::process::id()));
    let settings =
        LogTargetSettings { target: LogTarget::File(path.clone()), timeout_ms: 20_000, search_mib: 1 };
    let source = Source { name: "sla-worker", hostname: "desk".into(), pid: 4711 };
    let channel = LogChannel::open(&settings, source, || datetime!(2026-02-12 20:45:24 UTC)).unwrap();
    for (n, notification) in (1..).zip(notifications) {
        let parcel = Parcel { event: EventId::new(Uuid::from_u128(n)), ..parcel(notification) };
        channel.send(&parcel, 1).unwrap();
        channel.send(&parcel, 2).unwrap();
    }
    let text = fs::read_to_string(&path).unwrap();
    fs::remove_file(&path).unwrap();
    text
}

#[test]
fn each_notification_is_one_line() {
    let text = written("golden", vec![breach(true), breach(false), warning()]);
    let expected = include_str!("golden.jsonl");
    assert_eq!(text, expected);
}

#[test]
fn this_process_is_named() {
    let here = Source::here("sla-worker");
    assert!(!here.hostname.is_empty());
    assert_eq!(here.pid, std::process::id());
}
