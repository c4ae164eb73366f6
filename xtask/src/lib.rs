//! `cargo xtask …`: every command a developer or CI needs, with nothing to install but Rust and a C compiler.
//!
//! The library half exists for the `tests` crate: [`provision`] starts private servers for it, to be killed, and [`chaos`]
//! does a small run; [`sheets`] makes files to import.

mod bench;
pub mod chaos;
mod check;
mod cli;
mod desk;
mod down;
mod environment;
mod error;
mod figures;
mod import;
mod migrate;
mod outbox;
mod probe;
mod process;
mod programs;
mod progress;
pub mod provision;
mod psql;
mod schemathesis;
mod seed;
mod service;
pub mod sheets;
mod signals;
mod stage;
mod target_database;
mod test;
mod up;
mod wait;
mod workspace;

pub use check::layering;
pub use cli::main;
pub use error::{Error, Result};
