//! What every binary shares: settings, telemetry, monitoring, start and end of the process, and the one source
//! each of time, identifiers and randomness.
//!
//! This crate knows none of the others: a binary brings its own settings and asks for them to be filled.

pub mod clock;
pub mod ids;
pub mod monitor;
pub mod program;
pub mod recorder;
pub mod secrets;
pub mod servers;
pub mod settings;
pub mod shutdown;
pub mod telemetry;
