//! What people say about a ticket.

use crate::{CommentId, UnknownName, text::CommentBody};

/// For whom a comment is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Visibility {
    /// For the client, too: it answers.
    #[default]
    Public,
    /// For the staff alone.
    Internal,
}

impl Visibility {
    const NAMES: &'static [&'static str] = &["PUBLIC", "INTERNAL"];

    /// Reads the canonical name.
    pub fn parse(name: &str) -> Result<Self, UnknownName> {
        match name {
            "PUBLIC" => Ok(Visibility::Public),
            "INTERNAL" => Ok(Visibility::Internal),
            _ => Err(UnknownName { expected: Self::NAMES }),
        }
    }

    /// The canonical name.
    pub const fn name(self) -> &'static str {
        match self {
            Visibility::Public => "PUBLIC",
            Visibility::Internal => "INTERNAL",
        }
    }
}

/// A comment. Who wrote it, and when, is known from the change that it is part of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Identity.
    pub id: CommentId,
    /// What it says.
    pub body: CommentBody,
    /// For whom.
    pub visibility: Visibility,
}
