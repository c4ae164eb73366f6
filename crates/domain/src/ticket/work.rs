//! What else happens to a ticket: edits, comments, deletion and return, and what they mean for its clocks.

use time::OffsetDateTime;

use super::{
    Comment, Decision, Edit, Edited, Status, Ticket, TicketEvent, Visibility, edit::replace, state::Outcome,
};
use crate::{
    ClientTier,
    sla::{Clock, Metric, Policy},
};

impl Ticket {
    /// Changes what the ticket says. A new priority brings the policy in force for it. What is there
    /// already changes nothing.
    pub fn edit(mut self, edit: Edit, at: OffsetDateTime) -> Decision<Ticket, TicketEvent> {
        let (priority, policy) = edit.priority.unzip();
        let edited = Edited {
            title: replace(&mut self.title, edit.title),
            description: replace(&mut self.description, edit.description),
            priority: replace(&mut self.priority, priority),
            tags: replace(&mut self.tags, edit.tags),
            tier: None,
        };
        if edited == Edited::default() {
            return Decision { state: self, events: Vec::new() };
        }
        if let (Some(_), Some(policy)) = (&edited.priority, policy) {
            self.come_under(&policy, at);
        }
        self.changed(at, vec![TicketEvent::Edited(Box::new(edited))])
    }

    /// The ticket's client is of another tier now, which brings the policy in force for it.
    pub fn reclassify(
        mut self,
        tier: ClientTier,
        policy: &Policy,
        at: OffsetDateTime,
    ) -> Decision<Ticket, TicketEvent> {
        let Some(reclassified) = self.come_to(tier) else {
            return Decision { state: self, events: Vec::new() };
        };
        self.come_under(policy, at);
        self.changed(at, vec![reclassified])
    }

    /// Work on a resolved ticket goes on, for a client of this tier and under the policy that is in force now: what
    /// changed while the ticket was resolved has not touched it.
    pub fn reopen(self, tier: ClientTier, policy: &Policy, at: OffsetDateTime) -> Outcome {
        let mut reopened = self.transition(Status::InProgress, at)?;
        reopened.events.extend(reopened.state.come_to(tier));
        reopened.state.come_under(policy, at);
        Ok(reopened)
    }

    /// Puts a comment to the ticket. A public one is an answer. The version stays: who edits the ticket
    /// meanwhile has not missed a change of it.
    pub fn comment(mut self, comment: Comment, at: OffsetDateTime) -> Decision<Ticket, TicketEvent> {
        match comment.visibility {
            Visibility::Public => self.answer(at),
            Visibility::Internal => {}
        }
        Decision { state: self, events: vec![TicketEvent::Commented(comment)] }
    }

    /// Takes the ticket out of sight. Its clocks stand still from now on.
    pub fn delete(mut self, at: OffsetDateTime) -> Decision<Ticket, TicketEvent> {
        self.deleted_at = Some(at);
        for clock in &mut self.clocks {
            clock.pause(at);
        }
        self.changed(at, vec![TicketEvent::Deleted])
    }

    /// Brings the ticket back, for a client of this tier and under the policy that is in force now. Its clocks go
    /// on where they stood; the time away is not counted. A ticket that is not away stays as it is.
    pub fn restore(
        mut self,
        tier: ClientTier,
        policy: &Policy,
        at: OffsetDateTime,
    ) -> Decision<Ticket, TicketEvent> {
        if self.deleted_at.take().is_none() {
            return Decision { state: self, events: Vec::new() };
        }
        let waiting = self.status == Status::Waiting;
        for clock in &mut self.clocks {
            match clock.metric {
                Metric::Resolution if waiting => {}
                Metric::FirstResponse | Metric::Resolution => clock.resume(at),
            }
        }
        let events = [TicketEvent::Restored].into_iter().chain(self.come_to(tier)).collect();
        self.come_under(policy, at);
        self.changed(at, events)
    }

    fn come_to(&mut self, tier: ClientTier) -> Option<TicketEvent> {
        let tier = replace(&mut self.tier, Some(tier))?;
        Some(TicketEvent::Edited(Box::new(Edited { tier: Some(tier), ..Edited::default() })))
    }

    /// Puts the clocks that have not been answered under another policy, keeping the time that they have
    /// counted and the steps that have run.
    ///
    /// A metric for which the policy promises nothing keeps the terms it had: a promise that was made is not
    /// taken back in silence. One that is promised for the first time counts from now on, since nobody can
    /// have kept a promise before it was made; whether the ticket was answered before is known from its
    /// status.
    fn come_under(&mut self, policy: &Policy, at: OffsetDateTime) {
        for metric in [Metric::FirstResponse, Metric::Resolution] {
            let Some(terms) = policy.terms(metric) else { continue };
            let owed = self.owes(metric);
            match self.clocks.iter_mut().find(|clock| clock.metric == metric) {
                Some(clock) => clock.come_under(terms),
                None if owed => {
                    let mut clock = Clock::start(metric, terms, at);
                    if metric == Metric::Resolution && self.status == Status::Waiting {
                        clock.pause(at);
                    }
                    self.clocks.push(clock);
                }
                None => {}
            }
        }
        self.clocks.sort_by_key(|clock| clock.metric);
    }

    /// Whether what a metric measures is still to be done, as far as the status tells.
    fn owes(&self, metric: Metric) -> bool {
        match metric {
            Metric::FirstResponse => self.status == Status::Open,
            Metric::Resolution => !self.status.is_answered(),
        }
    }
}
