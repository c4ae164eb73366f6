//! What is remembered.

use std::collections::{BTreeMap, BTreeSet};

use techsupport_application::{
    TicketChange,
    ports::{AuditEntry, ChannelName, Credentials, RepeatKey, SetAside},
};
use techsupport_domain::{
    Agent, AgentId, Client, ClientId, ClientTier, EventId, SessionId, TicketId,
    sla::Policy,
    ticket::{Priority, Ticket},
};
use time::OffsetDateTime;

use super::{START, deliveries::Row, repeats::Kept};

/// A change by somebody else to this user.
pub type Meanwhile = (techsupport_domain::UserId, fn(&mut Credentials));

#[derive(Clone)]
pub struct Store {
    pub now: OffsetDateTime,
    pub tickets: BTreeMap<TicketId, Ticket>,
    pub clients: BTreeMap<ClientId, Client>,
    pub agents: BTreeMap<AgentId, Agent>,
    /// In force for every ticket when given, instead of the defaults.
    pub policy: Option<Policy>,
    /// In force for these tickets, before any other.
    pub policies: BTreeMap<(ClientTier, Priority), Policy>,
    /// Everything that was recorded, in order.
    pub recorded: Vec<TicketChange>,
    /// Tickets that no statement can write.
    pub poisoned: BTreeSet<TicketId>,
    /// Tickets that cannot be read.
    pub corrupt: BTreeSet<TicketId>,
    pub set_aside: Vec<SetAside>,
    /// Tickets whose lock somebody else holds for too long.
    pub contended_tickets: BTreeSet<TicketId>,
    /// Fails every claim in a way that goes away by itself.
    pub contended: bool,
    pub inbox: BTreeSet<(String, EventId)>,
    pub deliveries: BTreeMap<(EventId, ChannelName), Row>,
    pub users: Vec<Credentials>,
    pub sessions: BTreeMap<SessionId, Session>,
    pub tokens: BTreeMap<String, Token>,
    pub audit: Vec<AuditEntry>,
    /// What somebody else commits to a user just before the next transaction locks one.
    pub meanwhile: Option<Meanwhile>,
    pub kept: BTreeMap<RepeatKey, Kept>,
    /// Keys that another transaction has claimed.
    pub held: BTreeSet<RepeatKey>,
}

#[derive(Debug, Clone)]
pub struct Session {
    pub user: techsupport_domain::UserId,
    pub user_agent: Option<String>,
    pub revoked: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Token {
    pub id: techsupport_domain::RefreshTokenId,
    pub session: SessionId,
    pub secret_hash: String,
    pub spent: bool,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            now: START,
            tickets: BTreeMap::new(),
            clients: BTreeMap::new(),
            agents: BTreeMap::new(),
            policy: None,
            policies: BTreeMap::new(),
            recorded: Vec::new(),
            poisoned: BTreeSet::new(),
            corrupt: BTreeSet::new(),
            set_aside: Vec::new(),
            contended_tickets: BTreeSet::new(),
            contended: false,
            inbox: BTreeSet::new(),
            deliveries: BTreeMap::new(),
            users: Vec::new(),
            sessions: BTreeMap::new(),
            tokens: BTreeMap::new(),
            audit: Vec::new(),
            meanwhile: None,
            kept: BTreeMap::new(),
            held: BTreeSet::new(),
        }
    }
}
