//! Composition root of the worker: turns events from the broker into notifications.
//!
//! Any number of workers may run, and each may be killed at any moment: a message is acknowledged only after
//! its outcome is recorded, and repeats are recognized.

mod cli;
mod deliver;
mod settings;
mod worker;

pub use cli::run_from_command_line;
pub use settings::{SlaWorkerSettings, WorkerSettings};
pub use worker::{WorkerError, run};
