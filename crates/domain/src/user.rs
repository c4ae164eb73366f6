//! Users: who signs in.

use crate::{Role, UserId, text::Email};

/// A person or program that signs in. The password hash is not part of it: only the login sees that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Identity; the `sub` of access tokens.
    pub id: UserId,
    /// Unique whatever its letter case.
    pub email: Email,
    /// What the user may do.
    pub role: Role,
    /// An inactive user cannot sign in or refresh.
    pub active: bool,
}

impl User {
    /// Whether the user can manage users. One has to be left who can.
    pub const fn is_active_admin(&self) -> bool {
        self.active && matches!(self.role, Role::Admin)
    }
}
