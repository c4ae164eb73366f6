//! Changes: one unit of work, and what can be done inside of it.

use std::time::Duration;

use techsupport_domain::{
    Agent, AgentId, AgentLevel, Client, ClientId, ClientTier, CommentId, EventId, TicketId, UserId,
    sla::Policy,
    text::{Company, Email, PersonName},
    ticket::{Priority, Ticket, TicketNumber},
};
use time::OffsetDateTime;

use super::{AccountTx, AuditTx, ChannelName, CommentRow, DeadLetterTx, ImportTx, RepeatTx};
use crate::{AppError, Budget, TicketChange};

/// Opens a transaction, runs the work in it, commits.
///
/// The adapter repeats the whole of it on a deadlock or a serialization failure, a bounded number of
/// times, and refuses to commit when any statement failed, even if the work swallowed the error, or when
/// the budget was abandoned.
pub trait UnitOfWork {
    /// `work` may run more than once: it talks to `tx` and to nothing else.
    fn run(
        &self,
        budget: &Budget,
        work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), AppError>,
    ) -> Result<(), AppError>;
}

/// Lets a unit of work return a value.
pub trait UnitOfWorkExt {
    /// As [`UnitOfWork::run`]; the value of the run that committed is returned.
    fn run_for<T>(
        &self,
        budget: &Budget,
        work: impl FnMut(&mut dyn Tx) -> Result<T, AppError>,
    ) -> Result<T, AppError>;
}

impl<W: UnitOfWork + ?Sized> UnitOfWorkExt for W {
    fn run_for<T>(
        &self,
        budget: &Budget,
        mut work: impl FnMut(&mut dyn Tx) -> Result<T, AppError>,
    ) -> Result<T, AppError> {
        let mut value = None;
        self.run(budget, &mut |tx| {
            value = Some(work(tx)?);
            Ok(())
        })?;
        value.ok_or_else(|| AppError::internal("a unit of work committed without having run"))
    }
}

/// Everything that can be done inside a transaction.
pub trait Tx:
    TicketTx + DirectoryTx + AccountTx + AuditTx + DeliveryTx + DeadLetterTx + RepeatTx + ImportTx + Scope
{
}

impl<T> Tx for T where
    T: TicketTx + DirectoryTx + AccountTx + AuditTx + DeliveryTx + DeadLetterTx + RepeatTx + ImportTx + Scope
{
}

/// Part of a transaction that can fail on its own.
pub trait Scope {
    /// Runs the work in a part of the transaction (a savepoint). When it fails, what it did is undone and the
    /// transaction goes on as if the work had never run. Locks that it took are let go, too: what has to be held
    /// until the end of the transaction is locked outside of it.
    ///
    /// What only another run of the whole transaction can mend (a deadlock, a lost connection, the end of the
    /// time) fails the transaction as ever, whatever becomes of the error.
    fn attempt(&mut self, work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), AppError>) -> Result<(), AppError>;
}

impl dyn Tx + '_ {
    /// As [`Scope::attempt`]; the value of the work is returned.
    pub fn attempt_for<T>(
        &mut self,
        mut work: impl FnMut(&mut dyn Tx) -> Result<T, AppError>,
    ) -> Result<T, AppError> {
        let mut value = None;
        self.attempt(&mut |tx| {
            value = Some(work(tx)?);
            Ok(())
        })?;
        value.ok_or_else(|| AppError::internal("a part of a transaction succeeded without having run"))
    }
}

/// What is needed to open a ticket for a client.
#[derive(Debug, Clone)]
pub struct Opening {
    /// The database's clock.
    pub now: OffsetDateTime,
    /// A fresh number. Numbers of rolled-back transactions are lost, never repeated.
    pub number: TicketNumber,
    /// The client's tier.
    pub tier: ClientTier,
    /// The policy in force for tier and priority: the most specific one.
    pub policy: Policy,
}

/// Tickets with a step that is due, locked.
#[derive(Debug)]
pub struct DueBatch {
    /// The database's clock, read after the locks were taken.
    pub now: OffsetDateTime,
    /// Locked tickets.
    pub tickets: Vec<Ticket>,
    /// Locked tickets that cannot be understood.
    pub corrupt: Vec<SetAside>,
}

/// A ticket the sweep cannot process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Which one.
    pub ticket: TicketId,
    /// Why, for the operator.
    pub reason: String,
}

/// Tickets inside a transaction.
pub trait TicketTx {
    /// The database's clock at this moment.
    fn now(&mut self) -> Result<OffsetDateTime, AppError>;

    /// Locks a ticket that is not deleted (`SELECT … FOR UPDATE`) and reads the database's clock after the
    /// lock was granted. `None` when there is no such ticket.
    fn lock_ticket(&mut self, id: TicketId) -> Result<Option<(Ticket, OffsetDateTime)>, AppError>;

    /// Locks those of these tickets that are there, in the order of their ids, before they are worked on in any
    /// other order.
    fn hold_tickets(&mut self, ids: &[TicketId]) -> Result<(), AppError>;

    /// The same as [`TicketTx::lock_ticket`] for a ticket that may be deleted.
    fn lock_any_ticket(&mut self, id: TicketId) -> Result<Option<(Ticket, OffsetDateTime)>, AppError>;

    /// Locks up to `limit` tickets of the client that come after `after` and were unresolved a moment ago, in the
    /// order of their ids, and reads the database's clock. Whoever is opening one is waited for, and waits from now
    /// on.
    fn lock_unresolved(
        &mut self,
        client: ClientId,
        after: Option<TicketId>,
        limit: u32,
    ) -> Result<(Vec<Ticket>, OffsetDateTime), AppError>;

