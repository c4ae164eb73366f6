//! A model of one ticket, written from `api.md` and `sla-and-events.md` and from nothing else. It keeps the
//! stretches of time in which each clock ran, as a list, and derives everything from that list anew; times
//! are microseconds since the ticket was opened.

mod clock;
mod table;
mod ticket;

pub use clock::{ClockModel, Promise, Promised};
pub use table::{STATUSES, allowed};
pub use ticket::{AgentModel, TicketModel};

/// Microseconds since the ticket was opened.
pub type Us = i64;

/// One minute.
pub const MINUTE: Us = 60_000_000;
