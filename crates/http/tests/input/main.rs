//! Whatever comes in: for every operation of the document, every member of its body, every parameter and every id, a table of
//! values that nobody should send. What the document forbids is refused with a 4xx problem that names the place, never with a 500,
//! and nothing is changed; what it allows is not refused for its form.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;

mod bodies;
mod harness;
mod headers;
mod ids;
mod members;
mod parameters;
