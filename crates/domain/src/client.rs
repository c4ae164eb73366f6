//! Clients: on whose behalf tickets are opened.

use time::OffsetDateTime;

use crate::{
    ClientId, UnknownName,
    text::{Company, Email, PersonName},
};

/// The tier a client pays for; together with a ticket's priority it chooses the SLA policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ClientTier {
    /// Short targets, automatic escalation.
    Vip,
    /// A day to answer, a supervisor is told.
    Normal,
}

impl ClientTier {
    /// Every tier.
    pub const ALL: [ClientTier; 2] = [ClientTier::Vip, ClientTier::Normal];

    const NAMES: &'static [&'static str] = &["VIP", "NORMAL"];

    /// Reads the canonical name.
    pub fn parse(name: &str) -> Result<Self, UnknownName> {
        match name {
            "VIP" => Ok(ClientTier::Vip),
            "NORMAL" => Ok(ClientTier::Normal),
            _ => Err(UnknownName { expected: Self::NAMES }),
        }
    }

    /// The canonical name.
    pub const fn name(self) -> &'static str {
        match self {
            ClientTier::Vip => "VIP",
            ClientTier::Normal => "NORMAL",
        }
    }
}

/// A client of the desk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Identity.
    pub id: ClientId,
    /// The person to talk to.
    pub name: PersonName,
    /// Unique among clients, whatever its letter case.
    pub email: Email,
    /// Which SLA policy applies.
    pub tier: ClientTier,
    /// The organisation the person belongs to.
    pub company: Company,
    /// When the client was entered, by the database's clock.
    pub created_at: OffsetDateTime,
}
