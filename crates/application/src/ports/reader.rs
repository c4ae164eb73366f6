//! Reads that change nothing. Each sees one consistent snapshot.

use std::time::Duration;

use serde_json::Value;
use techsupport_domain::{
    Agent, AgentId, Client, ClientId, ClientTier, CommentId, EventId, TicketId, UserId,
    sla::ClockState,
    ticket::{Priority, Status, Tag, Ticket, Visibility},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{AccountReader, AuditReader, DeadLetterReader, FeedReader, ImportReader};
use crate::{AppError, Budget, Page, Paged, SortedBy};

/// Which agent a ticket has to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgentIs {
    /// None.
    Nobody,
    /// This one.
    Agent(AgentId),
}

/// The order of a list of tickets. Ties are broken by id in the same direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TicketOrder {
    /// Newest first.
    #[default]
    CreatedDesc,
    /// Oldest first.
    CreatedAsc,
    /// Most urgent first.
    PriorityAsc,
    /// Least urgent first.
    PriorityDesc,
    /// The deadline that comes first, or passed first, first: of each ticket the earliest that is still to be met.
    /// Tickets without one come last.
    DueAsc,
    /// The latest deadline first. Tickets without one come last here, too.
    DueDesc,
    /// The best answers to [`TicketFilter::words`] first: where they are in the title before those where they are in
    /// the description. Without words, newest first.
    Relevance,
}

impl TicketOrder {
    /// What the list is sorted by.
    pub const fn sorted_by(self) -> SortedBy {
        match self {
            TicketOrder::CreatedDesc | TicketOrder::CreatedAsc => SortedBy::Time,
            TicketOrder::PriorityAsc | TicketOrder::PriorityDesc => SortedBy::Number { most: 4 },
            TicketOrder::DueAsc | TicketOrder::DueDesc => SortedBy::TimeIfAny,
            TicketOrder::Relevance => SortedBy::Rank,
        }
    }
}

/// Which tickets to list. Every condition that is given has to hold; deleted tickets never appear.
#[derive(Debug, Clone, Default)]
pub struct TicketFilter {
    /// Any of these; all when empty.
    pub statuses: Vec<Status>,
    /// Exactly this.
    pub priority: Option<Priority>,
    /// Of this client.
    pub client: Option<ClientId>,
    /// Of this agent, or of none.
    pub agent: Option<AgentIs>,
    /// With this tag.
    pub tag: Option<Tag>,
    /// Created then or later.
    pub from: Option<OffsetDateTime>,
    /// Created then or earlier.
    pub to: Option<OffsetDateTime>,
    /// Changed then or later.
    pub updated_since: Option<OffsetDateTime>,
    /// With a clock in this state.
    pub sla_state: Option<ClockState>,
    /// With all of these words, or words that begin so, in title and description together.
    pub words: Option<String>,
    /// In this order.
    pub order: TicketOrder,
}

impl TicketFilter {
    /// Whether it lets every ticket through.
    pub fn is_for_all(&self) -> bool {
        let Self {
            statuses,
            priority: None,
            client: None,
            agent: None,
            tag: None,
            from: None,
            to: None,
            updated_since: None,
            sla_state: None,
            words: None,
            order: _,
        } = self
        else {
            return false;
        };
        statuses.is_empty()
    }
}

/// Which clients to list, newest first.
#[derive(Debug, Clone, Default)]
pub struct ClientFilter {
    /// Part of name, e-mail or company, whatever the letter case; `%` and `_` stand for themselves.
    pub search: Option<String>,
    /// Of this tier.
    pub tier: Option<ClientTier>,
}

/// Which agents to list, newest first.
#[derive(Debug, Clone, Default)]
pub struct AgentFilter {
    /// Part of name or e-mail, whatever the letter case; `%` and `_` stand for themselves.
    pub search: Option<String>,
    /// Active, or not.
    pub active: Option<bool>,
}

/// Who did something, as far as it is still known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimelineActor {
    /// The desk itself.
    System,
    /// A user.
    User {
        /// Who.
        id: UserId,
        /// Under which address, if the user still exists.
        email: Option<String>,
    },
}

