//! Working on tickets. Every change takes the same road: lock, decide, record.

mod assign;
mod change;
mod delete;
mod open;
mod read;
mod status;

pub use assign::{AssignTicket, assign_ticket};
pub use delete::{DeleteTicket, delete_ticket};
pub use open::{OpenTicket, open_ticket};
pub use read::{list_tickets, show_ticket, ticket_timeline};
pub use status::{ChangeStatus, change_status};
