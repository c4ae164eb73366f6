//! Ports without anything behind them.

use std::sync::atomic::{AtomicBool, Ordering};

use techsupport_application::{
    AppError, Budget, Page, Paged,
    ports::{
        AccountReader, AgentFilter, AgentSpeed, AuditFilter, AuditReader, AuditRow, AverageResolution,
        Backlog, BacklogCount, BrokerFigures, BrokerQueue, ClientFilter, CommentRow, Compliance, Credentials,
        DeadLetterFilter, DeadLetterReader, DeadLetterRow, EndedSessions, EscalatedInMonth, FeedEvent,
        FeedQuery, FeedReader, ImportErrorRow, ImportReader, ImportRow, Passwords, QueueFigures, Reader,
        Readiness, ReportFilter, Reports, SessionRow, StatusInWeek, StoredRefreshToken, TicketFilter,
        TimelineRow, Tx, UnitOfWork, UserFilter,
    },
};
use techsupport_domain::{
    Agent, AgentId, Client, ClientId, ClientTier, ImportId, PolicyVersionId, Role, TicketId, User, UserId,
    sla::default_policy,
    text::{Description, Email, Title},
    ticket::{NewTicket, Priority, Tags, Ticket, TicketNumber},
};
use techsupport_http::BrokerHealth;
use time::OffsetDateTime;
use uuid::Uuid;

type OnTicket = dyn Fn(&Budget, TicketId) -> Result<Option<Ticket>, AppError> + Send + Sync;
type OnWork = dyn Fn(&Budget) -> Result<(), AppError> + Send + Sync;
type OnBacklog = dyn Fn() -> Result<Backlog, AppError> + Send + Sync;
type OnReadiness = dyn Fn() -> Result<Readiness, AppError> + Send + Sync;
type OnFeed = dyn Fn(&FeedQuery) -> Result<Option<Vec<FeedEvent>>, AppError> + Send + Sync;
type OnTickets = dyn Fn(&TicketFilter) + Send + Sync;

/// What a test lets happen when something is read.
pub struct StubReader {
    pub ticket: Box<OnTicket>,
    pub tickets: Box<OnTickets>,
    pub backlog: Box<OnBacklog>,
    pub readiness: Box<OnReadiness>,
    pub feed: Box<OnFeed>,
}

impl Default for StubReader {
    fn default() -> Self {
        Self {
            ticket: Box::new(|_, id| Ok(Some(ticket(id)))),
            tickets: Box::new(|_| {}),
            backlog: Box::new(|| Ok(Backlog::default())),
            readiness: Box::new(|| Ok(Readiness::Ready)),
            feed: Box::new(|_| Ok(Some(Vec::new()))),
        }
    }
}

pub fn ticket(id: TicketId) -> Ticket {
    let new = NewTicket {
        id,
        number: TicketNumber::new(42),
        title: Title::parse("Printer on fire").unwrap(),
        description: Description::parse("It burns").unwrap(),
        priority: Priority::default(),
        tags: Tags::default(),
        client: ClientId::new(Uuid::from_u128(2)),
        tier: ClientTier::Vip,
        policy: default_policy(PolicyVersionId::new(Uuid::from_u128(3)), ClientTier::Vip),
    };
    Ticket::open(new, OffsetDateTime::UNIX_EPOCH).state
}

fn nothing<T>() -> Paged<T> {
    Paged { rows: Vec::new(), total: Some(0), next: None }
}

impl Reader for StubReader {
    fn ticket(&self, budget: &Budget, id: TicketId) -> Result<Option<Ticket>, AppError> {
        (self.ticket)(budget, id)
    }

    fn tickets(&self, _: &Budget, filter: &TicketFilter, _: Page) -> Result<Paged<Ticket>, AppError> {
        (self.tickets)(filter);
        Ok(Paged { rows: vec![ticket(TicketId::new(Uuid::from_u128(1)))], total: Some(1), next: None })
    }

    fn comments(&self, _: &Budget, _: TicketId, _: Page) -> Result<Option<Paged<CommentRow>>, AppError> {
        Ok(Some(nothing()))
    }

    fn timeline(&self, _: &Budget, _: TicketId, _: Page) -> Result<Option<Paged<TimelineRow>>, AppError> {
        Ok(Some(nothing()))
    }

    fn history(
        &self,
        _: &Budget,
        id: TicketId,
        _: u32,
    ) -> Result<Option<(Ticket, Vec<TimelineRow>)>, AppError> {
        Ok(Some((ticket(id), Vec::new())))
    }

    fn client(&self, _: &Budget, _: ClientId) -> Result<Option<Client>, AppError> {
        Ok(None)
    }

    fn clients(&self, _: &Budget, _: &ClientFilter, _: Page) -> Result<Paged<Client>, AppError> {
        Ok(nothing())
    }

    fn agent(&self, _: &Budget, _: AgentId) -> Result<Option<Agent>, AppError> {
        Ok(None)
    }

    fn agents(&self, _: &Budget, _: &AgentFilter, _: Page) -> Result<Paged<Agent>, AppError> {
        Ok(nothing())
    }

    fn until_next_step(&self, _: &Budget) -> Result<Option<std::time::Duration>, AppError> {
        Ok(None)
    }

    fn backlog(&self, _: &Budget) -> Result<Backlog, AppError> {
        (self.backlog)()
    }

    fn readiness(&self, _: &Budget) -> Result<Readiness, AppError> {
        (self.readiness)()
    }
}

impl AccountReader for StubReader {
    fn user(&self, _: &Budget, id: UserId) -> Result<Option<User>, AppError> {
        let email = Email::parse("someone@example.org").unwrap();
        Ok(Some(User { id, email, role: Role::Agent, active: true }))
    }

