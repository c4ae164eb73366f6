//! What is promised: targets, and what happens around the deadline.

use std::sync::Arc;

use time::Duration;

use crate::{ClientTier, PolicyVersionId, UnknownName, sla::Calendar, sla::Metric};

/// Working minutes until the deadline: 1 to 525,600 (a year of 24 × 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TargetMinutes(u32);

impl TargetMinutes {
    /// The greatest target.
    pub const MAX: u32 = 525_600;

    /// Accepts 1 to [`TargetMinutes::MAX`].
    pub fn parse(minutes: i64) -> Result<Self, PolicyError> {
        match u32::try_from(minutes) {
            Ok(minutes @ 1..=Self::MAX) => Ok(Self(minutes)),
            Ok(_) | Err(_) => Err(PolicyError::Target(minutes)),
        }
    }

    /// The minutes.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The same as a duration of working time.
    pub fn duration(self) -> Duration {
        Duration::minutes(i64::from(self.0))
    }
}

/// The name of a step within its policy: 0 is the breach, a negative number comes before it, a positive
/// one after. It is part of the key (ticket, metric, cycle, step) that makes every step happen once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StepKey(i16);

impl StepKey {
    /// The step at the deadline.
    pub const BREACH: StepKey = StepKey(0);

    /// Names a step.
    pub const fn new(key: i16) -> Self {
        Self(key)
    }

    /// The number.
    pub const fn get(self) -> i16 {
        self.0
    }
}

/// When a step is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offset {
    /// Working minutes from the deadline; negative is before it.
    Minutes(i32),
    /// Percent of the target, 1 to 99.
    Percent(u8),
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepAction {
    /// Say that the deadline is near.
    Warn,
    /// Status ESCALATED, one level higher; a supervisor is told when that is not possible.
    Escalate,
    /// Tell a supervisor.
    NotifySupervisor,
}

impl StepAction {
    const NAMES: &'static [&'static str] = &["WARN", "ESCALATE", "NOTIFY_SUPERVISOR"];

    /// Reads the canonical name.
    pub fn parse(name: &str) -> Result<Self, UnknownName> {
        match name {
            "WARN" => Ok(StepAction::Warn),
            "ESCALATE" => Ok(StepAction::Escalate),
            "NOTIFY_SUPERVISOR" => Ok(StepAction::NotifySupervisor),
            _ => Err(UnknownName { expected: Self::NAMES }),
        }
    }

    /// The canonical name.
    pub const fn name(self) -> &'static str {
        match self {
            StepAction::Warn => "WARN",
            StepAction::Escalate => "ESCALATE",
            StepAction::NotifySupervisor => "NOTIFY_SUPERVISOR",
        }
    }
}

/// One thing that happens around a deadline, once a cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Its name.
    pub key: StepKey,
    /// When.
    pub offset: Offset,
    /// What.
    pub action: StepAction,
}

impl Step {
    /// How much working time must have been used up for the step to be due; never negative.
    pub fn threshold(&self, target: TargetMinutes) -> Duration {
        let target = target.duration();
        match self.offset {
            Offset::Minutes(minutes) => (target + Duration::minutes(i64::from(minutes))).max(Duration::ZERO),
            Offset::Percent(percent) => target * i32::from(percent) / 100,
        }
    }
}

/// The promise for one metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// What is measured.
    pub metric: Metric,
    /// Until when.
    pub minutes: TargetMinutes,
    /// What happens around the deadline, in order of their thresholds. One of them is the breach.
    pub steps: Arc<[Step]>,
}

/// One immutable version of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Which version this is.
    pub version: PolicyVersionId,
    /// In which minutes its clocks count.
    pub calendar: Calendar,
    /// The promises; at most one for each metric.
    pub targets: Vec<Target>,
}

