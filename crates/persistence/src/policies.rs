//! Policy versions, which never change, kept in memory.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use diesel::prelude::*;
use techsupport_domain::{
    PolicyVersionId,
    sla::{Calendar, Metric, Offset, Policy, Step, StepAction, StepKey, Target, TargetMinutes},
};
use uuid::Uuid;

use crate::schema::{sla_policy_steps, sla_policy_targets, sla_policy_versions};

/// Policy versions that were read before. There are few: one for each edit of a policy.
#[derive(Default)]
pub(crate) struct PolicyCache {
    known: RwLock<HashMap<Uuid, Arc<Policy>>>,
}

/// A policy, or why what is stored makes none.
pub(crate) type Stored = Result<Arc<Policy>, String>;

impl PolicyCache {
    fn known(&self, version: Uuid) -> Option<Arc<Policy>> {
        self.known.read().ok()?.get(&version).cloned()
    }

    /// The policy from memory, or else from the database.
    pub(crate) fn get(&self, conn: &mut PgConnection, version: Uuid) -> QueryResult<Stored> {
        if let Some(policy) = self.known(version) {
            return Ok(Ok(policy));
        }
        let policy = load(conn, version)?.map(Arc::new);
        if let (Ok(policy), Ok(mut known)) = (&policy, self.known.write()) {
            known.insert(version, Arc::clone(policy));
        }
        Ok(policy)
    }
}

type StepRow = (String, i16, Option<i32>, Option<i16>, String);

fn load(conn: &mut PgConnection, version: Uuid) -> QueryResult<Result<Policy, String>> {
    let calendar: String =
        sla_policy_versions::table.find(version).select(sla_policy_versions::calendar).first(conn)?;
    let targets: Vec<(String, i32)> = sla_policy_targets::table
        .filter(sla_policy_targets::policy_version_id.eq(version))
        .select((sla_policy_targets::metric, sla_policy_targets::target_minutes))
        .load(conn)?;
    let steps: Vec<StepRow> = sla_policy_steps::table
        .filter(sla_policy_steps::policy_version_id.eq(version))
        .select((
            sla_policy_steps::metric,
            sla_policy_steps::step,
            sla_policy_steps::offset_minutes,
            sla_policy_steps::percent,
            sla_policy_steps::action,
        ))
        .load(conn)?;
    Ok(assemble(version, &calendar, &targets, &steps)
        .map_err(|reason| format!("policy version {version}: {reason}")))
}

fn assemble(
    version: Uuid,
    calendar: &str,
    targets: &[(String, i32)],
    steps: &[StepRow],
) -> Result<Policy, String> {
    let targets = targets.iter().map(|target| target_of(target, steps)).collect::<Result<_, String>>()?;
    let calendar = Calendar::parse(calendar).map_err(|error| error.to_string())?;
    Policy::new(PolicyVersionId::new(version), calendar, targets).map_err(|error| error.to_string())
}

fn target_of((metric, minutes): &(String, i32), steps: &[StepRow]) -> Result<Target, String> {
    let steps =
        steps.iter().filter(|step| step.0 == *metric).map(step_of).collect::<Result<Vec<_>, String>>()?;
    Ok(Target {
        metric: Metric::parse(metric).map_err(|error| error.to_string())?,
        minutes: TargetMinutes::parse(i64::from(*minutes)).map_err(|error| error.to_string())?,
        steps: steps.into(),
    })
}

fn step_of((_, key, minutes, percent, action): &StepRow) -> Result<Step, String> {
    let offset = match (minutes, percent.map(u8::try_from)) {
        (Some(minutes), None) => Offset::Minutes(*minutes),
        (None, Some(Ok(percent))) => Offset::Percent(percent),
        (_, _) => return Err(format!("step {key} has no offset")),
    };
    let action = StepAction::parse(action).map_err(|error| error.to_string())?;
    Ok(Step { key: StepKey::new(*key), offset, action })
}
