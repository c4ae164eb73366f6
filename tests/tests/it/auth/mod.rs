//! Signing in and out, over HTTP.

mod accounts;
mod rotation;
mod throttle;
