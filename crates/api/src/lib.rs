//! Composition root of the API: puts the adapters together, starts them in order, stops them in reverse.
//!
//! [`Api::start`] runs the whole program inside of any process, which is what the tests do; the binary adds
//! a command line and signals.

mod background;
mod cli;
mod collecting;
mod credentials;
mod database;
mod error;
mod first_admin;
mod health;
mod migrate;
mod passes;
mod production;
mod running;
mod settings;
mod start;

pub use cli::run;
pub use credentials::{BcryptPasswords, CredentialsError};
pub use error::StartError;
pub use production::refuse_weak_secrets;
pub use running::RunningApi;
pub use settings::{
    AdminSettings, ApiSettings, MigrateSettings, PasswordSettings, ProcessSettings, RelaySettings,
    SweepSettings,
};
pub use start::Api;
