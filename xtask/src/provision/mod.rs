//! PostgreSQL and RabbitMQ for whoever needs them, got in this order: `DATABASE_URL` / `AMQP_URL` when set (each for itself),
//! private servers from installed programs, `apt-get install` when root on Debian or Ubuntu, Docker Compose.
//!
//! Nothing is ever done to a server, database or port that was not started here or given. Private servers listen on loopback
//! only, on ports of their own, and let everybody on this machine in: they hold demo and test data.

mod account;
pub(crate) mod apt;
mod docker;
mod installed;
mod instance;
mod local;
mod obtain;
mod plan;
mod ports;
mod postgres;
mod rabbitmq;
mod server;
mod servers;

pub use instance::instances_of;
pub use plan::Plan;
pub use server::Server;
pub use servers::Servers;

pub(crate) use installed::client as postgres_client;
pub(crate) use instance::{Instance, Ledger, is_locked, purge, sweep};
pub(crate) use ports::{free as free_port, is_free as is_free_port};
pub(crate) use servers::Recorder;
