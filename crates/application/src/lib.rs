//! What the desk does: use cases, the ports they need, and the events they publish.
//!
//! A use case is a function, context first. It runs from start to end on one blocking thread and never
//! talks to the broker: what has to leave the process is written to the outbox in the same transaction.

pub mod accounts;
pub mod audit;
mod budget;
mod call;
mod change;
pub mod dead_letters;
pub mod deliveries;
pub mod demo;
pub mod directory;
mod error;
pub mod events;
pub mod feed;
pub mod imports;
mod joined;
mod page;
pub mod ports;
mod relay;
pub mod repeats;
pub mod reports;
mod sweep;
pub mod tickets;
mod timeline;
mod trace;
pub mod wire_time;

pub use budget::{Budget, CommitRefused};
pub use call::{Actor, Call, Ctx, Ports};
pub use change::{Extent, StepRun, TicketChange};
pub use error::{AppError, Conflict, Entity, FieldError, Unauthenticated};
pub use joined::Joined;
pub use page::{Page, Paged, Position, SortKey, SortedBy};
pub use relay::{RelayReport, relay_outbox};
pub use sweep::{SweepReport, sweep_deadlines};
pub use timeline::{TimelineAction, TimelineEntry};
pub use trace::TraceContext;
