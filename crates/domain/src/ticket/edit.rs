//! Changing what a ticket says, and what it was promised.

use super::{Priority, Tags};
use crate::{
    ClientTier,
    sla::Policy,
    text::{Description, Title},
};

/// What to make of a ticket. `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Edit {
    /// In a few words.
    pub title: Option<Title>,
    /// In full.
    pub description: Option<Description>,
    /// How urgent, with the policy in force for it.
    pub priority: Option<(Priority, Policy)>,
    /// All of them; the ones before are gone.
    pub tags: Option<Tags>,
}

/// A value that is another one now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced<T> {
    /// As it was.
    pub before: T,
    /// As it is.
    pub after: T,
}

/// What an edit changed. `None` did not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Edited {
    /// In a few words.
    pub title: Option<Replaced<Title>>,
    /// In full.
    pub description: Option<Replaced<Description>>,
    /// How urgent.
    pub priority: Option<Replaced<Priority>>,
    /// All of them.
    pub tags: Option<Replaced<Tags>>,
    /// The tier of the ticket's client.
    pub tier: Option<Replaced<ClientTier>>,
}

/// Puts `new` in the place of `old`, if it is another one.
pub(super) fn replace<T: Clone + PartialEq>(old: &mut T, new: Option<T>) -> Option<Replaced<T>> {
    let new = new.filter(|new| new != old)?;
    Some(Replaced { before: std::mem::replace(old, new.clone()), after: new })
}
