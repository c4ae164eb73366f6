//! Events about the life of a ticket: the change, before and after.

use serde::Serialize;
use techsupport_domain::{
    AgentId,
    ticket::{EscalationLevel, Status, Ticket},
};

use crate::Actor;

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ActorV1 {
    /// `USER` or `SYSTEM`.
    pub kind: &'static str,
    /// The user's id, if it was one.
    pub id: Option<String>,
}

impl ActorV1 {
    pub(super) fn of(actor: Actor) -> Self {
        match actor {
            Actor::System => Self { kind: "SYSTEM", id: None },
            Actor::User(user) => Self { kind: "USER", id: Some(user.to_string()) },
        }
    }
}

/// `pro.techsupport.ticket.created.v1`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TicketCreatedV1 {
    /// Which ticket.
    pub ticket_id: String,
    /// Its number, for people.
    pub number: String,
    /// Who opened it.
    pub actor: ActorV1,
    /// Always null: there was nothing.
    pub before: Option<TicketStateV1>,
    /// What there is.
    pub after: TicketStateV1,
}

/// A ticket as others see it when it is created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TicketStateV1 {
    /// In a few words.
    pub title: String,
    /// Where it stands.
    pub status: &'static str,
    /// 1 to 4.
    pub priority: u8,
    /// What people group it by.
    pub tags: Vec<String>,
    /// For whom.
    pub client_id: String,
    /// `VIP` or `NORMAL`.
    pub client_type: &'static str,
}

impl TicketCreatedV1 {
    pub(super) fn of(ticket: &Ticket, actor: Actor) -> Self {
        Self {
            ticket_id: ticket.id.to_string(),
            number: ticket.number.to_string(),
            actor: ActorV1::of(actor),
            before: None,
            after: TicketStateV1 {
                title: ticket.title.as_str().to_owned(),
                status: ticket.status.name(),
                priority: ticket.priority.get(),
                tags: ticket.tags.iter().map(str::to_owned).collect(),
                client_id: ticket.client.to_string(),
                client_type: ticket.tier.name(),
            },
        }
    }
}

/// `pro.techsupport.ticket.status_changed.v1`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TicketStatusChangedV1 {
    /// Which ticket.
    pub ticket_id: String,
    /// Its number, for people.
    pub number: String,
    /// Who moved it.
    pub actor: ActorV1,
    /// Where it stood.
    pub before: TicketStatusV1,
    /// Where it stands.
    pub after: TicketStatusV1,
}

/// Where a ticket stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TicketStatusV1 {
    /// The status.
    pub status: &'static str,
    /// How often it was escalated, 0 to 3.
    pub escalation_level: u8,
}

impl TicketStatusChangedV1 {
    pub(super) fn of(
        ticket: &Ticket,
        actor: Actor,
        before: (Status, EscalationLevel),
        after: (Status, EscalationLevel),
    ) -> Self {
        let place = |(status, level): (Status, EscalationLevel)| TicketStatusV1 {
            status: status.name(),
            escalation_level: level.get(),
        };
        Self {
            ticket_id: ticket.id.to_string(),
            number: ticket.number.to_string(),
            actor: ActorV1::of(actor),
            before: place(before),
            after: place(after),
        }
    }
}

/// `pro.techsupport.ticket.assigned.v1`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TicketAssignedV1 {
    /// Which ticket.
    pub ticket_id: String,
    /// Its number, for people.
    pub number: String,
    /// Who assigned it.
    pub actor: ActorV1,
    /// Whose it was.
    pub before: AssigneeV1,
    /// Whose it is.
    pub after: AssigneeV1,
}

/// Who works on a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AssigneeV1 {
    /// The agent, if there is one.
    pub agent_id: Option<String>,
}

impl TicketAssignedV1 {
    pub(super) fn of(ticket: &Ticket, actor: Actor, before: Option<AgentId>, after: Option<AgentId>) -> Self {
        let assignee = |agent: Option<AgentId>| AssigneeV1 { agent_id: agent.map(|agent| agent.to_string()) };
        Self {
            ticket_id: ticket.id.to_string(),
            number: ticket.number.to_string(),
            actor: ActorV1::of(actor),
            before: assignee(before),
            after: assignee(after),
        }
    }
}

/// `pro.techsupport.ticket.deleted.v1` and `pro.techsupport.ticket.restored.v1`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TicketVisibilityV1 {
    /// Which ticket.
    pub ticket_id: String,
    /// Its number, for people.
    pub number: String,
    /// Who deleted it, or brought it back.
    pub actor: ActorV1,
    /// What was visible.
    pub before: VisibilityV1,
    /// What is visible.
    pub after: VisibilityV1,
}

/// Whether a ticket can be seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VisibilityV1 {
    /// Whether it is soft-deleted.
    pub deleted: bool,
}

impl TicketVisibilityV1 {
    pub(super) fn of(ticket: &Ticket, actor: Actor, deleted: bool) -> Self {
        Self {
            ticket_id: ticket.id.to_string(),
            number: ticket.number.to_string(),
            actor: ActorV1::of(actor),
            before: VisibilityV1 { deleted: !deleted },
            after: VisibilityV1 { deleted },
        }
    }
}
