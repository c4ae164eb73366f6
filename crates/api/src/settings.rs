//! The settings of this program: its own sections, and those of the crates it puts together.

mod passes;

use std::time::Duration;

use garde::Validate;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use techsupport_bootstrap::{
    servers::{needs_broker_url, needs_database_url},
    settings::Profile,
    telemetry::LogSettings,
};
use techsupport_http::{AuthSettings, HttpSettings};
use techsupport_messaging::BrokerSettings;
use techsupport_persistence::DatabaseSettings;

pub(crate) use passes::{DeadLetterSettings, FeedSettings, IdempotencySettings, ReportSettings};
pub use passes::{RelaySettings, SweepSettings};

/// Everything `techsupport-api` is told.
#[derive(Debug, Clone, Deserialize, Validate)]
pub struct ApiSettings {
    /// What the program is run for.
    #[garde(skip)]
    pub profile: Profile,
    /// The log.
    #[garde(dive)]
    pub log: LogSettings,
    /// PostgreSQL.
    #[garde(dive, custom(has_a_url), custom(outlasts_a_publish(&self.broker)))]
    pub database: DatabaseSettings,
    /// RabbitMQ.
    #[garde(dive, custom(has_a_sound_url))]
    pub broker: BrokerSettings,
    /// The server.
    #[garde(dive)]
    pub http: HttpSettings,
    /// Access tokens, their end, and the throttle.
    #[garde(dive, custom(looks_back_far_enough(self.http.request_timeout_ms, self.database.statement_timeout_ms)))]
    pub auth: AuthSettings,
    /// Hashing of passwords and refresh tokens.
    #[garde(dive)]
    pub passwords: PasswordSettings,
    /// The deadline sweep.
    #[garde(dive, custom(wakes_in_time(self.database.notify_horizon_ms)))]
    pub sweep: SweepSettings,
    /// The relay.
    #[garde(dive)]
    pub relay: RelaySettings,
    /// The event feed.
    #[garde(dive)]
    pub feed: FeedSettings,
    /// What reports read.
    #[garde(dive)]
    pub reports: ReportSettings,
    /// Messages that were given up.
    #[garde(dive)]
    pub dead_letters: DeadLetterSettings,
    /// Kept answers of repeatable requests.
    #[garde(dive)]
    pub idempotency: IdempotencySettings,
    /// The first administrator.
    #[garde(dive)]
    pub admin: AdminSettings,
    /// Start and end of the process.
    #[garde(dive)]
    pub process: ProcessSettings,
}

/// Section `[passwords]`.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct PasswordSettings {
    /// The key of the digest in front of bcrypt. Changing it makes every password and refresh token
    /// unusable. Secret.
    #[garde(custom(is_long_enough))]
    pub pepper: SecretString,
    /// The work factor of bcrypt: each step doubles the time.
    #[garde(range(min = 4, max = 16))]
    pub bcrypt_cost: u32,
}

/// Section `[admin]`.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct AdminSettings {
    /// The address of the administrator that is created on first boot.
    #[garde(length(chars, min = 3, max = 254))]
    pub email: String,
    /// The password on first boot; empty: a random one, shown once.
    #[garde(custom(is_empty_or_a_password))]
    pub password: SecretString,
}

/// Section `[process]`.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct ProcessSettings {
    /// How long to wait for the database at the start, in milliseconds.
    #[garde(range(min = 1, max = 600_000))]
    pub database_wait_ms: u64,
    /// Connections of sweep, relay, feed and forgetting together, apart from the pool of the requests.
    #[garde(range(min = 1, max = 20))]
    pub background_connections: u32,
    /// How long each background pass, and what collects dead letters, has to come to its end, in milliseconds.
    #[garde(range(min = 1, max = 600_000))]
    pub stop_wait_ms: u64,
}

/// What `techsupport-api migrate` needs: only the database.
#[derive(Debug, Clone, Deserialize, Validate)]
pub struct MigrateSettings {
    /// PostgreSQL.
    #[garde(dive, custom(has_a_url))]
    pub database: DatabaseSettings,
}

/// What may pass between the last statement before a publish and the publish, and after it.
const IDLE_MARGIN_MS: u64 = 1_000;

/// A key shorter than this could be guessed.
const MIN_PEPPER_BYTES: usize = 32;

fn is_long_enough<C>(pepper: &SecretString, _: &C) -> garde::Result {
    if pepper.expose_secret().len() < MIN_PEPPER_BYTES {
        return Err(garde::Error::new(format!("must have at least {MIN_PEPPER_BYTES} bytes")));
    }
    Ok(())
}

/// What a login accepts, `techsupport_application::accounts::check_password`, but for the list of common
/// ones: the local profile documents such a one.
fn is_empty_or_a_password<C>(password: &SecretString, _: &C) -> garde::Result {
    match password.expose_secret().chars().count() {
        0 | 8..=128 => Ok(()),
        _ => Err(garde::Error::new("must have 8 to 128 characters")),
    }
}

fn has_a_url<C>(database: &DatabaseSettings, _: &C) -> garde::Result {
    needs_database_url(database.url.expose_secret())
}

fn has_a_sound_url<C>(broker: &BrokerSettings, _: &C) -> garde::Result {
    needs_broker_url(broker.url.expose_secret())
}

/// Relay and replay publish within a transaction, over one connection: a batch of the one may have to wait for one of the
/// other. If the server ended the transaction meanwhile, every batch would be published again and again and never marked.
fn outlasts_a_publish<C>(broker: &BrokerSettings) -> impl FnOnce(&DatabaseSettings, &C) -> garde::Result {
    let needed = broker.confirm_timeout_ms.saturating_mul(2).saturating_add(IDLE_MARGIN_MS);
    move |database, _| {
        if database.idle_in_transaction_timeout_ms < needed {
            return Err(garde::Error::new(format!(
                "has an idle_in_transaction_timeout_ms less than {IDLE_MARGIN_MS} above two broker.confirm_timeout_ms"
            )));
        }
        Ok(())
    }
}

