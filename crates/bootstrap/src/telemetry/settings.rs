//! Settings of the log.

use garde::Validate;
use serde::Deserialize;
use tracing_subscriber::filter::Targets;

/// Section `[log]`.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct LogSettings {
    /// The least severe level that is written: `off`, `error`, `warn`, `info`, `debug` or `trace`.
    #[garde(custom(is_level))]
    pub level: String,
    /// Exceptions by target, for example `lapin=warn,techsupport_http=debug`; may be empty.
    #[garde(custom(is_filter))]
    pub filter: String,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { level: "info".to_owned(), filter: String::new() }
    }
}

impl LogSettings {
    /// Level and exceptions together.
    pub(super) fn targets(&self) -> Result<Targets, String> {
        let directives = match self.filter.trim() {
            "" => self.level.clone(),
            filter => format!("{},{filter}", self.level),
        };
        directives.parse::<Targets>().map_err(|error| error.to_string())
    }
}

fn is_level<C>(level: &str, _: &C) -> garde::Result {
    match level {
        "off" | "error" | "warn" | "info" | "debug" | "trace" => Ok(()),
        _ => Err(garde::Error::new("must be off, error, warn, info, debug or trace")),
    }
}

fn is_filter<C>(filter: &str, _: &C) -> garde::Result {
    let settings = LogSettings { filter: filter.to_owned(), ..LogSettings::default() };
    match settings.targets() {
        Ok(_) => Ok(()),
        Err(error) => {
            Err(garde::Error::new(format!("must be a list like lapin=warn,techsupport_http=debug: {error}")))
        }
    }
}
