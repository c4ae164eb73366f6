//! Reads spreadsheets: the only crate that knows their formats.
//!
//! Files come from outside, and some are made to hurt whoever reads them: 0.5 MB that unpack to 512 MB, a claimed four
//! thousand million strings, for which the reader would ask the system at once. An allocation that fails ends the
//! process. So a file is read in a process of its own ([`run_parser`], the same binary again), which limits its memory
//! and time before it looks at the first byte, and hands rows over a pipe. Whatever becomes of it, the worker
//! ([`ProcessParser`]) only learns of a file that could not be read.

mod child;
mod frame;
mod limits;
mod parent;
mod read;

pub use child::run_parser;
pub use limits::ParserLimits;
pub use parent::ProcessParser;
