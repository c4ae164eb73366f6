#![allow(clippy::unwrap_used, clippy::panic)]

use time::macros::datetime;

use super::*;
use crate::{
    headers::{REPLAY, table},
    settings::tests::settings,
    topology::{Subscription, Topology},
};

fn queues() -> QueueSet {
    Topology::new(&settings()).of(Subscription::SlaEvents).clone()
}

fn options() -> ConsumerOptions {
    ConsumerOptions {
        parallelism: 5,
        drain_timeout: Duration::from_secs(1),
        max_failures: 3,
        now: || datetime!(2026-02-12 20:45:23.123 UTC),
    }
}

fn received(headers: &[(&'static str, AMQPValue)]) -> Received {
    let table = table(headers.iter().map(|(name, value)| (*name, value.clone())));
    let properties = BasicProperties::default()
        .with_message_id("event-1".into())
        .with_content_type("application/cloudevents+json".into())
        .with_headers(table);
    Received { id: "event-1".into(), properties, body: b"{}".to_vec() }
}

fn decided(outcome: Result<Verdict, Failure>, received: &Received) -> Step {
    decide(outcome, received, &queues(), &options())
}

fn moved(step: Step) -> Outgoing {
    match step {
        Step::Move { copy, .. } => *copy,
        Step::Acknowledge | Step::Stay { .. } => panic!("the message is not moved"),
    }
}

fn header(copy: &Outgoing, name: &str) -> Option<AMQPValue> {
    copy.properties.headers().as_ref()?.inner().get(name).cloned()
}

fn internal() -> Result<Verdict, Failure> {
    Err(Failure::Error(AppError::internal("a defect")))
}

#[test]
fn what_is_done_is_acknowledged() {
    assert!(matches!(decided(Ok(Verdict::Done), &received(&[])), Step::Acknowledge));
}

#[test]
fn a_wait_keeps_the_trace_and_drops_the_broker_s_own_headers() {
    let received = received(&[
        ("traceparent", text("00-aa-bb-01")),
        ("x-death", text("long")),
        (FAILURES, AMQPValue::LongInt(2)),
    ]);
    let verdict = Verdict::Later { wait: Duration::from_secs(2), reason: "busy".into() };
    let copy = moved(decided(Ok(verdict), &received));
    assert_eq!((copy.exchange.as_str(), copy.routing_key.as_str()), ("", "sla-events.retry.1000ms"));
    assert_eq!(copy.properties.message_id().as_ref().unwrap().as_str(), "event-1");
    assert_eq!(copy.properties.delivery_mode(), &Some(2));
    assert_eq!(header(&copy, "traceparent"), Some(text("00-aa-bb-01")));
    assert_eq!(header(&copy, "x-death"), None);
    assert_eq!(header(&copy, FAILURES), None, "a verdict ends the row of failures");
    assert_eq!(copy.body, b"{}");
}

#[test]
fn a_dead_letter_says_why_when_and_where() {
    let verdict = Verdict::Dead { reason: "é".repeat(2_000), attempts: 7 };
    let copy = moved(decided(Ok(verdict), &received(&[])));
    assert_eq!(copy.routing_key, "sla-events.dlq");
    assert_eq!(header(&copy, REASON), Some(text(&"é".repeat(1_000))), "cut at a character");
    assert_eq!(header(&copy, ATTEMPTS), Some(AMQPValue::LongInt(7)));
    assert_eq!(header(&copy, QUEUE), Some(text("sla-events")));
    assert_eq!(header(&copy, FAILED_AT), Some(text("2026-02-12T20:45:23.123Z")));
}

#[test]
fn while_the_database_is_away_the_message_stays() {
    let away = AppError::Unavailable { reason: "no database".into(), retry_after: Duration::ZERO };
    assert!(matches!(decided(Err(Failure::Error(away)), &received(&[])), Step::Stay { .. }));
    assert!(matches!(decided(Err(Failure::Error(AppError::TimedOut)), &received(&[])), Step::Stay { .. }));
}

#[test]
fn defects_go_round_ever_more_slowly_and_end() {
    let first = moved(decided(internal(), &received(&[])));
    assert_eq!(first.routing_key, "sla-events.retry.1000ms");
    assert_eq!(header(&first, FAILURES), Some(AMQPValue::LongInt(1)));

    let second = moved(decided(Err(Failure::Panic), &received(&[(FAILURES, AMQPValue::LongInt(1))])));
    assert_eq!(second.routing_key, "sla-events.retry.5000ms");

    let third = moved(decided(internal(), &received(&[(FAILURES, AMQPValue::LongInt(2))])));
    assert_eq!(third.routing_key, "sla-events.dlq");
    assert_eq!(header(&third, REASON), Some(text("internal error: a defect")));
}

#[test]
fn the_number_of_the_replay_stays_with_the_message() {
    let replayed = [(REPLAY, number(2)), (ATTEMPTS_BEFORE, number(7)), (FAILURES, number(2))];
    let verdict = Verdict::Later { wait: Duration::ZERO, reason: "busy".into() };
    let waiting = moved(decided(Ok(verdict), &received(&replayed)));
    let dead = moved(decided(internal(), &received(&replayed)));
    for copy in [&waiting, &dead] {
        assert_eq!(header(copy, REPLAY), Some(number(2)));
        assert_eq!(header(copy, ATTEMPTS_BEFORE), Some(number(7)));
    }
    assert_eq!(header(&dead, ATTEMPTS), Some(number(10)), "seven before, and three failures");
}

#[test]
fn messages_without_an_id_that_say_the_same_are_different_messages() {
    let dead = |tag| {
        let arrived =
            Received::of(&Delivery::mock(tag, "".into(), "sla-events".into(), false, b"same".to_vec()));
        let verdict = Verdict::Dead { reason: "no".into(), attempts: 1 };
        moved(decided(Ok(verdict), &arrived)).properties.message_id().as_ref().unwrap().to_string()
    };
    assert_ne!(dead(1), dead(2));
    assert!(dead(1).parse::<uuid::Uuid>().is_err(), "it is not an event's");
}

/// Workers of the first release made their copies so; while it is replaced they may take what was put back.
#[test]
fn a_worker_of_the_release_before_keeps_the_number_of_the_replay() {
    for name in [REPLAY, ATTEMPTS_BEFORE] {
        assert!(!name.starts_with("x-") && !name.starts_with("techsupport-"), "{name} would be lost");
    }
}
