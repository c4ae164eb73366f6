//! `techsupport-api health …`: what the health check of a container calls, where there is no other program.

use std::{net::SocketAddr, time::Duration};

use garde::Validate;
use serde::Deserialize;
use techsupport_bootstrap::{
    monitor::{AskError, ask},
    settings,
};
use techsupport_http::HttpSettings;

use crate::cli::CliError;

/// How much longer than its own limit a probe is waited for.
const MARGIN: Duration = Duration::from_secs(1);

/// How well an API can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Health {
    /// The process answers
    Live,
    /// Requests are answered: only the broker may be missing, and events wait for it in the outbox
    Serving,
    /// Nothing is missing
    Ready,
}

/// Why it is less well than it should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unwell {
    #[error(transparent)]
    Silent(#[from] AskError),
    #[error("{0}")]
    Lacking(String),
}

/// Where to ask.
#[derive(Debug, Deserialize, Validate)]
struct HealthSettings {
    #[garde(dive)]
    http: HttpSettings,
}

/// Succeeds when the API on this machine is as well as wanted.
pub(crate) fn run(wanted: Health) -> Result<(), CliError> {
    let HealthSettings { http } = settings::load()?;
    let path = match wanted {
        Health::Live => "/health/live",
        Health::Serving | Health::Ready => "/health/ready",
    };
    let limit = Duration::from_millis(http.readiness_timeout_ms) + MARGIN;
    let answer = ask(SocketAddr::new(http.bind, http.port), path, limit).map_err(Unwell::from)?;
    judge(wanted, answer).map_err(CliError::from)
}

fn judge(wanted: Health, (status, body): (u16, String)) -> Result<(), Unwell> {
    let enough = match wanted {
        Health::Live | Health::Ready => status == 200,
        // When every replica stopped serving because the broker is away, an outage of what can wait would
        // become one of what cannot.
        Health::Serving => status == 200 || (status == 503 && body.contains(r#""failing":"broker""#)),
    };
    if enough { Ok(()) } else { Err(Unwell::Lacking(body)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_only_lacks_the_broker_serves_but_is_not_ready() {
        let is = |wanted, status, body: &str| judge(wanted, (status, body.to_owned())).is_ok();
        assert!(is(Health::Ready, 200, "{}") && is(Health::Serving, 200, "{}"));
        let lacking = |part: &str| format!(r#"{{"status":503,"failing":"{part}"}}"#);
        assert!(is(Health::Serving, 503, &lacking("broker")) && !is(Health::Ready, 503, &lacking("broker")));
        assert!(
            !is(Health::Serving, 503, &lacking("database")) && !is(Health::Serving, 404, &lacking("broker"))
        );
    }
}
