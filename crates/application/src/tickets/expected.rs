//! Which version of a ticket a wish is meant for.

use techsupport_domain::ticket::Ticket;

use crate::AppError;

/// The versions that the caller would have changed (`If-Match`, RFC 9110, section 13.1.1). Compared under the
/// ticket's lock, after overdue steps have run: so the outcome does not depend on whether a sweep came first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Expected {
    /// Whatever there is.
    #[default]
    Anything,
    /// One of these; of none when empty.
    OneOf(Vec<i64>),
}

impl Expected {
    /// Refuses a ticket of another version.
    pub(super) fn check(&self, ticket: &Ticket) -> Result<(), AppError> {
        match self {
            Expected::Anything => Ok(()),
            Expected::OneOf(versions) if versions.contains(&ticket.version) => Ok(()),
            Expected::OneOf(_) => Err(AppError::Stale),
        }
    }
}
