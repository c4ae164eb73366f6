//! Imports of historical tickets: from an uploaded file to rows.
//!
//! An upload is stored in the database, so that any worker on any machine can read it, and an event asks for its
//! import. A worker leases the import, has the file parsed elsewhere ([`crate::ports::SheetParser`]: nothing that is in
//! a file may hurt the worker), judges each row by the rules and writes them in chunks, each with its checkpoint in one
//! transaction. Whoever takes over goes on behind the last checkpoint.

mod cell;
mod columns;
mod file;
mod request;
mod rules;
mod work;

pub use cell::{Cell, SheetRow};
pub use columns::{Column, Header, HeaderFault};
pub use file::{FileKind, FileName, sniff};
pub use request::{
    RequestImport, drop_file, list_import_errors, request_import, show_import, store_file_part,
};
pub use rules::{ImportedTicket, RowFault, judge};
pub use work::{ImportReport, ImportTerms, import_file};
