//! Rows as they are stored, and how they become what the domain knows.

use std::sync::Arc;

use diesel::prelude::*;
use techsupport_domain::{
    Agent, AgentId, AgentLevel, Client, ClientId, ClientTier, Role, TicketId, User, UserId,
    sla::{Clock, Metric, Policy, Run, StepKey},
    text::{Company, Description, Email, PersonName, Title},
    ticket::{EscalationLevel, Priority, Status, Tags, Ticket, TicketNumber},
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::schema::{agents, clients, sla_clocks, tickets, users};

/// Why a row cannot be understood. The database's own checks make this a sign of tampering or of a defect.
pub(crate) type Corrupt = String;

/// A row of `tickets`.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = tickets)]
pub(crate) struct TicketRow {
    pub(crate) id: Uuid,
    number: i64,
    version: i64,
    title: String,
    description: String,
    status: String,
    pub(crate) priority: i16,
    client_id: Uuid,
    agent_id: Option<Uuid>,
    escalation_level: i16,
    pub(crate) created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
    resolved_at: Option<OffsetDateTime>,
    deleted_at: Option<OffsetDateTime>,
    tags: Vec<String>,
}

/// A row of `sla_clocks`, without what only the sweep looks at.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = sla_clocks)]
pub(crate) struct ClockRow {
    pub(crate) ticket_id: Uuid,
    metric: String,
    pub(crate) policy_version_id: Uuid,
    cycle: i16,
    started_at: OffsetDateTime,
    running_since: Option<OffsetDateTime>,
    paused_at: Option<OffsetDateTime>,
    stopped_at: Option<OffsetDateTime>,
    consumed_us: i64,
    due_at: OffsetDateTime,
    steps_run: Vec<i16>,
    warned_at: Option<OffsetDateTime>,
    breached_at: Option<OffsetDateTime>,
}

/// A clock and the policy it runs on.
pub(crate) type ClockWithPolicy = (ClockRow, Result<Arc<Policy>, Corrupt>);

impl TicketRow {
    pub(crate) fn into_ticket(self, tier: &str, clocks: Vec<ClockWithPolicy>) -> Result<Ticket, Corrupt> {
        let mut clocks = clocks.into_iter().map(clock_of).collect::<Result<Vec<_>, _>>()?;
        clocks.sort_by_key(|clock| clock.metric);
        Ok(Ticket {
            id: TicketId::new(self.id),
            number: TicketNumber::new(self.number),
            version: self.version,
            title: Title::stored(self.title).map_err(corrupt("title"))?,
            description: Description::stored(self.description).map_err(corrupt("description"))?,
            status: Status::parse(&self.status).map_err(corrupt("status"))?,
            priority: Priority::parse(i64::from(self.priority)).map_err(corrupt("priority"))?,
            tags: Tags::stored(self.tags.iter().map(String::as_str)).map_err(corrupt("tags"))?,
            client: ClientId::new(self.client_id),
            tier: tier_of(tier)?,
            agent: self.agent_id.map(AgentId::new),
            level: EscalationLevel::parse(i64::from(self.escalation_level))
                .ok_or_else(|| format!("escalation level {}", self.escalation_level))?,
            created_at: self.created_at,
            updated_at: self.updated_at,
            resolved_at: self.resolved_at,
            deleted_at: self.deleted_at,
            clocks,
        })
    }
}

fn clock_of((row, policy): ClockWithPolicy) -> Result<Clock, Corrupt> {
    let metric = Metric::parse(&row.metric).map_err(corrupt("metric"))?;
    let policy = policy?;
    let terms = policy.terms(metric).ok_or_else(|| {
        format!("policy version {} promises nothing for {}", row.policy_version_id, metric.name())
    })?;
    let run = match (row.running_since, row.paused_at, row.stopped_at) {
        (Some(since), None, None) => Run::Running { since },
        (None, Some(since), None) => Run::Paused { since },
        (None, None, Some(at)) => Run::Stopped { at },
        (_, _, _) => return Err("a clock that neither runs nor stands still".to_owned()),
    };
    Ok(Clock {
        metric,
        terms,
        cycle: u16::try_from(row.cycle).map_err(corrupt("cycle"))?,
        started_at: row.started_at,
        run,
        consumed: Duration::microseconds(row.consumed_us),
        due_at: row.due_at,
        steps_run: row.steps_run.into_iter().map(StepKey::new).collect(),
        warned_at: row.warned_at,
        breached_at: row.breached_at,
    })
}

pub(crate) fn tier_of(name: &str) -> Result<ClientTier, Corrupt> {
    ClientTier::parse(name).map_err(corrupt("tier"))
}

/// A row of `clients`.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = clients)]
pub(crate) struct ClientRow {
    pub(crate) id: Uuid,
    name: String,
    email: String,
    tier: String,
    company: String,
    pub(crate) created_at: OffsetDateTime,
}

impl ClientRow {
    pub(crate) fn into_client(self) -> Result<Client, Corrupt> {
        Ok(Client {
            id: ClientId::new(self.id),
            name: PersonName::stored(self.name).map_err(corrupt("name"))?,
            email: Email::parse(self.email).map_err(corrupt("email"))?,
            tier: tier_of(&self.tier)?,
            company: Company::stored(self.company).map_err(corrupt("company"))?,
            created_at: self.created_at,
        })
    }
}

/// A row of `agents`.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = agents)]
pub(crate) struct AgentRow {
    pub(crate) id: Uuid,
    name: String,
    email: String,
    level: i16,
    active: bool,
    user_id: Option<Uuid>,
}

impl AgentRow {
    pub(crate) fn into_agent(self) -> Result<Agent, Corrupt> {
        Ok(Agent {
            id: AgentId::new(self.id),
            name: PersonName::stored(self.name).map_err(corrupt("name"))?,
            email: Email::parse(self.email).map_err(corrupt("email"))?,
            level: AgentLevel::parse(i64::from(self.level)).map_err(corrupt("level"))?,
            active: self.active,
            user: self.user_id.map(UserId::new),
        })
    }
}

/// A row of `users`, without the hash.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = users)]
pub(crate) struct UserRow {
    pub(crate) id: Uuid,
    email: String,
    role: String,
    active: bool,
}

impl UserRow {
    pub(crate) fn into_user(self) -> Result<User, Corrupt> {
        Ok(User {
            id: UserId::new(self.id),
            email: Email::parse(self.email).map_err(corrupt("email"))?,
            role: Role::parse(&self.role).map_err(corrupt("role"))?,
            active: self.active,
        })
    }
}

fn corrupt<E: std::fmt::Display>(member: &'static str) -> impl Fn(E) -> Corrupt {
    move |error| format!("{member} {error}")
}
