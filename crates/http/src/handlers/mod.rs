//! What each route does: a checked DTO becomes a command, the command runs, its outcome becomes a DTO.

pub(crate) mod accounts;
pub(crate) mod agents;
pub(crate) mod clients;
mod cursor;
mod list;
mod rules;
pub(crate) mod tickets;
