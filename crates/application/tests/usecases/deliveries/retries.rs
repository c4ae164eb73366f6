//! Attempts of one channel: counted, leased, and given up in the end.

use std::time::Duration;

use techsupport_application::{
    deliveries::{RetryPolicy, Verdict},
    ports::{ChannelName, DeliveryTx},
};

use super::{BREACH, busy, dead, deliver, event, gone, in_inbox, later, three_attempts};
use crate::fakes::{Desk, FakeChannel};

fn seconds(seconds: i64) -> time::Duration {
    time::Duration::seconds(seconds)
}

#[test]
fn waits_grow_and_the_last_one_repeats() {
    let policy = RetryPolicy { max_attempts: 5, ..three_attempts() };
    let waits: Vec<Option<u64>> =
        (0..7).map(|attempt| policy.after(attempt).map(|wait| wait.as_secs())).collect();
    assert_eq!(waits, [Some(1), Some(1), Some(10), Some(10), Some(10), None, None]);
    let none = RetryPolicy { delays: vec![], ..policy };
    assert_eq!(none.after(1), None);
}

#[test]
fn a_busy_receiver_is_tried_again_when_it_is_time_and_not_before() {
    let (desk, mail) = (Desk::new(), FakeChannel::new("mail", [busy()]));
    assert_eq!(deliver(&desk, &[&mail], BREACH), later(1, "mail: busy"));
    assert!(!in_inbox(&desk));
    let early = deliver(&desk, &[&mail], BREACH);
    assert_eq!(early, later(1, "the delivery through mail is leased or not due yet"));
    assert_eq!(mail.attempts(), [1]);
    desk.pass(seconds(1));
    assert_eq!(deliver(&desk, &[&mail], BREACH), Verdict::Done);
    assert_eq!(mail.attempts(), [1, 2]);
    assert!(in_inbox(&desk));
}

#[test]
fn after_the_last_attempt_the_message_is_dead_with_its_reason() {
    let (desk, mail) = (Desk::new(), FakeChannel::new("mail", [busy(), busy(), busy()]));
    assert_eq!(deliver(&desk, &[&mail], BREACH), later(1, "mail: busy"));
    desk.pass(seconds(1));
    assert_eq!(deliver(&desk, &[&mail], BREACH), later(10, "mail: busy"));
    desk.pass(seconds(10));
    assert_eq!(deliver(&desk, &[&mail], BREACH), dead(3, "mail: busy"));
    assert_eq!(mail.attempts(), [1, 2, 3]);
}

#[test]
fn what_can_never_succeed_is_not_tried_again() {
    let (desk, mail) = (Desk::new(), FakeChannel::new("mail", [gone()]));
    assert_eq!(deliver(&desk, &[&mail], BREACH), dead(1, "mail: no such mailbox"));
}

/// The worker may die after the failure was recorded and before the dead letter is written: then the
/// message comes again, and must not vanish as if it had been delivered.
#[test]
fn a_message_that_comes_again_after_it_was_given_up_is_dead_again() {
    let (desk, mail) = (Desk::new(), FakeChannel::new("mail", [gone()]));
    let first = deliver(&desk, &[&mail], BREACH);
    assert_eq!(deliver(&desk, &[&mail], BREACH), first);
    assert_eq!(mail.attempts(), [1], "it is not attempted again");
}

/// Another worker holds the delivery, or died holding it: the lease of ten seconds and a margin of five
/// decides.
#[test]
fn a_leased_delivery_is_left_alone_until_the_lease_ends() {
    let (desk, log) = (Desk::new(), FakeChannel::new("log", []));
    let lease = Duration::from_secs(15);
    desk.store().claim_delivery(event(), ChannelName("log"), lease).unwrap();
    let held = "the delivery through log is leased or not due yet";
    assert_eq!(deliver(&desk, &[&log], BREACH), later(15, held));
    desk.pass(seconds(14));
    assert_eq!(deliver(&desk, &[&log], BREACH), later(1, held));
    desk.pass(seconds(1));
    assert_eq!(deliver(&desk, &[&log], BREACH), Verdict::Done);
    assert_eq!(log.attempts(), [2], "the channel is told that it is not the first attempt");
}

#[test]
fn the_lease_outlasts_the_longest_attempt() {
    let (desk, log) = (Desk::new(), FakeChannel::new("log", [busy()]));
    desk.rehearse();
    assert_eq!(deliver(&desk, &[&log], BREACH), later(1, "log: busy"));
    assert_eq!(log.attempts(), [1], "a repeated transaction is one attempt");
}

/// A message on which every worker dies is never reported as failed: the claims are what is counted.
#[test]
fn a_message_that_no_worker_survives_is_given_up() {
    let (desk, log) = (Desk::new(), FakeChannel::new("log", []));
    for _ in 0..3 {
        desk.store().claim_delivery(event(), ChannelName("log"), Duration::from_secs(15)).unwrap();
        desk.pass(seconds(15));
    }
    assert_eq!(deliver(&desk, &[&log], BREACH), dead(4, "log: the worker did not survive any attempt"));
    assert_eq!(log.attempts(), [0; 0], "nobody dies of it once more");
}

/// After a replay a delivery is tried as often as if it were new, under numbers that nobody had before.
#[test]
fn what_was_forgiven_counts_neither_against_the_limit_nor_for_the_waits() {
    let (desk, mail) = (Desk::new(), FakeChannel::new("mail", [gone(), busy(), busy(), busy()]));
    assert_eq!(deliver(&desk, &[&mail], BREACH), dead(1, "mail: no such mailbox"));
    {
        let mut store = desk.store();
        let row = store.deliveries.get_mut(&(event(), ChannelName("mail"))).unwrap();
        (row.given_up, row.forgiven) = (None, row.attempts);
    }
    assert_eq!(deliver(&desk, &[&mail], BREACH), later(1, "mail: busy"));
    desk.pass(seconds(1));
    assert_eq!(deliver(&desk, &[&mail], BREACH), later(10, "mail: busy"));
    desk.pass(seconds(10));
    assert_eq!(deliver(&desk, &[&mail], BREACH), dead(4, "mail: busy"));
    assert_eq!(mail.attempts(), [1, 2, 3, 4]);
}
