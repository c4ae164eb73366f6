//! Tickets.

mod bulk;
mod change;
mod comments;
mod condition;
mod dto;
mod edit;
mod ledger;
mod list;
mod open;
mod page;
mod timeline;

pub(crate) use bulk::{bulk, bulk_docs};
pub(crate) use change::{
    assign, assign_docs, change_status, change_status_docs, delete, delete_docs, restore, restore_docs,
};
pub(crate) use comments::{
    add as add_comment, add_docs as add_comment_docs, list as comments, list_docs as comments_docs,
};
pub(crate) use edit::{edit, edit_docs};
pub(crate) use ledger::{ledger, ledger_docs};
pub(crate) use list::{list, list_docs};
pub(crate) use open::{open, open_docs, show, show_docs};
pub(crate) use timeline::{timeline, timeline_docs};
