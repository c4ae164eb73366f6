//! What an operator decides about the HTTP side. Every wait, queue and size has a number here, with its
//! unit in the name.

mod auth;
mod http;

pub use auth::{AuthSettings, RevocationSettings, ThrottleSettings};
pub use http::{CorsSettings, HttpSettings, RateLimitSettings, UploadSettings, WaitSettings};
