//! The settings of this program: its own section, and those of the crates it puts together.

use std::time::Duration;

use garde::Validate;
use serde::Deserialize;
use techsupport_application::imports::ImportTerms;
use techsupport_bootstrap::{clock, monitor::MonitorSettings, settings::Profile, telemetry::LogSettings};
use techsupport_messaging::{BrokerSettings, ConsumerOptions};
use techsupport_persistence::DatabaseSettings;
use techsupport_spreadsheet::ParserLimits;
use techsupport_worker::{Needs, has_a_sound_url, has_a_url};

use crate::worker::NAME;

/// Everything `import-worker` is told.
#[derive(Debug, Clone, Deserialize, Validate)]
pub struct ImportWorkerSettings {
    /// What the program is run for.
    #[garde(skip)]
    pub profile: Profile,
    /// The log.
    #[garde(dive)]
    pub log: LogSettings,
    /// PostgreSQL.
    #[garde(dive, custom(has_a_url))]
    pub database: DatabaseSettings,
    /// RabbitMQ.
    #[garde(dive, custom(has_a_sound_url))]
    pub broker: BrokerSettings,
    /// Bounds of an import.
    #[garde(dive)]
    pub imports: ImportSettings,
    /// Metrics and health.
    #[garde(dive)]
    pub monitor: MonitorSettings,
}

/// Section `[imports]`.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct ImportSettings {
    /// Imports done at once.
    #[garde(range(min = 1, max = 100))]
    pub parallelism: u16,
    /// Rows that are written together.
    #[garde(range(min = 1, max = 20_000))]
    pub chunk_rows: u32,
    /// How long a worker that says nothing is believed to be at it, in milliseconds.
    #[garde(range(min = 500, max = 600_000))]
    pub lease_ms: u64,
    /// How long a worker works on one import before it puts it back behind the others, in seconds. The broker takes a
    /// message back after 30 minutes.
    #[garde(range(min = 1, max = 1_500))]
    pub slice_s: u64,
    /// How often an import is begun without coming any further before it is given up.
    #[garde(range(min = 1, max = 1_000))]
    pub max_idle_claims: u32,
    /// With more rows than this refused, further ones are counted but not listed.
    #[garde(range(min = 1, max = 10_000_000))]
    pub max_listed_errors: u32,
    /// Rows that a file may have.
    #[garde(range(min = 1, max = 10_000_000))]
    pub max_rows: u32,
    /// The last column that may hold something.
    #[garde(range(min = 8, max = 16_384))]
    pub max_columns: u32,
    /// What an archive may unpack to, in MiB.
    #[garde(range(min = 1, max = 16_384))]
    pub max_unpacked_mib: u64,
    /// Parts that an archive may have.
    #[garde(range(min = 10, max = 60_000))]
    pub max_parts: u64,
    /// Memory of the process that reads a file, in MiB.
    #[garde(range(min = 64, max = 65_536))]
    pub parser_memory_mib: u64,
    /// Processor time of the process that reads a file, in seconds.
    #[garde(range(min = 1, max = 3_600))]
    pub parser_cpu_s: u64,
    /// How long that process may say nothing, in seconds.
    #[garde(range(min = 1, max = 3_600))]
    pub parser_silence_s: u64,
    /// How often handling a message may fail unexpectedly before it is dead-lettered.
    #[garde(range(min = 1, max = 1_000))]
    pub max_failures: u32,
    /// How long to finish the chunk that is being written once stopped, in milliseconds.
    #[garde(range(min = 1, max = 600_000))]
    pub drain_timeout_ms: u64,
    /// How long to wait for the database at the start, in milliseconds.
    #[garde(range(min = 1, max = 600_000))]
    pub database_wait_ms: u64,
    /// How often to look for files that nobody needs, in milliseconds.
    #[garde(range(min = 100, max = 86_400_000))]
    pub housekeeping_ms: u64,
    /// How long a file is kept of which no import was asked for, in seconds.
    #[garde(range(min = 60, max = 31_536_000))]
    pub orphans_after_s: u64,
    /// How long after its upload an import has to end, in seconds; then it is given up and its file goes.
    #[garde(range(min = 60, max = 31_536_000))]
    pub give_up_after_s: u64,
}

impl ImportWorkerSettings {
    pub(crate) fn needs(&self) -> Needs<'_> {
        Needs {
            name: NAME,
            profile: self.profile,
            database: self.database(),
            database_wait: Duration::from_millis(self.imports.database_wait_ms),
            broker: &self.broker,
            monitor: &self.monitor,
        }
    }

    /// The database's settings, with a connection for each import that is done at once and one for housekeeping.
    fn database(&self) -> DatabaseSettings {
        let pool_size = self.database.pool_size.max(u32::from(self.imports.parallelism) + 1);
        DatabaseSettings { pool_size, ..self.database.clone() }
    }
}

impl ImportSettings {
    pub(crate) fn terms(&self) -> ImportTerms {
        ImportTerms {
            lease: Duration::from_millis(self.lease_ms),
            chunk_rows: usize::try_from(self.chunk_rows).unwrap_or(usize::MAX),
            most_idle_claims: self.max_idle_claims,
            slice: Duration::from_secs(self.slice_s),
            silence: Duration::from_secs(self.parser_silence_s),
            most_listed: self.max_listed_errors,
        }
    }

    pub(crate) fn parser_limits(&self) -> ParserLimits {
        ParserLimits {
            memory_mib: self.parser_memory_mib,
            cpu_s: self.parser_cpu_s,
            unpacked_mib: self.max_unpacked_mib,
            parts: self.max_parts,
            rows: self.max_rows,
            columns: self.max_columns,
        }
    }

    pub(crate) fn consumer_options(&self) -> ConsumerOptions {
        ConsumerOptions {
            parallelism: self.parallelism,
            drain_timeout: Duration::from_millis(self.drain_timeout_ms),
            max_failures: self.max_failures,
            now: clock::now,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use techsupport_bootstrap::settings::{Sources, load_from};

    use super::*;

    fn with(variables: &[(&str, &str)]) -> Result<ImportWorkerSettings, String> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let sources = Sources { folder: None, variables: variables.iter().map(owned).collect() };
        load_from(&sources).map_err(|error| error.to_string())
    }

    /// Within a section, unknown and missing keys are errors; so loading the embedded files shows that
    /// files and types agree.
    #[test]
    fn the_files_and_the_types_agree() {
        let settings = with(&[]).unwrap();
        assert!(settings.database().pool_size > settings.imports.parallelism.into());
        assert_eq!(settings.imports.parser_limits().rows, settings.imports.max_rows);
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        assert!(with(&[("TECHSUPPORT__IMPORTS__CHUNK_ROWS", "0")]).unwrap_err().contains("chunk_rows"));
        assert!(with(&[("DATABASE_URL", " ")]).unwrap_err().contains("DATABASE_URL"));
    }
}
