//! Section `[monitor]`.

use std::net::IpAddr;

use garde::Validate;
use serde::Deserialize;

/// Section `[monitor]` of the settings.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct MonitorSettings {
    /// Whether there is one.
    #[garde(skip)]
    pub enabled: bool,
    /// The address to listen on.
    #[garde(skip)]
    pub bind: IpAddr,
    /// The port to listen on; 0 lets the operating system choose.
    #[garde(skip)]
    pub port: u16,
    /// How long a call may take, from the first byte to the last, in milliseconds.
    #[garde(range(min = 100, max = 60_000))]
    pub timeout_ms: u64,
    /// Callers that are answered at once; more are turned away.
    #[garde(range(min = 1, max = 1_000))]
    pub max_connections: usize,
}
