//! Every test that needs PostgreSQL or RabbitMQ. Run them with `cargo xtask test`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod auth;
mod dead_letters;
mod deploy;
mod feed;
mod grid;
mod http;
mod imports;
mod listening;
mod messaging;
mod migrations;
mod programs;
mod queue;
mod races;
mod relay;
mod repeats;
mod sums;
mod sweep;
mod tickets;
mod work;
mod worker;
