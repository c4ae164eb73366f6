//! What is looked at afterwards. Nothing here calls code of the services, which might share their mistakes.

pub(crate) mod database;
pub(crate) mod log;

use std::collections::BTreeSet;

pub(crate) use database::Records;
pub(crate) use log::Log;

/// All that is known about a run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Evidence {
    /// The tickets that had to breach.
    pub(crate) expected: BTreeSet<String>,
    pub(crate) records: Records,
    pub(crate) log: Log,
    /// Messages that are left in queues, by queue. Dead-letter queues end in `.dlq`.
    pub(crate) left: Vec<(String, u64)>,
}
