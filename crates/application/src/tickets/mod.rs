//! Working on tickets. Every change takes the same road: lock, notice, compare, decide, record.

mod assign;
mod bulk;
mod change;
mod comment;
mod delete;
mod edit;
mod expected;
mod ledger;
mod open;
mod read;
mod reclassify;
mod restore;
mod status;

pub use assign::{AssignTicket, assign_ticket};
pub use bulk::{BulkItem, Wish, change_in_bulk};
pub use comment::{AddComment, Remark, add_comment};
pub use delete::{DeleteTicket, delete_ticket};
pub use edit::{EditTicket, edit_ticket};
pub use expected::Expected;
pub use ledger::{Ledger, LedgerPage, RanStep, sla_ledger};
pub use open::{OpenTicket, open_ticket};
pub use read::{list_tickets, show_ticket, ticket_comments, ticket_timeline};
pub use reclassify::reclassify;
pub use restore::{RestoreTicket, restore_ticket};
pub use status::{ChangeStatus, change_status};
