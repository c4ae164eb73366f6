//! What surrounds every use case: the ports, and who is calling in which trace with how much time.

use std::{net::IpAddr, sync::Arc};

use techsupport_domain::UserId;
use uuid::Uuid;

use crate::{
    Budget, Joined, TraceContext,
    ports::{Passwords, Reader, Reports, UnitOfWork},
};

/// Who did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// The desk itself: a deadline passed.
    System,
    /// A signed-in user.
    User(UserId),
}

impl Actor {
    /// The user, if it was one.
    pub const fn user(self) -> Option<UserId> {
        match self {
            Actor::System => None,
            Actor::User(user) => Some(user),
        }
    }
}

/// The outside world, as the use cases see it. Built once, in the composition root.
pub struct Ports {
    /// Changes.
    pub work: Arc<dyn UnitOfWork + Send + Sync>,
    /// Reads that change nothing.
    pub reader: Arc<dyn Reader>,
    /// Reads of reports.
    pub reports: Arc<dyn Reports>,
    /// Hashing of passwords and refresh tokens.
    pub passwords: Arc<dyn Passwords>,
    /// Fresh, time-ordered identifiers (UUID version 7, RFC 9562, section 5.7).
    pub new_id: fn() -> Uuid,
    /// Fills the bytes from the operating system's random source.
    pub random: fn(&mut [u8; 32]),
}

/// One call of a use case.
#[derive(Debug)]
pub struct Call {
    /// On whose behalf.
    pub actor: Actor,
    /// From where, when it came over the network and the address is known.
    pub origin: Option<IpAddr>,
    /// Where it belongs in a distributed trace.
    pub trace: TraceContext,
    /// How long it may take. Shared with whoever waits for it.
    pub budget: Arc<Budget>,
}

/// The context every use case takes first.
#[derive(Clone, Copy)]
pub struct Ctx<'a> {
    /// The outside world.
    pub ports: &'a Ports,
    /// This call.
    pub call: &'a Call,
    /// Where changes are made: a transaction of their own, or one that is open already ([`Joined`]).
    pub work: &'a dyn UnitOfWork,
}

impl<'a> Ctx<'a> {
    /// A call whose changes have transactions of their own.
    pub fn new(ports: &'a Ports, call: &'a Call) -> Self {
        Self { ports, call, work: ports.work.as_ref() }
    }

    /// The same call, with its changes made inside an open transaction.
    pub fn joining<'j>(self, joined: &'j Joined<'j>) -> Ctx<'j>
    where
        'a: 'j,
    {
        Ctx { ports: self.ports, call: self.call, work: joined }
    }

    /// A fresh identifier.
    pub fn new_id(&self) -> Uuid {
        (self.ports.new_id)()
    }
}
