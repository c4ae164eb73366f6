//! Processes that xtask starts: known by more than a number, stopped in order, always reaped.

mod foreground;
mod managed;
mod mark;

pub(crate) use foreground::run;
pub(crate) use managed::Managed;
pub(crate) use mark::{Mark, children, command_line};
pub(crate) use rustix::process::Signal;
