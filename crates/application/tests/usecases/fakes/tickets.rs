//! Tickets inside a transaction.

use std::time::Duration;

use techsupport_application::{
    AppError, Extent, TicketChange,
    ports::{CommentRow, DueBatch, Opening, SetAside, TicketTx},
};
use techsupport_domain::{
    ClientId, ClientTier, CommentId, PolicyVersionId, TicketId,
    sla::{Policy, default_policy},
    text::{Company, Description, Email, PersonName, Title},
    ticket::{NewTicket, Priority, Tags, Ticket, TicketNumber},
};
use time::{OffsetDateTime, macros::datetime};
use uuid::Uuid;

use super::{Desk, Store, new_id};

/// What the fake database's clock says at first.
pub const START: OffsetDateTime = datetime!(2026-02-12 20:45:23.123_457 UTC);
pub const HOUR: time::Duration = time::Duration::HOUR;

impl Desk {
    /// A client in memory.
    pub fn client(&self, tier: ClientTier) -> ClientId {
        let id = ClientId::new(new_id());
        let client = techsupport_domain::Client {
            id,
            name: PersonName::parse("Ana Pérez").unwrap(),
            email: Email::parse(format!("{id}@example.org")).unwrap(),
            tier,
            company: Company::parse("Forja SL").unwrap(),
            created_at: START,
        };
        self.store().clients.insert(id, client);
        id
    }

    /// A ticket that was opened at [`START`], without anything recorded about it.
    pub fn ticket(&self, tier: ClientTier) -> TicketId {
        let id = TicketId::new(new_id());
        let client = self.client(tier);
        let mut store = self.store();
        let number = TicketNumber::new(i64::try_from(store.tickets.len()).unwrap() + 1);
        let policy = store.policy.clone();
        let new = NewTicket {
            id,
            number,
            title: Title::parse("The printer is on fire").unwrap(),
            description: Description::parse("Smoke since nine o'clock.").unwrap(),
            priority: Priority::default(),
            tags: Tags::default(),
            client,
            tier,
            policy: policy.unwrap_or_else(|| default_policy(version(), tier)),
        };
        store.tickets.insert(id, Ticket::open(new, START).state);
        id
    }

    /// Lets time pass.
    pub fn pass(&self, time: time::Duration) {
        self.store().now += time;
    }

    /// The ticket as it is stored.
    pub fn stored(&self, id: TicketId) -> Ticket {
        self.store().tickets[&id].clone()
    }
}

fn version() -> PolicyVersionId {
    PolicyVersionId::new(Uuid::from_u128(9))
}

impl TicketTx for Store {
    fn now(&mut self) -> Result<OffsetDateTime, AppError> {
        Ok(self.now)
    }

    fn lock_ticket(&mut self, id: TicketId) -> Result<Option<(Ticket, OffsetDateTime)>, AppError> {
        if self.contended_tickets.contains(&id) {
            return Err(AppError::Contention { reason: "lock timeout".to_owned() });
        }
        if self.corrupt.contains(&id) {
            return Err(AppError::Corrupt { ticket: id, reason: "status 'LOST'".to_owned() });
        }
        let ticket = self.tickets.get(&id).filter(|ticket| ticket.deleted_at.is_none());
        Ok(ticket.map(|ticket| (ticket.clone(), self.now)))
    }

    fn hold_tickets(&mut self, _: &[TicketId]) -> Result<(), AppError> {
        Ok(())
    }

    fn lock_any_ticket(&mut self, id: TicketId) -> Result<Option<(Ticket, OffsetDateTime)>, AppError> {
        Ok(self.tickets.get(&id).map(|ticket| (ticket.clone(), self.now)))
    }

    fn lock_unresolved(
        &mut self,
        client: ClientId,
        after: Option<TicketId>,
        limit: u32,
    ) -> Result<(Vec<Ticket>, OffsetDateTime), AppError> {
        let mut found: Vec<Ticket> = self
            .tickets
            .values()
            .filter(|ticket| ticket.client == client && after.is_none_or(|after| ticket.id > after))
            .filter(|ticket| !ticket.status.is_answered() && ticket.deleted_at.is_none())
            .cloned()
            .collect();
        found.sort_by_key(|ticket| ticket.id);
        found.truncate(usize::try_from(limit).unwrap());
        Ok((found, self.now))
    }

