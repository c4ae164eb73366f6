//! The database: the only crate that knows SQL.
//!
//! [`Database`] hands out the adapters of the application's ports. Changes go through one unit of work
//! (`unit_of_work.rs`), which alone opens, retries and commits transactions; what PostgreSQL says when
//! something goes wrong is understood in one place (`failure.rs`).

mod database;
mod failure;
mod feed;
mod imports;
mod link;
mod listen;
mod meters;
pub mod migrate;
mod outbox;
mod policies;
mod reachability;
mod read;
mod replays;
mod reports;
mod rows;
mod schema;
mod settings;
mod tx;
mod unit_of_work;

pub use database::Database;
pub use listen::{Bells, Listener, Topic, listen};
pub use meters::describe_metrics;
pub use settings::DatabaseSettings;