    /// The client's tier, which stays as it is until the end of the transaction. Whoever is changing it is waited for.
    fn hold_tier(&mut self, client: ClientId) -> Result<ClientTier, AppError>;

    /// The tier of the client that the ticket's history told of last. `None` when it tells of none.
    fn told_tier(&mut self, id: TicketId) -> Result<Option<ClientTier>, AppError>;

    /// The policy in force for tier and priority: the latest version of the most specific one.
    fn policy_in_force(&mut self, tier: ClientTier, priority: Priority) -> Result<Policy, AppError>;

    /// A comment.
    fn comment(&mut self, id: CommentId) -> Result<Option<CommentRow>, AppError>;

    /// What is needed to open a ticket; the client's tier stays as it is until the end of the transaction.
    /// `None` when there is no such client.
    fn opening(&mut self, client: ClientId, priority: Priority) -> Result<Option<Opening>, AppError>;

    /// Locks up to `limit` tickets with a due step, those that wait longest first, passing over the ones
    /// that somebody else has locked.
    fn claim_due(&mut self, limit: u32) -> Result<DueBatch, AppError>;

    /// Writes tickets, clocks, steps, timeline and outbox. A ticket appears at most once in a call.
    fn record(&mut self, changes: &[TicketChange]) -> Result<(), AppError>;

    /// Hides the due clocks of these tickets from the sweep for a while, doubling with each time, starting at
    /// `at_first`. Returns those that were hidden: a ticket may have been answered since it was claimed, and
    /// then nothing of it is due any more.
    fn set_aside(&mut self, tickets: &[SetAside], at_first: Duration) -> Result<Vec<SetAside>, AppError>;
}

/// A client to enter.
#[derive(Debug, Clone)]
pub struct NewClient {
    /// A fresh id.
    pub id: ClientId,
    /// The person to talk to.
    pub name: PersonName,
    /// Unique among clients.
    pub email: Email,
    /// Which SLA policy applies.
    pub tier: ClientTier,
    /// The person's organisation.
    pub company: Company,
}

/// An agent to enter.
#[derive(Debug, Clone)]
pub struct NewAgent {
    /// A fresh id.
    pub id: AgentId,
    /// Display name.
    pub name: PersonName,
    /// Unique among agents.
    pub email: Email,
    /// Rung of the escalation ladder.
    pub level: AgentLevel,
    /// Whether tickets can be assigned.
    pub active: bool,
    /// The user the agent signs in as.
    pub user: Option<UserId>,
}

/// Clients and agents inside a transaction.
pub trait DirectoryTx {
    /// Enters a client. A taken e-mail address is a conflict.
    fn insert_client(&mut self, client: &NewClient) -> Result<Client, AppError>;

    /// Enters an agent. A taken e-mail address is a conflict, an unknown user unprocessable.
    fn insert_agent(&mut self, agent: &NewAgent) -> Result<Agent, AppError>;

    /// Locks a client (`SELECT … FOR UPDATE`): until the end of the transaction nobody else changes it, or opens
    /// a ticket for it.
    fn lock_client(&mut self, id: ClientId) -> Result<Option<Client>, AppError>;

    /// Writes a locked client. A taken e-mail address is a conflict.
    fn update_client(&mut self, client: &Client) -> Result<(), AppError>;

    /// Locks an agent (`SELECT … FOR UPDATE`): until the end of the transaction nobody else changes it, or gives
    /// it a ticket.
    fn lock_agent(&mut self, id: AgentId) -> Result<Option<Agent>, AppError>;

    /// Writes a locked agent. A taken e-mail address is a conflict, an unknown or taken user unprocessable.
    fn update_agent(&mut self, agent: &Agent) -> Result<(), AppError>;

    /// Reads an agent and keeps it from changing until the end of the transaction (`FOR SHARE`).
    fn agent(&mut self, id: AgentId) -> Result<Option<Agent>, AppError>;
}

/// Whether a delivery may be attempted now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It reached its receiver before.
    Delivered,
    /// It was given up before. The dead letter may not have been written: whoever gave it up may have died
    /// in between.
    GivenUp {
        /// Why the last attempt failed.
        reason: String,
        /// How many attempts were made.
        attempts: u32,
    },
    /// Somebody else is at it, or it is not yet time for the next attempt.
    NotYet {
        /// How long to wait before asking again.
        wait: Duration,
    },
    /// It is ours until the lease ends.
    Granted {
        /// Which attempt this is, from 1. Also the fence: a later attempt makes this one's outcome void.
        attempt: u32,
        /// How many of those came before the last replay. They do not count against the limit.
        forgiven: u32,
    },
}

/// Deliveries inside a transaction.
pub trait DeliveryTx {
    /// Whether the consumer has finished with this event before.
    fn in_inbox(&mut self, consumer: &str, event: EventId) -> Result<bool, AppError>;

    /// Remembers that the consumer has finished with this event. Doing so twice is harmless.
    fn put_in_inbox(&mut self, consumer: &str, event: EventId) -> Result<(), AppError>;

    /// Makes sure that there is one row for event and channel, and takes it for `lease`, counting the
    /// attempt.
    fn claim_delivery(
        &mut self,
        event: EventId,
        channel: ChannelName,
        lease: Duration,
    ) -> Result<Claim, AppError>;

    /// The attempt reached its receiver.
    fn delivered(&mut self, event: EventId, channel: ChannelName, attempt: u32) -> Result<(), AppError>;

    /// The attempt failed: another one follows after `retry_after`, or none when it is `None`. `false` when
    /// the attempt has nothing to say any more, because a later one was claimed or the delivery is settled.
    fn failed(
        &mut self,
        event: EventId,
        channel: ChannelName,
        attempt: u32,
        error: &str,
        retry_after: Option<Duration>,
    ) -> Result<bool, AppError>;
}
