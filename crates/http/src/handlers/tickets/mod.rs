//! Tickets.

mod change;
mod dto;
mod list;
mod open;
mod timeline;

pub(crate) use change::{assign, change_status, delete};
pub(crate) use list::list;
pub(crate) use open::{open, show};
pub(crate) use timeline::timeline;
