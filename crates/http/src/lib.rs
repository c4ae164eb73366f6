//! The HTTP side: routes, data transfer objects, extractors, middleware, problem documents.
//!
//! The only crate that knows actix. Start reading at `routes.rs`, the table of everything that can be
//! called; `mount.rs` has the checks that every request goes through, in their order.

mod address;
mod auth;
mod connection;
mod csv;
mod deps;
mod edge;
mod explorer;
mod feed;
mod gate;
mod grid;
mod handlers;
mod health;
mod inbound;
mod limits;
mod metrics;
mod mount;
mod openapi;
mod problem;
mod reply;
mod routes;
mod server;
mod settings;
mod state;
mod wire;

pub use address::{Network, NotANetwork};
pub use auth::Revocations;
pub use deps::{BrokerHealth, HttpDeps};
pub use feed::EventBell;
pub use grid::{GridCell, GridRow, grid, grid_rows};
pub use metrics::describe_metrics;
pub use openapi::{document as openapi, faults as openapi_faults};
pub use server::HttpServer;
pub use settings::{
    AuthSettings, CorsSettings, HttpSettings, RateLimitSettings, RevocationSettings, ThrottleSettings,
    UploadSettings, WaitSettings,
};