/// One line of a ticket's history, as it is read.
#[derive(Debug, Clone, PartialEq)]
pub struct TimelineRow {
    /// Identity.
    pub id: Uuid,
    /// When.
    pub at: OffsetDateTime,
    /// Who.
    pub actor: TimelineActor,
    /// What.
    pub action: String,
    /// Only what changed, as it was.
    pub before: Value,
    /// Only what changed, as it is.
    pub after: Value,
    /// The published event that tells of it.
    pub event: EventId,
}

/// Something that was said about a ticket, as it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommentRow {
    /// Identity.
    pub id: CommentId,
    /// About which ticket.
    pub ticket: TicketId,
    /// What.
    pub body: String,
    /// For whom.
    pub visibility: Visibility,
    /// Who said it.
    pub author: UserId,
    /// Under which address.
    pub author_email: String,
    /// When.
    pub at: OffsetDateTime,
}

/// What waits to be done, for metrics. Nothing here counts what is done: that grows for ever, and so would the
/// time to count it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Backlog {
    /// Events that have not been published.
    pub outbox_pending: i64,
    /// How long the oldest of them has been waiting, in seconds.
    pub outbox_oldest_seconds: f64,
    /// Tickets the sweep has set aside.
    pub tickets_set_aside: i64,
    /// How late the sweep is: the age of the oldest step that is due and has not run, in seconds.
    pub sweep_overdue_seconds: f64,
    /// Deliveries that are under way or wait for another attempt.
    pub deliveries_pending: i64,
    /// Deliveries that were given up.
    pub deliveries_dead: i64,
    /// Changes of imported tickets that the sums of reports do not know yet, as far as somebody counted.
    pub unsummed_changes: i64,
    /// Dead letters that nobody has decided about, by subscription; one without any may be missing.
    pub dead_letters: Vec<(String, i64)>,
}

/// Whether the database can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// It answers and its schema is the one this program was built for, or a later one.
    Ready,
    /// Migrations are missing.
    SchemaBehind,
}

/// Reads that change nothing.
pub trait Reader:
    AccountReader + AuditReader + DeadLetterReader + FeedReader + ImportReader + Send + Sync
{
    /// A ticket that is not deleted.
    fn ticket(&self, budget: &Budget, id: TicketId) -> Result<Option<Ticket>, AppError>;

    /// Tickets that are not deleted.
    fn tickets(&self, budget: &Budget, filter: &TicketFilter, page: Page) -> Result<Paged<Ticket>, AppError>;

    /// The history of a ticket that is not deleted, oldest first. `None` when there is no such ticket.
    fn timeline(
        &self,
        budget: &Budget,
        id: TicketId,
        page: Page,
    ) -> Result<Option<Paged<TimelineRow>>, AppError>;

    /// A ticket that is not deleted, and of its history what can mean something to a clock, oldest first: moves,
    /// public comments, deletions and returns, SLA steps; the first `limit` of them.
    fn history(
        &self,
        budget: &Budget,
        id: TicketId,
        limit: u32,
    ) -> Result<Option<(Ticket, Vec<TimelineRow>)>, AppError>;

    /// What was said about a ticket that is not deleted, oldest first. `None` when there is no such ticket.
    fn comments(
        &self,
        budget: &Budget,
        id: TicketId,
        page: Page,
    ) -> Result<Option<Paged<CommentRow>>, AppError>;

    /// A client.
    fn client(&self, budget: &Budget, id: ClientId) -> Result<Option<Client>, AppError>;

    /// Clients.
    fn clients(&self, budget: &Budget, filter: &ClientFilter, page: Page) -> Result<Paged<Client>, AppError>;

    /// An agent.
    fn agent(&self, budget: &Budget, id: AgentId) -> Result<Option<Agent>, AppError>;

    /// Agents.
    fn agents(&self, budget: &Budget, filter: &AgentFilter, page: Page) -> Result<Paged<Agent>, AppError>;

    /// How long until the earliest SLA step is due, by the database's clock; zero when one is overdue,
    /// `None` when there is none.
    fn until_next_step(&self, budget: &Budget) -> Result<Option<Duration>, AppError>;

    /// What waits to be done.
    fn backlog(&self, budget: &Budget) -> Result<Backlog, AppError>;

    /// Whether the database can be used.
    fn readiness(&self, budget: &Budget) -> Result<Readiness, AppError>;
}
