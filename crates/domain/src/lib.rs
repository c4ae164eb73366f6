//! The rules of the desk: tickets and their transitions, SLA clocks and policies, clients, agents,
//! users and roles.
//!
//! Everything here is pure. Nothing reads a clock, draws a random number, touches a socket or knows how
//! it is stored or shown: time and identifiers arrive as arguments, decisions leave as values.

mod agent;
mod client;
mod ids;
mod periods;
mod role;
pub mod sla;
pub mod text;
pub mod ticket;
mod user;
mod zone;

pub use agent::{Agent, AgentLevel, AgentLevelError};
pub use client::{Client, ClientTier};
pub use ids::{
    AgentId, ClientId, CommentId, EventId, ImportId, PolicyVersionId, RefreshTokenId, SessionId, TicketId,
    UserId,
};
pub use periods::{Period, Stretch};
pub use role::{Permission, Role};
pub use user::User;
pub use zone::{Zone, ZoneError};

/// A name that is not one of a closed set, for example an unknown status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not one of {}", .expected.join(", "))]
pub struct UnknownName {
    /// Every name that would have been accepted, in its canonical spelling.
    pub expected: &'static [&'static str],
}
