//! The use cases against small in-memory ports: what they decide, what they write, and what they publish.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(
    unreachable_pub,
    reason = "a test binary exports nothing; pub is what a module offers to the others"
)]

mod accounts;
mod bulk;
mod changes;
mod commands;
mod deliveries;
mod fakes;
mod golden;
mod history;
mod relay;
mod repeats;
mod sweep;
mod work;
