//! Random policies, and random commands at random times, with a liking for the instants around a deadline.

use proptest::prelude::*;
use techsupport_domain::sla::{Metric, Offset, Policy, Step, StepAction};

use crate::{
    build,
    model::{AgentModel, MINUTE, Promise, Promised, STATUSES, Us},
};

/// How many policies there are.
const POLICIES: usize = 3;

/// What one ticket goes through.
#[derive(Debug, Clone)]
pub struct Life {
    /// What one policy promises; the ticket is opened under the first.
    policies: Vec<Vec<Draft>>,
    pub commands: Vec<(Jump, Command)>,
}

/// How the time of the next command is found.
#[derive(Debug, Clone, Copy)]
pub enum Jump {
    By(Us),
    /// So many microseconds from the next due step.
    NextStep(Us),
}

#[derive(Debug, Clone, Copy)]
pub enum Command {
    Move(&'static str),
    Assign(Option<AgentModel>),
    Delete,
    /// With the client's tier and the policy in force, by its index.
    Restore(&'static str, usize),
    Reopen(&'static str, usize),
    Prioritise(u8, usize),
    Reclassify(&'static str, usize),
    Comment(&'static str),
    Rename(&'static str, &'static [&'static str]),
    /// Nothing but the time passing.
    Watch,
}

/// A target before it is told to either side.
#[derive(Debug, Clone)]
struct Draft {
    metric: Metric,
    minutes: i64,
    steps: Vec<Step>,
}

impl Life {
    pub fn policy(&self, index: usize) -> Policy {
        let target = |draft: &Draft| build::target(draft.metric, draft.minutes, &draft.steps);
        build::policy(self.policies[index].iter().map(target).collect())
    }

    pub fn promises(&self, index: usize) -> Vec<Promise> {
        let promise = |draft: &Draft| {
            let target = draft.minutes * MINUTE;
            let counted = |offset| match offset {
                Offset::Minutes(minutes) => (target + i64::from(minutes) * MINUTE).max(0),
                Offset::Percent(percent) => target / 100 * i64::from(percent),
            };
            let promised = |step: &Step| Promised {
                key: step.key.get(),
                counted: counted(step.offset),
                action: step.action.name(),
            };
            let steps = draft.steps.iter().map(promised).collect();
            Promise { name: format!("{draft:?}"), metric: draft.metric.name(), target, steps }
        };
        self.policies[index].iter().map(promise).collect()
    }
}

pub fn life() -> impl Strategy<Value = Life> {
    let drafts =
        (prop::option::of(draft(Metric::FirstResponse)), prop::option::of(draft(Metric::Resolution)))
            .prop_map(|(first, resolution)| first.into_iter().chain(resolution).collect());
    (prop::collection::vec(drafts, POLICIES), prop::collection::vec((jump(), command()), 1..60))
        .prop_map(|(policies, commands)| Life { policies, commands })
}

fn draft(metric: Metric) -> impl Strategy<Value = Draft> {
    let warning = prop_oneof![
        (1_u8..=99).prop_map(Offset::Percent),
        // Some reach back beyond the start: those are due at once.
        (-700_i32..0).prop_map(Offset::Minutes),
    ];
    let action = prop_oneof![Just(StepAction::Escalate), Just(StepAction::NotifySupervisor)];
    let at_breach = action.clone();
    let later = ((1_i32..300).prop_map(Offset::Minutes), action);
    (1_i64..=600, prop::collection::vec(warning, 0..3), at_breach, prop::collection::vec(later, 0..4))
        .prop_map(move |(minutes, warnings, at_breach, later)| {
            let before = (1_i16..).zip(warnings).map(|(n, offset)| build::step(-n, offset, StepAction::Warn));
            let after = (1_i16..).zip(later).map(|(n, (offset, action))| build::step(n, offset, action));
            let steps = before.chain(after).chain([build::breach(at_breach)]).collect();
            Draft { metric, minutes, steps }
        })
}

fn jump() -> impl Strategy<Value = Jump> {
    prop_oneof![
        3 => (0..200 * MINUTE).prop_map(Jump::By),
        1 => Just(Jump::By(0)),
        3 => (-1_i64..=1).prop_map(Jump::NextStep),
    ]
}

fn tier() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["VIP", "NORMAL"])
}

fn command() -> impl Strategy<Value = Command> {
    let agent = (100_u128..103, 1_u8..=3, prop::bool::weighted(0.8))
        .prop_map(|(id, level, active)| AgentModel { id, level, active });
    prop_oneof![
        12 => prop::sample::select(STATUSES.to_vec()).prop_map(Command::Move),
        3 => prop::option::weighted(0.7, agent).prop_map(Command::Assign),
        3 => Just(Command::Watch),
        1 => Just(Command::Delete),
        2 => (tier(), 0..POLICIES).prop_map(|(tier, policy)| Command::Restore(tier, policy)),
        2 => (tier(), 0..POLICIES).prop_map(|(tier, policy)| Command::Reopen(tier, policy)),
        2 => (1_u8..=4, 0..POLICIES).prop_map(|(priority, policy)| Command::Prioritise(priority, policy)),
        2 => (tier(), 0..POLICIES).prop_map(|(tier, policy)| Command::Reclassify(tier, policy)),
        2 => prop::sample::select(vec!["PUBLIC", "INTERNAL"]).prop_map(Command::Comment),
        1 => (prop::sample::select(vec!["Smoke", "Fire"]), prop::sample::select(vec![&["a", "b"][..], &["b"][..], &[]]))
            .prop_map(|(title, tags)| Command::Rename(title, tags)),
    ]
}
