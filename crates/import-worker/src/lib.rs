//! Composition root of the worker that imports files.
//!
//! Any number of workers may run, and each may be killed at any moment: an import belongs to one of them at a time, every
//! chunk of rows commits with its checkpoint, and whoever takes over goes on behind it. Files are read in a process of
//! their own, which may die of them.

mod cli;
mod housekeeping;
mod import;
mod meters;
mod settings;
mod worker;

pub use cli::run_from_command_line;
pub use settings::{ImportSettings, ImportWorkerSettings};
pub use worker::{WorkerError, run};
