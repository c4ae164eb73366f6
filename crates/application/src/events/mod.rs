//! What the desk tells the world: CloudEvents 1.0 in JSON.
//!
//! Each event has its own type and version here, apart from the domain's, so that the domain can change
//! without changing what others read. The golden snapshots are the contract.

mod edit;
mod envelope;
mod import;
mod sla;
mod ticket;

pub use edit::{CommentV1, TicketCommentedV1, TicketEditedV1};
pub use envelope::{Envelope, EventType, OutboxMessage, Subject};
pub use import::ImportRequestedV1;
pub use sla::{SlaBreachedV1, SlaWarningV1};
pub use ticket::{
    ActorV1, AssigneeV1, TicketAssignedV1, TicketCreatedV1, TicketStateV1, TicketStatusChangedV1,
    TicketStatusV1, TicketVisibilityV1, VisibilityV1,
};

pub(crate) use edit::edited_members;
pub(crate) use envelope::{describe, describe_import};
