//! Holds the evidence against what was promised: every ticket breached once, and a person heard of each breach once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use super::evidence::Evidence;

const BREACHED: &str = "pro.techsupport.sla.breached.v1";
const ESCALATED: &str = "SLA_ESCALATED";
/// How many of many are named.
const EXAMPLES: usize = 3;

/// What the checker found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Tickets of which nobody was told.
    pub lost: usize,
    /// Tickets of which somebody was told more than once.
    pub doubled: usize,
    /// Every difference from what was promised, one sentence each. Empty when the promise was kept.
    pub differences: Vec<String>,
}

impl Verdict {
    /// Examines everything, also after the first difference.
    pub(crate) fn of(evidence: &Evidence) -> Self {
        let mut verdict = Self::default();
        let tickets = &evidence.expected;
        let events = verdict.judge_records(evidence, tickets);
        verdict.judge_deliveries(evidence, &events);
        verdict.judge_log(evidence, tickets, &events);
        verdict.judge_tickets(evidence, tickets);
        for (queue, messages) in evidence.left.iter().filter(|(_, messages)| *messages > 0) {
            verdict.find(format!("{messages} messages are left in the queue {queue}"));
        }
        if evidence.records.unpublished > 0 {
            verdict.find(format!("{} events of the outbox are not published", evidence.records.unpublished));
        }
        if evidence.records.dead_letters > 0 {
            verdict.find(format!("{} messages were given up", evidence.records.dead_letters));
        }
        verdict
    }

    fn find(&mut self, difference: String) {
        self.differences.push(difference);
    }

    /// Compares what is there with what must be there once each; gives the numbers of missing and of repeated ones.
    fn once_each<'a, K: Ord + Display + 'a>(
        &mut self,
        what: &str,
        expected: impl Iterator<Item = &'a K>,
        found: impl Iterator<Item = &'a K>,
    ) -> (usize, usize) {
        let mut counts: BTreeMap<&K, usize> = BTreeMap::new();
        for key in found {
            *counts.entry(key).or_default() += 1;
        }
        let expected: BTreeSet<&K> = expected.collect();
        let missing: Vec<&K> = expected.iter().filter(|key| !counts.contains_key(*key)).copied().collect();
        let repeated: Vec<&K> = counts.iter().filter(|(_, count)| **count > 1).map(|(key, _)| *key).collect();
        let foreign: Vec<&K> = counts.keys().filter(|key| !expected.contains(*key)).copied().collect();
        for (problem, keys) in [
            ("is missing", &missing),
            ("is there more than once", &repeated),
            ("should not be there", &foreign),
        ] {
            if !keys.is_empty() {
                self.find(format!("{what} {problem}: {}", some_of(keys)));
            }
        }
        (missing.len(), repeated.len())
    }

    /// One step and one event for every ticket, and they name each other. Gives the events by id, with their tickets.
    fn judge_records(&mut self, evidence: &Evidence, tickets: &BTreeSet<String>) -> BTreeMap<String, String> {
        let records = &evidence.records;
        self.once_each("the step of", tickets.iter(), records.steps.iter().map(|step| &step.ticket));
        let odd = |step: &&super::evidence::database::Step| {
            step.key != 0 || step.cycle != 1 || step.metric != "FIRST_RESPONSE"
        };
        let odd: Vec<&String> = records.steps.iter().filter(odd).map(|step| &step.ticket).collect();
        if !odd.is_empty() {
            self.find(format!("a step other than the first breach was run: {}", some_of(&odd)));
        }

        self.once_each("the event about", tickets.iter(), records.events.iter().map(|event| &event.ticket));
        let steps: BTreeMap<&String, &String> =
            records.steps.iter().map(|step| (&step.event, &step.ticket)).collect();
        for event in &records.events {
            let id = &event.id;
            if event.kind != BREACHED {
                self.find(format!("the event {id} is a {}", event.kind));
            }
            if !event.published {
                self.find(format!("the event {id} is not published"));
            }
            if steps.get(id) != Some(&&event.ticket) {
                self.find(format!("the event {id} is not the one that the step of its ticket names"));
            }
            if event.document_id.as_ref() != Some(id) || event.document_ticket.as_ref() != Some(&event.ticket)
            {
                self.find(format!("the document of the event {id} names another event or ticket"));
            }
        }
        records.events.iter().map(|event| (event.id.clone(), event.ticket.clone())).collect()
    }

