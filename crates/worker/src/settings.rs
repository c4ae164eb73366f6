//! Rules for the settings of the servers, which name the variable that most people set.

use secrecy::ExposeSecret;
use techsupport_bootstrap::servers::{needs_broker_url, needs_database_url};
use techsupport_messaging::BrokerSettings;
use techsupport_persistence::DatabaseSettings;

/// PostgreSQL has an address that is well formed.
pub fn has_a_url<C>(database: &DatabaseSettings, _: &C) -> garde::Result {
    needs_database_url(database.url.expose_secret())
}

/// What RabbitMQ has for an address is well formed.
pub fn has_a_sound_url<C>(broker: &BrokerSettings, _: &C) -> garde::Result {
    needs_broker_url(broker.url.expose_secret())
}
