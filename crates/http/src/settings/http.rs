//! Section `[http]`.

use std::{net::IpAddr, time::Duration};

use garde::Validate;
use serde::Deserialize;

use crate::address::Network;

/// Section `[http]` of the settings.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct HttpSettings {
    /// The address to listen on.
    #[garde(skip)]
    pub bind: IpAddr,
    /// The port to listen on; 0 lets the operating system choose.
    #[garde(skip)]
    pub port: u16,
    /// Event loops. 0 stands for one a core.
    #[garde(range(max = 256))]
    pub workers: usize,
    /// Connections that may wait to be accepted.
    #[garde(range(min = 1, max = 65_535))]
    pub backlog: u16,
    /// Connections that each event loop serves at once.
    #[garde(range(min = 1, max = 1_000_000))]
    pub max_connections_per_worker: usize,
    /// How long a request may take from its head to its answer, in milliseconds. Then it is answered with
    /// 503 and nothing it did is kept.
    #[garde(range(min = 100, max = 300_000))]
    pub request_timeout_ms: u64,
    /// How long the head of a request may take to arrive, in milliseconds.
    #[garde(range(min = 100, max = 60_000))]
    pub header_timeout_ms: u64,
    /// How long the body of a request may take to arrive, in milliseconds.
    #[garde(range(min = 100, max = 300_000))]
    pub body_timeout_ms: u64,
    /// How long the caller may take none of the answer's bytes, in milliseconds. Then the connection is
    /// given up.
    #[garde(range(min = 100, max = 300_000))]
    pub write_timeout_ms: u64,
    /// The largest body, in bytes.
    #[garde(range(min = 1_024, max = 67_108_864))]
    pub max_body_bytes: usize,
    /// Use cases that run at once. 0 stands for one less than the database connections
    /// that requests may use.
    #[garde(range(max = 1_000))]
    pub max_in_flight: usize,
    /// Requests that may wait for their turn to run; more are answered with 503 at once.
    #[garde(range(max = 100_000))]
    pub max_waiting: usize,
    /// Requests that hash passwords or tokens at once. Each takes a processor for a twentieth of a second
    /// and more, so a few of them saturate a machine.
    #[garde(range(min = 1, max = 256))]
    pub bcrypt_parallelism: usize,
    /// What `Retry-After` of a 503 says, in seconds.
    #[garde(range(min = 1, max = 3_600))]
    pub retry_after_s: u64,
    /// How long an idle connection is kept, in seconds.
    #[garde(range(min = 1, max = 3_600))]
    pub keep_alive_s: u64,
    /// How long a stopping server still takes requests over the connections it has, and ends each with its next answer,
    /// in milliseconds. Over a connection that is closed without notice there may be a request on its way.
    #[garde(range(max = 60_000))]
    pub leave_ms: u64,
    /// How long a stopping server waits, after that, for the requests under way, in seconds. Longer than
    /// `request_timeout_ms`, or requests are cut off.
    #[garde(range(min = 1, max = 600))]
    pub shutdown_timeout_s: u64,
    /// How long a caller that closed its side of the connection is still worked for, in milliseconds. Some
    /// send their request and close that half at once.
    #[garde(range(max = 60_000))]
    pub disconnect_grace_ms: u64,
    /// How long a readiness probe may take, in milliseconds.
    #[garde(range(min = 10, max = 30_000))]
    pub readiness_timeout_ms: u64,
    /// How old the figures on `/metrics` that are read from the database may be, in milliseconds.
    #[garde(range(min = 100, max = 600_000))]
    pub backlog_refresh_ms: u64,
    /// Proxies whose `X-Forwarded-For` is believed: addresses or networks (`10.0.0.0/8`). Nobody else's is.
    #[garde(skip)]
    pub trusted_proxies: Vec<Network>,
    /// How often one caller may call.
    #[garde(dive)]
    pub rate_limit: RateLimitSettings,
    /// Files that arrive.
    #[garde(dive)]
    pub uploads: UploadSettings,
    /// Those who wait for events.
    #[garde(dive)]
    pub feed: WaitSettings,
    /// Who may call from a browser.
    #[garde(dive)]
    pub cors: CorsSettings,
}

/// Section `[http.rate_limit]` of the settings.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct RateLimitSettings {
    /// Whether anybody is limited.
    #[garde(skip)]
    pub enabled: bool,
    /// Requests that one caller may make within a window, at once if need be.
    #[garde(range(min = 1, max = 1_000_000))]
    pub requests: u32,
    /// The window, in seconds.
    #[garde(range(min = 1, max = 86_400))]
    pub window_s: u64,
    /// Users, and addresses, that are remembered; when there are more, all of that kind share one place.
    #[garde(range(min = 1, max = 10_000_000))]
    pub max_tracked: usize,
}

/// Section `[http.uploads]` of the settings.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct UploadSettings {
    /// The largest file, in bytes.
    #[garde(range(min = 1_024, max = 1_073_741_824))]
    pub max_file_bytes: u64,
    /// The parts in which it is stored while it arrives, in bytes.
    #[garde(range(min = 65_536, max = 8_388_608))]
    pub part_bytes: usize,
    /// How long it may take to arrive, in milliseconds. Less than `request_timeout_ms`.
    #[garde(range(min = 100, max = 300_000))]
    pub timeout_ms: u64,
    /// Files that may arrive at once.
    #[garde(range(min = 1, max = 1_000))]
    pub max_at_once: usize,
    /// No further file is taken while so many imports have not ended.
    #[garde(range(min = 1, max = 100_000))]
    pub max_unfinished: u32,
}

impl UploadSettings {
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }
}

/// Section `[http.feed]` of the settings.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct WaitSettings {
    /// Requests that may wait for events at once; more are answered with 503.
    #[garde(range(max = 100_000))]
    pub max_waiting: usize,
    /// How often somebody who waits looks without having been woken, in milliseconds.
    #[garde(range(min = 10, max = 60_000))]
    pub look_again_ms: u64,
}

/// Section `[http.cors]` of the settings.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct CorsSettings {
    /// Origins such as `https://desk.example.org`. Empty: none.
    #[garde(inner(custom(origin)))]
    pub allowed_origins: Vec<String>,
    /// How long a browser may remember the answer to a preflight request, in seconds.
    #[garde(range(max = 86_400))]
    pub max_age_s: usize,
}

/// An origin is scheme, host and port (RFC 6454, section 6.2): no path, no wildcard.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is garde's")]
fn origin(origin: &str, _: &()) -> garde::Result {
    let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    let sane = |host: &str| {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']');
        !host.is_empty() && host.bytes().all(allowed)
    };
    if host.is_some_and(sane) {
        Ok(())
    } else {
        Err(garde::Error::new("must be an origin such as https://desk.example.org, without a path"))
    }
}

impl HttpSettings {
    pub(crate) fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }

    pub(crate) fn header_timeout(&self) -> Duration {
        Duration::from_millis(self.header_timeout_ms)
    }

    pub(crate) fn body_timeout(&self) -> Duration {
        Duration::from_millis(self.body_timeout_ms)
    }
}
