//! The HTTP side: routes, data transfer objects, extractors, middleware, problem documents.
//!
//! The only crate that knows actix.

mod address;
mod deps;
mod server;
mod settings;

pub use address::{Network, NotANetwork};
pub use deps::{BrokerHealth, HttpDeps};
pub use server::{HttpServer, install_metrics};
pub use settings::{AuthSettings, CorsSettings, HttpSettings, ThrottleSettings};