    fn hold_tier(&mut self, client: ClientId) -> Result<ClientTier, AppError> {
        self.clients.get(&client).map(|client| client.tier).ok_or_else(|| AppError::internal("no client"))
    }

    fn told_tier(&mut self, id: TicketId) -> Result<Option<ClientTier>, AppError> {
        let entries = self.recorded.iter().filter(|it| it.ticket().id == id).flat_map(TicketChange::timeline);
        let mut entries = entries.filter_map(|entry| entry.after.get("clientType")?.as_str());
        Ok(entries.next_back().map(|tier| ClientTier::parse(tier).unwrap()))
    }

    fn policy_in_force(&mut self, tier: ClientTier, priority: Priority) -> Result<Policy, AppError> {
        let specific = self.policies.get(&(tier, priority));
        Ok(specific.or(self.policy.as_ref()).cloned().unwrap_or_else(|| default_policy(version(), tier)))
    }

    fn comment(&mut self, id: CommentId) -> Result<Option<CommentRow>, AppError> {
        let said = |change: &TicketChange| {
            let comment = change.comments().iter().find(|comment| comment.id == id)?;
            Some(CommentRow {
                id,
                ticket: change.ticket().id,
                body: comment.body.to_string(),
                visibility: comment.visibility,
                author: change.actor().user()?,
                author_email: "ana@example.org".to_owned(),
                at: change.at(),
            })
        };
        Ok(self.recorded.iter().find_map(said))
    }

    fn opening(&mut self, client: ClientId, priority: Priority) -> Result<Option<Opening>, AppError> {
        let number = TicketNumber::new(1_042 + i64::try_from(self.tickets.len()).unwrap());
        let Some(tier) = self.clients.get(&client).map(|client| client.tier) else { return Ok(None) };
        Ok(Some(Opening { now: self.now, number, tier, policy: self.policy_in_force(tier, priority)? }))
    }

    fn claim_due(&mut self, limit: u32) -> Result<DueBatch, AppError> {
        if self.contended {
            return Err(AppError::Contention { reason: "deadlock".to_owned() });
        }
        let aside = |id: &TicketId| self.set_aside.iter().any(|aside| aside.ticket == *id);
        let mut due: Vec<&Ticket> = self
            .tickets
            .values()
            .filter(|ticket| !aside(&ticket.id) && ticket.next_step_at().is_some_and(|at| at <= self.now))
            .collect();
        due.sort_by_key(|ticket| ticket.next_step_at());
        due.truncate(usize::try_from(limit).unwrap());
        let (corrupt, sane): (Vec<&Ticket>, Vec<&Ticket>) =
            due.into_iter().partition(|ticket| self.corrupt.contains(&ticket.id));
        let reason = || "status 'LOST'".to_owned();
        Ok(DueBatch {
            now: self.now,
            tickets: sane.into_iter().cloned().collect(),
            corrupt: corrupt.into_iter().map(|t| SetAside { ticket: t.id, reason: reason() }).collect(),
        })
    }

    fn record(&mut self, changes: &[TicketChange]) -> Result<(), AppError> {
        for change in changes {
            let ticket = change.ticket();
            if self.poisoned.contains(&ticket.id) {
                return Err(AppError::internal("a check constraint says no"));
            }
            let stored = self.tickets.insert(ticket.id, ticket.clone());
            let next = i64::from(change.extent() != Extent::Untouched);
            assert_eq!(stored.map_or(0, |stored| stored.version) + next, ticket.version);
            self.recorded.push(change.clone());
        }
        Ok(())
    }

    fn set_aside(&mut self, tickets: &[SetAside], _: Duration) -> Result<Vec<SetAside>, AppError> {
        self.set_aside.extend_from_slice(tickets);
        Ok(tickets.to_vec())
    }
}
