//! Tickets.

mod change;
mod dto;
mod list;
mod open;
mod timeline;

pub(crate) use change::{assign, assign_docs, change_status, change_status_docs, delete, delete_docs};
pub(crate) use list::{list, list_docs};
pub(crate) use open::{open, open_docs, show, show_docs};
pub(crate) use timeline::{timeline, timeline_docs};
