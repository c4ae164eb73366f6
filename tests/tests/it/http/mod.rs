//! The contract over HTTP, with a real database behind it.

mod bulk;
mod commands;
mod directory_changes;
mod lists;
mod problems;
mod reports;
mod secrets;
mod timeline;
mod traces;