    fn credentials(&self, _: &Budget, email: &str) -> Result<Option<Credentials>, AppError> {
        let user = User {
            id: UserId::new(Uuid::from_u128(9)),
            email: Email::parse(email).unwrap(),
            role: Role::Admin,
            active: true,
        };
        Ok((email == "ana@example.org")
            .then(|| Credentials { user, password_hash: "hash of correct horse".into() }))
    }

    fn has_signed_in_from(
        &self,
        _: &Budget,
        _: &str,
        _: (std::net::IpAddr, u8),
        _: std::time::Duration,
    ) -> Result<bool, AppError> {
        Ok(false)
    }

    fn refresh_token(&self, _: &Budget, _: &str) -> Result<Option<StoredRefreshToken>, AppError> {
        Ok(None)
    }

    fn users(&self, _: &Budget, _: &UserFilter, _: Page) -> Result<Paged<User>, AppError> {
        Ok(nothing())
    }

    fn credentials_of(&self, _: &Budget, _: UserId) -> Result<Option<Credentials>, AppError> {
        Ok(None)
    }

    fn sessions(&self, _: &Budget, _: UserId, _: Page) -> Result<Paged<SessionRow>, AppError> {
        Ok(nothing())
    }

    fn ended_sessions(
        &self,
        _: &Budget,
        _: Option<OffsetDateTime>,
        _: std::time::Duration,
    ) -> Result<EndedSessions, AppError> {
        Ok(EndedSessions { ids: Vec::new(), as_of: OffsetDateTime::UNIX_EPOCH })
    }
}

impl ImportReader for StubReader {
    fn import(&self, _: &Budget, _: ImportId) -> Result<Option<ImportRow>, AppError> {
        Ok(None)
    }

    fn import_errors(
        &self,
        _: &Budget,
        _: ImportId,
        _: Page,
    ) -> Result<Option<Paged<ImportErrorRow>>, AppError> {
        Ok(None)
    }
}

impl DeadLetterReader for StubReader {
    fn dead_letters(
        &self,
        _: &Budget,
        _: &DeadLetterFilter,
        _: Page,
    ) -> Result<Paged<DeadLetterRow>, AppError> {
        Ok(nothing())
    }

    fn queue_figures(&self, _: &Budget) -> Result<QueueFigures, AppError> {
        Ok(QueueFigures::default())
    }
}

impl FeedReader for StubReader {
    fn feed(&self, _: &Budget, query: &FeedQuery) -> Result<Option<Vec<FeedEvent>>, AppError> {
        (self.feed)(query)
    }
}

impl AuditReader for StubReader {
    fn audit(&self, _: &Budget, _: &AuditFilter, _: Page) -> Result<Paged<AuditRow>, AppError> {
        Ok(nothing())
    }
}

/// What a test lets happen when something is changed. The work itself is never run.
pub struct StubWork(pub Box<OnWork>);

impl Default for StubWork {
    fn default() -> Self {
        Self(Box::new(|_| {
            let reason = "postgres://secret@db is down".to_owned();
            Err(AppError::Unavailable { reason, retry_after: std::time::Duration::from_millis(2_500) })
        }))
    }
}

impl StubWork {
    /// Whatever is asked for is as good as done.
    pub fn willing() -> Self {
        Self(Box::new(|_| Ok(())))
    }
}

impl UnitOfWork for StubWork {
    fn run(
        &self,
        budget: &Budget,
        _: &mut dyn FnMut(&mut dyn Tx) -> Result<(), AppError>,
    ) -> Result<(), AppError> {
        (self.0)(budget)
    }
}

pub struct StubPasswords;

impl Passwords for StubPasswords {
    fn hash(&self, secret: &str) -> Result<String, AppError> {
        Ok(format!("hash of {secret}"))
    }

    fn verify(&self, secret: &str, hash: Option<&str>) -> Result<bool, AppError> {
        Ok(hash == Some(format!("hash of {secret}").as_str()))
    }

    fn is_common(&self, password: &str) -> bool {
        password == "password123"
    }
}

/// A broker that is up until a test says otherwise.
#[derive(Default)]
pub struct Broker {
    pub down: AtomicBool,
}

impl BrokerHealth for Broker {
    fn is_up(&self) -> bool {
        !self.down.load(Ordering::SeqCst)
    }
}

impl BrokerFigures for Broker {
    fn queues(&self, _: &Budget) -> Result<Vec<BrokerQueue>, AppError> {
        Ok(vec![BrokerQueue { name: "sla-events", ready: 3, consumers: 1, uncollected: 2 }])
    }
}

/// Nothing to report.
pub struct StubReports;

impl Reports for StubReports {
    fn average_resolution(&self, _: &Budget, _: &ReportFilter) -> Result<Vec<AverageResolution>, AppError> {
        Ok(Vec::new())
    }

    fn escalated_per_month(&self, _: &Budget, _: &ReportFilter) -> Result<Vec<EscalatedInMonth>, AppError> {
        Ok(Vec::new())
    }

    fn weekly_status(&self, _: &Budget, _: &ReportFilter) -> Result<Vec<StatusInWeek>, AppError> {
        Ok(Vec::new())
    }

    fn top_agents(&self, _: &Budget, _: &ReportFilter, _: u16) -> Result<Vec<AgentSpeed>, AppError> {
        Ok(Vec::new())
    }

    fn last_imports(&self, _: &Budget, _: u16) -> Result<Vec<ImportRow>, AppError> {
        Ok(Vec::new())
    }

    fn compliance(&self, _: &Budget, _: &ReportFilter) -> Result<Vec<Compliance>, AppError> {
        Ok(Vec::new())
    }

    fn backlog(&self, _: &Budget, _: &ReportFilter) -> Result<Vec<BacklogCount>, AppError> {
        Ok(Vec::new())
    }
}
