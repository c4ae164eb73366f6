//! The harness of every test that needs PostgreSQL or RabbitMQ.
//!
//! [`Desk::start`] gives a test the whole program: a database of its own, broker names of its own, the API in
//! this process on a port of its own, and on request a worker. Whatever it made goes when it is dropped.
//! Tests run in parallel and share nothing; time passes by moving a ticket into the past, never by sleeping.

// A harness that cannot go on ends the test, with the place in the message.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::missing_panics_doc)]
// An answer may be thrown away once it was what was expected.
#![allow(clippy::return_self_not_must_use)]

mod broker;
mod conformance;
mod database;
mod desk;
mod environment;
mod http;
mod importer;
mod logs;
mod people;
mod poll;
mod proxy;
mod worker;

pub use broker::{Queue, TestBroker};
pub use database::{TestDatabase, await_end_of_others};
pub use desk::{Desk, DeskBuilder, system_call, ticket_id};
pub use environment::program;
pub use http::{Answer, Client};
pub use importer::ImportWorker;
pub use logs::log_lines;
pub use people::PASSWORD;
pub use poll::{LIMIT, eventually, until};
pub use proxy::Proxy;
pub use worker::{Worker, WorkerProcess};
