//! What each route does: a checked DTO becomes a command, the command runs, its outcome becomes a DTO.

pub(crate) mod accounts;
pub(crate) mod agents;
pub(crate) mod audit;
pub(crate) mod clients;
mod cursor;
pub(crate) mod dead_letters;
pub(crate) mod events;
pub(crate) mod files;
mod list;
pub(crate) mod queue;
pub(crate) mod reports;
mod rules;
pub(crate) mod sessions;
pub(crate) mod tickets;
pub(crate) mod users;