/// What a policy may not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// A target outside 1 to [`TargetMinutes::MAX`].
    #[error("a target of {0} minutes is not between 1 and {max}", max = TargetMinutes::MAX)]
    Target(i64),
    /// A percentage outside 1–99.
    #[error("a warning at {0} percent is not between 1 and 99")]
    Percent(u8),
    /// No step at the deadline, or one named 0 elsewhere.
    #[error("the target for {} needs exactly one step 0, at the deadline", .0.name())]
    Breach(Metric),
    /// Two steps of one name.
    #[error("step {} of {} appears twice", .1.get(), .0.name())]
    DuplicateStep(Metric, StepKey),
    /// A warning that does not come before the deadline, or something else that does.
    #[error("step {} of {} is on the wrong side of the deadline: only warnings come before it", .1.get(), .0.name())]
    WrongSide(Metric, StepKey),
    /// Two targets for one metric.
    #[error("{} has two targets", .0.name())]
    DuplicateMetric(Metric),
}

impl Policy {
    /// Checks the policy's invariants and brings the steps into order.
    pub fn new(
        version: PolicyVersionId,
        calendar: Calendar,
        targets: Vec<Target>,
    ) -> Result<Self, PolicyError> {
        let mut checked = Vec::<Target>::with_capacity(targets.len());
        for target in targets {
            if checked.iter().any(|other| other.metric == target.metric) {
                return Err(PolicyError::DuplicateMetric(target.metric));
            }
            checked.push(Self::checked_target(&target)?);
        }
        Ok(Self { version, calendar, targets: checked })
    }

    fn checked_target(target: &Target) -> Result<Target, PolicyError> {
        let mut steps = target.steps.to_vec();
        steps.sort_by_key(|step| (step.threshold(target.minutes), step.key));
        for (index, step) in steps.iter().enumerate() {
            if let Offset::Percent(percent) = step.offset
                && !(1..=99).contains(&percent)
            {
                return Err(PolicyError::Percent(percent));
            }
            if steps.iter().skip(index + 1).any(|other| other.key == step.key) {
                return Err(PolicyError::DuplicateStep(target.metric, step.key));
            }
        }
        match steps.iter().find(|step| step.key == StepKey::BREACH) {
            Some(Step { offset: Offset::Minutes(0), .. }) => {}
            Some(_) | None => return Err(PolicyError::Breach(target.metric)),
        }
        let early = |step: &Step| step.threshold(target.minutes) < target.minutes.duration();
        match steps.iter().find(|step| early(step) != (step.action == StepAction::Warn)) {
            Some(step) => Err(PolicyError::WrongSide(target.metric, step.key)),
            None => Ok(Target { steps: steps.into(), ..*target }),
        }
    }

    /// The terms under which a clock for `metric` runs, if the policy promises anything for it.
    pub fn terms(&self, metric: Metric) -> Option<Terms> {
        self.targets.iter().find(|target| target.metric == metric).map(|target| Terms {
            policy_version: self.version,
            calendar: self.calendar,
            target: target.minutes,
            steps: Arc::clone(&target.steps),
        })
    }
}

/// What one clock was promised: an excerpt of a policy version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The version it is taken from.
    pub policy_version: PolicyVersionId,
    /// In which minutes the clock counts.
    pub calendar: Calendar,
    /// Until the deadline.
    pub target: TargetMinutes,
    /// In order of their thresholds.
    pub steps: Arc<[Step]>,
}

/// The rules of the original service, which are installed as the two default policies. They hold for
/// every priority.
pub fn default_policy(version: PolicyVersionId, tier: ClientTier) -> Policy {
    let (minutes, action) = match tier {
        ClientTier::Vip => (120, StepAction::Escalate),
        ClientTier::Normal => (1_440, StepAction::NotifySupervisor),
    };
    let breach = Step { key: StepKey::BREACH, offset: Offset::Minutes(0), action };
    Policy {
        version,
        calendar: Calendar::AlwaysOpen,
        targets: vec![Target {
            metric: Metric::FirstResponse,
            minutes: TargetMinutes(minutes),
            steps: Arc::new([breach]),
        }],
    }
}
