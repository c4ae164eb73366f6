//! Tickets: what may happen to one, and what follows.

mod decision;
mod event;
mod level;
mod priority;
mod refusal;
mod state;
mod status;

pub use decision::Decision;
pub use event::TicketEvent;
pub use level::EscalationLevel;
pub use priority::{Priority, PriorityError};
pub use refusal::Refusal;
pub use state::{NewTicket, Ticket, TicketNumber};
pub use status::Status;
