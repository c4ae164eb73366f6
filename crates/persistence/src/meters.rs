//! What is counted.

use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

const CHECKOUT: &str = "techsupport_db_checkout_seconds";
const CHECKOUT_TIMEOUTS: &str = "techsupport_db_checkout_timeouts_total";
const CONNECTIONS: &str = "techsupport_db_connections";
const IDLE: &str = "techsupport_db_connections_idle";
const CONNECT_ERRORS: &str = "techsupport_db_connect_errors_total";
const REPEATED: &str = "techsupport_db_transactions_repeated_total";
const LOCK_TIMEOUTS: &str = "techsupport_db_lock_timeouts_total";
const CANCELLED: &str = "techsupport_db_statements_cancelled_total";

/// Says what each figure means, and begins to count at zero: what first appears as one never rose. To be called
/// once a recorder is installed.
pub fn describe_metrics() {
    describe_histogram!(CHECKOUT, "How long somebody waited for a connection of the pool, by pool");
    describe_counter!(CHECKOUT_TIMEOUTS, "Waits for a connection of the pool that were in vain, by pool");
    describe_gauge!(CONNECTIONS, "Connections that are open, by pool");
    describe_gauge!(IDLE, "Connections that nobody uses, by pool");
    describe_counter!(CONNECT_ERRORS, "Tries to open a connection to the database that failed");
    describe_counter!(
        REPEATED,
        "Transactions that were run again after a deadlock or a serialization failure"
    );
    describe_counter!(LOCK_TIMEOUTS, "Statements that waited in vain for a row that somebody else held");
    describe_counter!(CANCELLED, "Statements that took too long or were cancelled");
    for name in [CONNECT_ERRORS, REPEATED, LOCK_TIMEOUTS, CANCELLED] {
        counter!(name).increment(0);
    }
}

/// The same for one pool.
pub(crate) fn pool_made(pool: &str) {
    counter!(CHECKOUT_TIMEOUTS, "pool" => pool.to_owned()).increment(0);
}

pub(crate) fn waited(pool: &str, waited: Duration, in_vain: bool) {
    histogram!(CHECKOUT, "pool" => pool.to_owned()).record(waited);
    if in_vain {
        counter!(CHECKOUT_TIMEOUTS, "pool" => pool.to_owned()).increment(1);
    }
}

pub(crate) fn connections(pool: &str, open: u32, idle: u32) {
    gauge!(CONNECTIONS, "pool" => pool.to_owned()).set(open);
    gauge!(IDLE, "pool" => pool.to_owned()).set(idle);
}

pub(crate) fn connect_failed() {
    counter!(CONNECT_ERRORS).increment(1);
}

pub(crate) fn repeated() {
    counter!(REPEATED).increment(1);
}

pub(crate) fn lock_timeout() {
    counter!(LOCK_TIMEOUTS).increment(1);
}

pub(crate) fn cancelled() {
    counter!(CANCELLED).increment(1);
}
