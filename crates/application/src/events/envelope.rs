//! The CloudEvents envelope (CloudEvents 1.0.2, section 3) and what is kept of it in the outbox.

use std::fmt;

use serde::Serialize;
use techsupport_domain::{EventId, ImportId, TicketId, ticket::Ticket, ticket::TicketEvent};
use time::OffsetDateTime;

use super::{
    ImportRequestedV1, SlaBreachedV1, SlaWarningV1, TicketAssignedV1, TicketCommentedV1, TicketCreatedV1,
    TicketEditedV1, TicketStatusChangedV1, TicketVisibilityV1,
};
use crate::{Actor, AppError, TraceContext, wire_time};

/// Every type of event the desk publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventType {
    /// `pro.techsupport.sla.warning.v1`
    SlaWarning,
    /// `pro.techsupport.sla.breached.v1`
    SlaBreached,
    /// `pro.techsupport.ticket.created.v1`
    TicketCreated,
    /// `pro.techsupport.ticket.edited.v1`
    TicketEdited,
    /// `pro.techsupport.ticket.status_changed.v1`
    TicketStatusChanged,
    /// `pro.techsupport.ticket.assigned.v1`
    TicketAssigned,
    /// `pro.techsupport.ticket.commented.v1`
    TicketCommented,
    /// `pro.techsupport.ticket.deleted.v1`
    TicketDeleted,
    /// `pro.techsupport.ticket.restored.v1`
    TicketRestored,
    /// `pro.techsupport.import.requested.v1`
    ImportRequested,
}

impl EventType {
    /// Every type.
    pub const ALL: [EventType; 10] = [
        EventType::SlaWarning,
        EventType::SlaBreached,
        EventType::TicketCreated,
        EventType::TicketEdited,
        EventType::TicketStatusChanged,
        EventType::TicketAssigned,
        EventType::TicketCommented,
        EventType::TicketDeleted,
        EventType::TicketRestored,
        EventType::ImportRequested,
    ];

    const PREFIX: &'static str = "pro.techsupport.";

    /// The CloudEvents `type`.
    pub const fn name(self) -> &'static str {
        match self {
            EventType::SlaWarning => "pro.techsupport.sla.warning.v1",
            EventType::SlaBreached => "pro.techsupport.sla.breached.v1",
            EventType::TicketCreated => "pro.techsupport.ticket.created.v1",
            EventType::TicketEdited => "pro.techsupport.ticket.edited.v1",
            EventType::TicketStatusChanged => "pro.techsupport.ticket.status_changed.v1",
            EventType::TicketAssigned => "pro.techsupport.ticket.assigned.v1",
            EventType::TicketCommented => "pro.techsupport.ticket.commented.v1",
            EventType::TicketDeleted => "pro.techsupport.ticket.deleted.v1",
            EventType::TicketRestored => "pro.techsupport.ticket.restored.v1",
            EventType::ImportRequested => "pro.techsupport.import.requested.v1",
        }
    }

    /// The type with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|each| each.name() == name)
    }

    /// The name without its prefix, by which the topic exchange routes.
    pub fn routing_key(self) -> &'static str {
        self.name().strip_prefix(Self::PREFIX).unwrap_or(self.name())
    }
}

/// The document that is published.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "lowercase")]
pub struct Envelope<'a, D> {
    specversion: &'static str,
    id: String,
    source: &'static str,
    #[serde(rename = "type")]
    event_type: &'static str,
    subject: String,
    #[serde(serialize_with = "wire_time::serialize")]
    time: OffsetDateTime,
    datacontenttype: &'static str,
    traceparent: String,
    data: &'a D,
}

/// What an event is about: the `CloudEvents` `subject`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A ticket.
    Ticket(TicketId),
    /// The import of a file.
    Import(ImportId),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Ticket(id) => id.fmt(f),
            Subject::Import(id) => id.fmt(f),
        }
    }
}

/// An event as it lies in the outbox and goes to the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxMessage {
    /// The CloudEvents `id`, the outbox row's key, and the broker's message id.
    pub id: EventId,
    /// The type.
    pub event_type: EventType,
    /// What it is about.
    pub subject: Subject,
    /// When it happened.
    pub at: OffsetDateTime,
    /// The trace that caused it.
    pub traceparent: String,
    /// The CloudEvents document.
    pub body: String,
}

/// The event that tells others of `event`, if others are told.
pub(crate) fn describe(
    ticket: &Ticket,
    event: &TicketEvent,
    actor: Actor,
    at: OffsetDateTime,
    id: EventId,
    trace: TraceContext,
) -> Result<OutboxMessage, AppError> {
    let seal = Seal { id, subject: Subject::Ticket(ticket.id), at, trace };
    match event {
        TicketEvent::Created => seal.close(EventType::TicketCreated, &TicketCreatedV1::of(ticket, actor)),
        TicketEvent::StatusChanged { from, to, level_before, level_after, .. } => seal.close(
            EventType::TicketStatusChanged,
            &TicketStatusChangedV1::of(ticket, actor, (*from, *level_before), (*to, *level_after)),
        ),
        TicketEvent::Assigned { before, after } => {
            seal.close(EventType::TicketAssigned, &TicketAssignedV1::of(ticket, actor, *before, *after))
        }
        TicketEvent::Edited(edited) => {
            seal.close(EventType::TicketEdited, &TicketEditedV1::of(ticket, actor, edited))
        }
        TicketEvent::Commented(comment) => {
            seal.close(EventType::TicketCommented, &TicketCommentedV1::of(ticket, actor, comment))
        }
        TicketEvent::Deleted => {
            seal.close(EventType::TicketDeleted, &TicketVisibilityV1::of(ticket, actor, true))
        }
        TicketEvent::Restored => {
            seal.close(EventType::TicketRestored, &TicketVisibilityV1::of(ticket, actor, false))
        }
        TicketEvent::SlaWarned(due) => seal.close(EventType::SlaWarning, &SlaWarningV1::of(ticket, due)),
        TicketEvent::SlaBreached { due, escalated, needs_supervisor, level_after, .. } => seal.close(
            EventType::SlaBreached,
            &SlaBreachedV1::of(ticket, due, *escalated, *needs_supervisor, *level_after),
        ),
    }
}

/// The event that asks for the import of a file.
pub(crate) fn describe_import(
    import: ImportId,
    at: OffsetDateTime,
    id: EventId,
    trace: TraceContext,
) -> Result<OutboxMessage, AppError> {
    let seal = Seal { id, subject: Subject::Import(import), at, trace };
    seal.close(EventType::ImportRequested, &ImportRequestedV1 { process_id: import.uuid() })
}

struct Seal {
    id: EventId,
    subject: Subject,
    at: OffsetDateTime,
    trace: TraceContext,
}

impl Seal {
    fn close<D: Serialize>(self, event_type: EventType, data: &D) -> Result<OutboxMessage, AppError> {
        let traceparent = self.trace.to_string();
        let body = serde_json::to_string(&Envelope {
            specversion: "1.0",
            id: self.id.to_string(),
            source: "/techsupport-pro",
            event_type: event_type.name(),
            subject: self.subject.to_string(),
            time: self.at,
            datacontenttype: "application/json",
            traceparent: traceparent.clone(),
            data,
        })
        .map_err(AppError::internal)?;
        Ok(OutboxMessage { id: self.id, event_type, subject: self.subject, at: self.at, traceparent, body })
    }
}
