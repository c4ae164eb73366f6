//! What people ask for, in short.

use techsupport_application::tickets::{
    AddComment, AssignTicket, ChangeStatus, DeleteTicket, EditTicket, Expected, OpenTicket, Remark,
    RestoreTicket,
};
use techsupport_domain::{
    AgentId, ClientId, TicketId,
    text::{Description, Title},
    ticket::{Priority, Status, Tags},
};

pub fn opening(client: ClientId) -> OpenTicket {
    OpenTicket {
        title: Title::parse("The printer is on fire").unwrap(),
        description: Description::parse("Smoke since nine o'clock.").unwrap(),
        client,
        priority: Priority::default(),
        tags: Tags::default(),
    }
}

pub fn to_status(ticket: TicketId, to: Status) -> ChangeStatus {
    ChangeStatus { ticket, expected: Expected::Anything, to, comment: None }
}

pub fn to_agent(ticket: TicketId, agent: Option<AgentId>) -> AssignTicket {
    AssignTicket { ticket, expected: Expected::Anything, agent }
}

pub fn deletion(ticket: TicketId) -> DeleteTicket {
    DeleteTicket { ticket, expected: Expected::Anything }
}

pub fn restoration(ticket: TicketId) -> RestoreTicket {
    RestoreTicket { ticket, expected: Expected::Anything }
}

pub fn saying(ticket: TicketId, comment: Remark) -> AddComment {
    AddComment { ticket, expected: Expected::Anything, comment }
}

/// An edit that changes nothing yet.
pub fn edit(ticket: TicketId) -> EditTicket {
    EditTicket {
        ticket,
        expected: Expected::Anything,
        title: None,
        description: None,
        priority: None,
        tags: None,
    }
}

pub fn to_priority(ticket: TicketId, priority: i64) -> EditTicket {
    EditTicket { priority: Some(Priority::parse(priority).unwrap()), ..edit(ticket) }
}
