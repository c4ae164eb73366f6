//! Tickets: what may happen to one, and what follows.

mod comment;
mod decision;
mod edit;
mod event;
mod level;
mod priority;
mod refusal;
mod state;
mod status;
mod tags;
mod work;

pub use comment::{Comment, Visibility};
pub use decision::Decision;
pub use edit::{Edit, Edited, Replaced};
pub use event::TicketEvent;
pub use level::EscalationLevel;
pub use priority::{Priority, PriorityError};
pub use refusal::Refusal;
pub use state::{NewTicket, Ticket, TicketNumber};
pub use status::Status;
pub use tags::{Tag, TagError, Tags};
