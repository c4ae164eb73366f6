//! How the broker is reached, what is declared there, and how long anything with it may take.

use std::time::Duration;

use garde::Validate;
use lapin::uri::AMQPUri;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// Section `[broker]` of the settings.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct BrokerSettings {
    /// `amqp://user:password@host:port/vhost`. Secret.
    #[garde(custom(is_amqp_url))]
    pub url: SecretString,
    /// What the names of exchange and queues begin with. With `techsupport` the exchange is
    /// `techsupport.events` and queues have bare names; with another prefix p they are `p.sla-events` and so on.
    #[garde(custom(is_prefix))]
    pub prefix: String,
    /// How long connecting, with the declaration of the topology, may take, in milliseconds.
    #[garde(range(min = 100, max = 60_000))]
    pub connect_timeout_ms: u64,
    /// How long the broker may take to confirm a batch, in milliseconds. A broker that ran out of memory or
    /// disk says nothing at all; this is how it is noticed.
    #[garde(range(min = 100, max = 60_000))]
    pub confirm_timeout_ms: u64,
    /// After how much silence a connection counts as dead, in seconds.
    #[garde(range(min = 1, max = 600))]
    pub heartbeat_s: u16,
    /// The wait before the first reconnection, in milliseconds; it doubles each time, half of it random.
    #[garde(range(min = 1, max = 60_000))]
    pub reconnect_min_ms: u64,
    /// The longest wait between reconnections, in milliseconds.
    #[garde(range(min = 1, max = 60_000), custom(is_at_least(self.reconnect_min_ms)))]
    pub reconnect_max_ms: u64,
    /// How often the broker redelivers a message before it dead-letters it. A safety net against messages
    /// that kill every worker, so keep it generous: a worker that dies charges one delivery to everything it
    /// held. Attempts are counted in the database. Fixed when a queue is first declared.
    #[garde(range(min = 10, max = 10_000))]
    pub delivery_limit: u32,
    /// Messages a queue holds at most; further ones are refused and stay in the outbox. Fixed when a queue
    /// is first declared.
    #[garde(range(min = 1_000, max = 100_000_000))]
    pub max_queue_length: u32,
    /// The waits the retry path offers, in milliseconds, shortest first. Each has a queue of its own.
    #[garde(length(min = 1, max = 10), inner(range(min = 100, max = 86_400_000)), custom(is_ascending))]
    pub retry_delays_ms: Vec<u32>,
}

impl BrokerSettings {
    pub(crate) fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms)
    }

    pub(crate) fn confirm_timeout(&self) -> Duration {
        Duration::from_millis(self.confirm_timeout_ms)
    }

    pub(crate) fn reconnect_max(&self) -> Duration {
        Duration::from_millis(self.reconnect_max_ms)
    }
}

// None of the messages below repeats the address: it holds the password.
fn is_amqp_url<C>(url: &SecretString, _: &C) -> garde::Result {
    match url.expose_secret().parse::<AMQPUri>() {
        Ok(_) => Ok(()),
        Err(_) => Err(garde::Error::new("is not of the form amqp://user:password@host:port/vhost")),
    }
}

fn is_prefix<C>(prefix: &str, _: &C) -> garde::Result {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
    if (1..=60).contains(&prefix.len()) && prefix.chars().all(fits) {
        Ok(())
    } else {
        Err(garde::Error::new("must be 1 to 60 characters of a–z, 0–9, '.', '-' and '_'"))
    }
}

fn is_at_least(least: u64) -> impl FnOnce(&u64, &()) -> garde::Result {
    move |value, ()| {
        if *value >= least { Ok(()) } else { Err(garde::Error::new("must not be below reconnect_min_ms")) }
    }
}

fn is_ascending<C>(delays: &[u32], _: &C) -> garde::Result {
    if delays.is_sorted_by(|one, next| one < next) {
        Ok(())
    } else {
        Err(garde::Error::new("must grow from one to the next"))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    pub(crate) fn settings() -> BrokerSettings {
        BrokerSettings {
            url: "amqp://guest:hunter2@127.0.0.1:5672/%2f".into(),
            prefix: "techsupport".into(),
            connect_timeout_ms: 5_000,
            confirm_timeout_ms: 5_000,
            heartbeat_s: 10,
            reconnect_min_ms: 100,
            reconnect_max_ms: 5_000,
            delivery_limit: 50,
            max_queue_length: 1_000_000,
            retry_delays_ms: vec![1_000, 5_000, 30_000],
        }
    }

    #[test]
    fn the_defaults_are_valid() {
        settings().validate().unwrap();
    }

    #[test]
    fn nonsense_is_refused_by_name_and_without_the_password() {
        type Spoil = fn(&mut BrokerSettings);
        let cases: [(&str, Spoil); 7] = [
            ("url", |s| s.url = "http://guest:hunter2@localhost".into()),
            ("prefix", |s| s.prefix = "Tech Support".into()),
            ("reconnect_max_ms", |s| s.reconnect_max_ms = 50),
            ("delivery_limit", |s| s.delivery_limit = 1),
            ("retry_delays_ms", |s| s.retry_delays_ms = vec![]),
            ("retry_delays_ms", |s| s.retry_delays_ms = vec![5_000, 1_000]),
            ("retry_delays_ms[0]", |s| s.retry_delays_ms = vec![1]),
        ];
        for (name, spoil) in cases {
            let mut settings = settings();
            spoil(&mut settings);
            let report = settings.validate().unwrap_err().to_string();
            assert!(report.contains(name), "{name}: {report}");
            assert!(!report.contains("hunter2"), "{report}");
            assert!(!format!("{settings:?}").contains("hunter2"));
        }
    }
}