    /// One settled delivery and one inbox row for every event.
    fn judge_deliveries(&mut self, evidence: &Evidence, events: &BTreeMap<String, String>) {
        let (deliveries, inbox) = (&evidence.records.deliveries, &evidence.records.inbox);
        self.once_each("the delivery of the event", events.keys(), deliveries.iter().map(|row| &row.event));
        let unsettled = deliveries.iter().filter(|row| row.state != "DELIVERED" || row.channel != "log");
        let unsettled: Vec<String> = unsettled
            .map(|row| format!("{} ({}, {}, attempts: {})", row.event, row.channel, row.state, row.attempts))
            .collect();
        if !unsettled.is_empty() {
            self.find(format!("a delivery did not reach the log: {}", some_of(&unsettled)));
        }
        self.once_each("the inbox row of the event", events.keys(), inbox.iter().map(|row| &row.event));
    }

    /// One line for every ticket and for every event, each with the other that the database has.
    fn judge_log(
        &mut self,
        evidence: &Evidence,
        tickets: &BTreeSet<String>,
        events: &BTreeMap<String, String>,
    ) {
        let effects = &evidence.log.effects;
        let escalated = || effects.iter().filter(|effect| effect.kind == ESCALATED);
        (self.lost, self.doubled) =
            self.once_each("the line about", tickets.iter(), escalated().map(|effect| &effect.ticket));
        self.once_each("the line of the event", events.keys(), escalated().map(|effect| &effect.event));
        let others: Vec<String> = effects
            .iter()
            .filter(|effect| effect.kind != ESCALATED)
            .map(|effect| format!("{} about {}", effect.kind, effect.ticket))
            .collect();
        if !others.is_empty() {
            self.find(format!("a line of another type is there: {}", some_of(&others)));
        }
        let strangers = escalated()
            .filter(|effect| events.get(&effect.event).is_some_and(|ticket| *ticket != effect.ticket));
        let strangers: Vec<&String> = strangers.map(|effect| &effect.event).collect();
        if !strangers.is_empty() {
            self.find(format!("a line names another ticket than its event: {}", some_of(&strangers)));
        }
    }

    /// Every ticket was escalated once, by the desk, with version, timeline and outbox in step.
    fn judge_tickets(&mut self, evidence: &Evidence, tickets: &BTreeSet<String>) {
        self.once_each("the ticket", tickets.iter(), evidence.records.tickets.iter().map(|row| &row.id));
        for ticket in &evidence.records.tickets {
            let id = &ticket.id;
            if ticket.status != "ESCALATED" {
                self.find(format!("the ticket {id} is {}", ticket.status));
            }
            if ticket.escalations != 1 {
                self.find(format!("the ticket {id} was escalated {} times by the desk", ticket.escalations));
            }
            if ticket.version != ticket.moments {
                let (version, moments) = (ticket.version, ticket.moments);
                self.find(format!("the ticket {id} has version {version} after {moments} changes"));
            }
            if ticket.entries != ticket.events || ticket.told != ticket.entries {
                let (entries, events, told) = (ticket.entries, ticket.events, ticket.told);
                self.find(format!(
                    "the ticket {id} has {entries} entries in its timeline, {events} events, {told} of them the same"
                ));
            }
            if ticket.set_aside {
                self.find(format!("the ticket {id} was set aside by the sweep"));
            }
        }
    }
}

fn some_of<T: Display>(all: &[T]) -> String {
    let named: Vec<String> = all.iter().take(EXAMPLES).map(ToString::to_string).collect();
    let more = all.len() - named.len();
    let named = named.join(", ");
    if more == 0 { named } else { format!("{named} and {more} more") }
}

#[cfg(test)]
mod tests;
