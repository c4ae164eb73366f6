//! `cargo xtask …`: every command a developer or CI needs, with nothing to install but Rust and a C compiler.
//!
//! The library half exists for [`provision`]: the `tests` crate starts private servers with it, to kill them.

mod check;
mod cli;
mod desk;
mod down;
mod environment;
mod error;
mod migrate;
mod probe;
mod process;
mod programs;
mod progress;
pub mod provision;
mod seed;
mod service;
mod signals;
mod target_database;
mod test;
mod up;
mod wait;
mod workspace;

pub use check::layering;
pub use cli::main;
pub use error::{Error, Result};
