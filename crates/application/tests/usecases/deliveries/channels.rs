//! Several channels want one event: none holds up another, and none is forgotten for another.

use techsupport_application::deliveries::Verdict;

use super::{BREACH, WARNING, busy, dead, deliver, gone, in_inbox, later};
use crate::fakes::{Desk, FakeChannel};

#[test]
fn each_channel_gets_the_event_once_whatever_the_others_do() {
    let desk = Desk::new();
    let mail = FakeChannel::new("mail", [busy(), busy()]);
    let log = FakeChannel::new("log", []);
    assert_eq!(deliver(&desk, &[&mail, &log], BREACH), later(1, "mail: busy"));
    assert_eq!(log.attempts(), [1], "the log does not wait for the mail");
    assert!(!in_inbox(&desk));
    desk.pass(time::Duration::seconds(1));
    assert_eq!(deliver(&desk, &[&mail, &log], BREACH), later(10, "mail: busy"));
    desk.pass(time::Duration::seconds(10));
    assert_eq!(deliver(&desk, &[&mail, &log], BREACH), Verdict::Done);
    assert_eq!(mail.attempts(), [1, 2, 3]);
    assert_eq!(log.attempts(), [1]);
    assert!(in_inbox(&desk));
}

#[test]
fn of_two_waits_the_shorter_one_counts() {
    let desk = Desk::new();
    let mail = FakeChannel::new("mail", [busy(), busy()]);
    let hook = FakeChannel::new("hook", [busy()]);
    assert_eq!(deliver(&desk, &[&mail], BREACH), later(1, "mail: busy"));
    desk.pass(time::Duration::seconds(1));
    assert_eq!(deliver(&desk, &[&mail, &hook], BREACH), later(1, "hook: busy"));
}

#[test]
fn a_channel_that_gave_up_is_a_dead_letter_even_when_another_delivered() {
    for swap in [false, true] {
        let desk = Desk::new();
        let mail = FakeChannel::new("mail", [gone()]);
        let log = FakeChannel::new("log", []);
        let order = if swap { [&log, &mail] } else { [&mail, &log] };
        assert_eq!(deliver(&desk, &order, BREACH), dead(1, "mail: no such mailbox"));
        assert_eq!(log.attempts(), [1]);
        assert!(!in_inbox(&desk), "not everybody has it");
    }
}

/// While the hook waits the message lives; once the hook has it, the mail's failure must not be forgotten.
#[test]
fn a_channel_that_gave_up_is_remembered_while_another_one_waits() {
    let desk = Desk::new();
    let mail = FakeChannel::new("mail", [gone()]);
    let hook = FakeChannel::new("hook", [busy()]);
    assert_eq!(deliver(&desk, &[&mail, &hook], BREACH), later(1, "hook: busy"));
    desk.pass(time::Duration::seconds(1));
    assert_eq!(deliver(&desk, &[&mail, &hook], BREACH), dead(1, "mail: no such mailbox"));
    assert_eq!((mail.attempts(), hook.attempts()), (vec![1], vec![1, 2]));
}

#[test]
fn all_reasons_are_in_the_dead_letter() {
    let desk = Desk::new();
    let (mail, hook) = (FakeChannel::new("mail", [gone()]), FakeChannel::new("hook", [gone()]));
    assert_eq!(
        deliver(&desk, &[&mail, &hook], BREACH),
        dead(1, "mail: no such mailbox; hook: no such mailbox")
    );
}

#[test]
fn only_who_wants_it_gets_it() {
    let desk = Desk::new();
    let (log, mail) = (FakeChannel::new("log", []), FakeChannel::new("mail", []).without_warnings());
    assert_eq!(deliver(&desk, &[&log, &mail], WARNING), Verdict::Done);
    assert_eq!((log.attempts(), mail.attempts()), (vec![1], vec![]));
    assert!(in_inbox(&desk));
}
