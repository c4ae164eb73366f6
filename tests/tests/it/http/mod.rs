//! The contract over HTTP, with a real database behind it.

mod commands;
mod lists;
mod problems;
mod secrets;
mod timeline;
mod traces;
