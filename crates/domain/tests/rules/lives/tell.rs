//! The domain's answers in the model's words.

use techsupport_domain::{
    sla::DueStep,
    text::{Description, Title},
    ticket::{Refusal, Replaced, TicketEvent},
};
use time::{Duration, OffsetDateTime};

use crate::{build::START, model::Us};

pub fn instant(us: Us) -> OffsetDateTime {
    START + Duration::microseconds(us)
}

pub fn us(at: OffsetDateTime) -> Us {
    lasted(at - START)
}

pub fn lasted(duration: Duration) -> Us {
    i64::try_from(duration.whole_microseconds()).unwrap()
}

pub fn events(events: &[TicketEvent]) -> Vec<String> {
    events.iter().map(event).collect()
}

fn event(event: &TicketEvent) -> String {
    match event {
        TicketEvent::Created => "created".to_owned(),
        TicketEvent::StatusChanged {
            from,
            to,
            level_before,
            level_after,
            resolved_before,
            resolved_after,
        } => {
            format!(
                "moved {} > {} level {} > {} resolved {:?} > {:?}",
                from.name(),
                to.name(),
                level_before.get(),
                level_after.get(),
                resolved_before.map(us),
                resolved_after.map(us),
            )
        }
        TicketEvent::Assigned { before, after } => format!(
            "assigned {:?} > {:?}",
            before.map(|agent| agent.uuid().as_u128()),
            after.map(|agent| agent.uuid().as_u128())
        ),
        TicketEvent::Edited(edited) => format!(
            "edited title {} description {} priority {} tags {} tier {}",
            replaced(edited.title.as_ref(), Title::as_str),
            replaced(edited.description.as_ref(), Description::as_str),
            replaced(edited.priority.as_ref(), |priority| priority.get()),
            replaced(edited.tags.as_ref(), |tags| tags.iter().collect::<Vec<_>>().join("+")),
            replaced(edited.tier.as_ref(), |tier| tier.name()),
        ),
        TicketEvent::Commented(comment) => format!("commented {}", comment.visibility.name()),
        TicketEvent::Deleted => "deleted".to_owned(),
        TicketEvent::Restored => "restored".to_owned(),
        TicketEvent::SlaWarned(due) => format!("warned: {}", step(due)),
        TicketEvent::SlaBreached { due, escalated, needs_supervisor, level_before, level_after } => format!(
            "breached: {} escalated {escalated} supervisor {needs_supervisor} level {} > {}",
            step(due),
            level_before.get(),
            level_after.get()
        ),
    }
}

fn replaced<'a, T, S: std::fmt::Display>(value: Option<&'a Replaced<T>>, say: impl Fn(&'a T) -> S) -> String {
    value.map_or_else(|| "-".to_owned(), |it| format!("{} > {}", say(&it.before), say(&it.after)))
}

fn step(due: &DueStep) -> String {
    format!(
        "{} cycle {} step {} due {} deadline {} counted {}",
        due.metric.name(),
        due.cycle,
        due.step.key.get(),
        us(due.step_due_at),
        us(due.due_at),
        lasted(due.elapsed)
    )
}

pub fn refusal(refusal: &Refusal) -> String {
    match refusal {
        Refusal::IllegalTransition { from, to, allowed } => {
            let may: Vec<&str> = allowed.iter().map(|status| status.name()).collect();
            format!("illegal: {} > {}, allowed {may:?}", from.name(), to.name())
        }
        Refusal::NotAssignable { status } => format!("not assignable: {}", status.name()),
        Refusal::AgentInactive(_) => "inactive".to_owned(),
        Refusal::AgentLevelTooLow { required, .. } => {
            assert_eq!(required.get(), 2);
            "level too low".to_owned()
        }
    }
}