/// A login ends some time before the transaction that ends it commits: a request is given up after its timeout, or
/// has begun its commit by then, which gets no more time than a statement. What a look does not go back to is never
/// found.
fn looks_back_far_enough<C>(
    request_ms: u64,
    statement_ms: u64,
) -> impl FnOnce(&AuthSettings, &C) -> garde::Result {
    let needed = request_ms.saturating_add(statement_ms.min(request_ms));
    move |auth, _| {
        if auth.revocations.overlap_s.saturating_mul(1_000) < needed {
            return Err(garde::Error::new(format!(
                "has a revocations.overlap_s shorter than a request with its commit: {needed} ms by \
                 http.request_timeout_ms and database.statement_timeout_ms"
            )));
        }
        Ok(())
    }
}

/// A deadline beyond the horizon rings no bell: a sweep that sleeps longer than that would be late for it.
fn wakes_in_time<C>(horizon_ms: u64) -> impl FnOnce(&SweepSettings, &C) -> garde::Result {
    move |sweep, _| {
        if sweep.poll_ms > horizon_ms {
            return Err(garde::Error::new("has a poll_ms greater than database.notify_horizon_ms"));
        }
        Ok(())
    }
}

/// Milliseconds of the settings as a duration.
pub(crate) const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use techsupport_bootstrap::settings::{Sources, load_from};

    use super::*;

    const BASE: &str = include_str!("../../../config/base.toml");

    fn refused(name: &str, value: &str) -> String {
        let variables = vec![(name.to_owned(), value.to_owned())];
        load_from::<ApiSettings>(&Sources { folder: None, variables }).unwrap_err().to_string()
    }

    /// Within a section, unknown and missing keys are errors; so loading the embedded files shows that
    /// files and types agree.
    #[test]
    fn the_files_and_the_types_agree() {
        load_from::<ApiSettings>(&Sources::default()).unwrap();
        load_from::<MigrateSettings>(&Sources::default()).unwrap();
    }

    #[test]
    fn every_section_belongs_to_a_program() {
        let ours = "admin auth broker database dead_letters feed http idempotency log passwords process relay \
                    reports sweep";
        let of_the_workers = "imports monitor notifications worker";
        let known: Vec<&str> = ours.split(' ').chain(of_the_workers.split(' ')).collect();
        for line in BASE.lines().filter(|line| line.starts_with('[')) {
            let section = line.trim_start_matches('[').split([']', '.']).next().unwrap();
            assert!(known.contains(&section), "{section}");
        }
    }

    #[test]
    fn every_key_is_explained() {
        let mut explained = false;
        for line in BASE.lines() {
            if line.starts_with('#') {
                explained = true;
            } else if line.is_empty() || line.starts_with('[') {
                explained = false;
            } else {
                assert!(explained, "{line}");
            }
        }
    }

    #[test]
    fn rules_that_span_sections_are_checked() {
        assert!(refused("TECHSUPPORT__SWEEP__POLL_MS", "3600000").contains("database.notify_horizon_ms"));
        let overlap = refused("TECHSUPPORT__HTTP__REQUEST_TIMEOUT_MS", "58000");
        assert!(overlap.contains("revocations.overlap_s"), "{overlap}");
        let idle = refused("TECHSUPPORT__DATABASE__IDLE_IN_TRANSACTION_TIMEOUT_MS", "10500");
        assert!(idle.contains("broker.confirm_timeout_ms"), "{idle}");
        assert!(refused("TECHSUPPORT__BROKER__CONFIRM_TIMEOUT_MS", "7500").contains("idle_in_transaction"));
        assert!(refused("TECHSUPPORT__DATABASE__URL", " ").contains("DATABASE_URL"));
        for url in ["DATABASE_URL", "AMQP_URL"] {
            let scheme = if url == "AMQP_URL" { "amqp" } else { "postgres" };
            let message = refused(url, &format!("{scheme}://me:hun@ter@host/x"));
            assert!(message.contains(url) && message.contains("%40"), "{message}");
            assert!(!message.contains("hun") && !message.contains("ter@"), "{message}");
        }
        assert!(refused("TECHSUPPORT_ADMIN_PASSWORD", "short").contains("admin.password"));
    }

    #[test]
    fn lists_and_nested_sections_can_be_set_by_the_environment() {
        let variables = [
            ("TECHSUPPORT__HTTP__CORS__ALLOWED_ORIGINS", "https://a.example, https://b.example"),
            ("TECHSUPPORT__BROKER__RETRY_DELAYS_MS", "100,200"),
            ("TECHSUPPORT__AUTH__KEYS__NEXT", "a-key-of-at-least-thirty-two-bytes"),
            ("TECHSUPPORT__SWEEP__ENABLED", "false"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let settings: ApiSettings = load_from(&Sources { folder: None, variables }).unwrap();
        assert_eq!(settings.http.cors.allowed_origins, ["https://a.example", "https://b.example"]);
        assert_eq!(settings.broker.retry_delays_ms, [100, 200]);
        assert!(settings.auth.keys.contains_key("next") && settings.auth.keys.contains_key("local"));
        assert!(!settings.sweep.enabled);
    }

    #[test]
    fn debug_output_hides_secrets() {
        let settings: ApiSettings = load_from(&Sources::default()).unwrap();
        let shown = format!("{settings:?}");
        for secret in ["admin123", "local-development", "guest:guest"] {
            assert!(!shown.contains(secret), "{secret}");
        }
    }
}
