//! What a policy may and may not be, and the two that are installed.

use proptest::prelude::*;
use techsupport_domain::{
    ClientTier, PolicyVersionId,
    sla::{
        Calendar, Metric, Offset, Policy, PolicyError, Step, StepAction, StepKey, Target, TargetMinutes,
        default_policy,
    },
};
use time::Duration;
use uuid::Uuid;

use crate::build::{breach, step, target};

fn checked(targets: Vec<Target>) -> Result<Policy, PolicyError> {
    Policy::new(PolicyVersionId::new(Uuid::from_u128(9)), Calendar::AlwaysOpen, targets)
}

fn with(steps: &[Step]) -> Result<Policy, PolicyError> {
    checked(vec![target(Metric::Resolution, 60, steps)])
}

#[test]
fn a_target_is_one_minute_to_one_year() {
    for wrong in [i64::MIN, -1, 0, 525_601, i64::from(u32::MAX) + 2, i64::MAX] {
        assert_eq!(TargetMinutes::parse(wrong), Err(PolicyError::Target(wrong)));
    }
    for right in [1, 120, 525_600] {
        assert_eq!(TargetMinutes::parse(right).map(|minutes| i64::from(minutes.get())), Ok(right));
    }
}

#[test]
fn a_warning_is_at_1_to_99_percent() {
    for (percent, fine) in [(0, false), (1, true), (99, true), (100, false), (255, false)] {
        let warning = step(-1, Offset::Percent(percent), StepAction::Warn);
        let made = with(&[warning, breach(StepAction::Escalate)]).map(drop);
        assert_eq!(made, if fine { Ok(()) } else { Err(PolicyError::Percent(percent)) });
    }
}

#[test]
fn exactly_one_step_is_the_breach_and_it_is_at_the_deadline() {
    let later = step(1, Offset::Minutes(60), StepAction::Escalate);
    assert_eq!(with(&[]), Err(PolicyError::Breach(Metric::Resolution)));
    assert_eq!(with(&[later]), Err(PolicyError::Breach(Metric::Resolution)));
    for elsewhere in [Offset::Minutes(1), Offset::Minutes(-1), Offset::Percent(99)] {
        let misplaced = step(0, elsewhere, StepAction::Escalate);
        assert_eq!(with(&[misplaced]), Err(PolicyError::Breach(Metric::Resolution)));
    }
    assert!(with(&[later, breach(StepAction::Escalate)]).is_ok());
}

#[test]
fn names_are_unique() {
    let later = |minutes| step(1, Offset::Minutes(minutes), StepAction::Escalate);
    assert_eq!(
        with(&[later(60), breach(StepAction::Escalate), later(120)]),
        Err(PolicyError::DuplicateStep(Metric::Resolution, StepKey::new(1)))
    );
    let promise = target(Metric::Resolution, 60, &[breach(StepAction::Escalate)]);
    assert_eq!(
        checked(vec![promise.clone(), promise]),
        Err(PolicyError::DuplicateMetric(Metric::Resolution))
    );
}

#[test]
fn only_warnings_come_before_the_deadline() {
    for (offset, action) in [
        (Offset::Minutes(-1), StepAction::Escalate),
        (Offset::Percent(99), StepAction::NotifySupervisor),
        (Offset::Minutes(1), StepAction::Warn),
    ] {
        let misplaced = step(5, offset, action);
        let made = with(&[misplaced, breach(StepAction::Escalate)]);
        assert_eq!(made, Err(PolicyError::WrongSide(Metric::Resolution, StepKey::new(5))));
    }
    let made = with(&[breach(StepAction::Warn)]);
    assert_eq!(made, Err(PolicyError::WrongSide(Metric::Resolution, StepKey::BREACH)));
}

/// A step that is allowed where it stands.
fn fitting(key: i16, offset: Offset) -> Step {
    let early = match offset {
        Offset::Minutes(minutes) => minutes < 0,
        Offset::Percent(_) => true,
    };
    step(key, offset, if early { StepAction::Warn } else { StepAction::Escalate })
}

proptest! {
    /// A clock asks for the first step that is left: the order must be that of the thresholds.
    #[test]
    fn steps_are_kept_in_the_order_in_which_they_fall_due(
        minutes in 1_i64..=525_600,
        offsets in prop::collection::vec(prop_oneof![
            (-600_000_i32..600_000).prop_map(Offset::Minutes),
            (1_u8..=99).prop_map(Offset::Percent),
        ], 0..8),
    ) {
        let mut steps: Vec<Step> = (1_i16..).zip(offsets).map(|(key, offset)| fitting(key, offset)).collect();
        steps.push(breach(StepAction::Escalate));
        let policy = checked(vec![target(Metric::FirstResponse, minutes, &steps)]).unwrap();
        let terms = policy.terms(Metric::FirstResponse).unwrap();
        let due: Vec<Duration> = terms.steps.iter().map(|step| step.threshold(terms.target)).collect();
        prop_assert!(due.is_sorted());
        prop_assert!(due.iter().all(|threshold| !threshold.is_negative()));
        prop_assert_eq!(terms.steps.len(), steps.len());
    }
}

#[test]
fn what_is_not_promised_has_no_terms() {
    let policy = with(&[breach(StepAction::Escalate)]).unwrap();
    assert_eq!(policy.terms(Metric::FirstResponse), None);
    assert_eq!(policy.terms(Metric::Resolution).map(|terms| terms.target.get()), Some(60));
}

/// The rules of the original service, as the page on SLAs lists them.
#[test]
fn the_two_defaults_are_the_rules_of_the_original() {
    let cases = [
        (ClientTier::Vip, 120, StepAction::Escalate),
        (ClientTier::Normal, 1_440, StepAction::NotifySupervisor),
    ];
    for (tier, minutes, action) in cases {
        let version = PolicyVersionId::new(Uuid::from_u128(9));
        let policy = default_policy(version, tier);
        assert_eq!(policy.calendar, Calendar::AlwaysOpen);
        assert_eq!(policy.terms(Metric::Resolution), None);
        let terms = policy.terms(Metric::FirstResponse).unwrap();
        assert_eq!(terms.target.get(), minutes);
        assert_eq!(terms.steps.to_vec(), [breach(action)]);
        assert_eq!(Policy::new(version, policy.calendar, policy.targets.clone()), Ok(policy));
    }
}
