//! Section `[auth]`.

use std::{collections::BTreeMap, time::Duration};

use garde::Validate;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// HS256 wants a key at least as long as its hash (RFC 7518, section 3.2).
const MIN_KEY_BYTES: usize = 32;

/// Section `[auth]` of the settings.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct AuthSettings {
    /// The keys that access tokens are verified with, by their `kid`. To rotate: add the new one on every
    /// replica, make it the current one, take the old one away once its last token has expired. Secret.
    #[garde(custom(sane_keys))]
    pub keys: BTreeMap<String, SecretString>,
    /// The `kid` of the key that new tokens are signed with.
    #[garde(custom(is_a_key(&self.keys)))]
    pub current_key: String,
    /// `iss` of access tokens.
    #[garde(length(chars, min = 1, max = 200))]
    pub issuer: String,
    /// `aud` of access tokens.
    #[garde(length(chars, min = 1, max = 200))]
    pub audience: String,
    /// How long an access token is good for, in seconds.
    #[garde(range(min = 1, max = 86_400))]
    pub access_lifetime_s: u64,
    /// How long a refresh token is good for, in seconds.
    #[garde(range(min = 1, max = 31_536_000))]
    pub refresh_lifetime_s: u64,
    /// How far the clocks of two replicas may be apart, in seconds.
    #[garde(range(max = 60))]
    pub leeway_s: u64,
    /// How often somebody may try to sign in.
    #[garde(dive)]
    pub throttle: ThrottleSettings,
    /// How this process learns of logins that others have ended.
    #[garde(dive)]
    pub revocations: RevocationSettings,
}

/// Section `[auth.revocations]` of the settings.
#[derive(Debug, Clone, Copy, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct RevocationSettings {
    /// How often to look when nobody notifies, in milliseconds.
    #[garde(range(min = 10, max = 1_000))]
    pub poll_ms: u64,
    /// How far back every look goes beyond the one before it, in seconds: longer than a transaction lasts.
    #[garde(range(min = 1, max = 3_600))]
    pub overlap_s: u64,
    /// After how long without an answer nobody is let in any more, in milliseconds.
    #[garde(range(min = 1_000, max = 3_600_000))]
    pub max_age_ms: u64,
}

/// Section `[auth.throttle]` of the settings. Attempts count whether they succeed or not, so that an
/// attacker learns nothing from the throttle.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct ThrottleSettings {
    /// Attempts from one address (one /64 network for IPv6) that are let through at once.
    #[garde(range(min = 1, max = 1_000_000))]
    pub address_burst: u32,
    /// Attempts from one address that are let through every minute after that.
    #[garde(range(min = 1, max = 1_000_000))]
    pub address_per_minute: u32,
    /// Attempts for one account from one address that are let through at once.
    #[garde(range(min = 1, max = 1_000_000))]
    pub account_burst: u32,
    /// Attempts for one account from one address that are let through every minute after that.
    #[garde(range(min = 1, max = 1_000_000))]
    pub account_per_minute: u32,
    /// Attempts for one account from all addresses together that are let through at once. Addresses from which
    /// somebody has signed in to it before do not stop at this.
    #[garde(range(min = 1, max = 1_000_000))]
    pub anywhere_burst: u32,
    /// Attempts for one account from all addresses together that are let through every hour after that.
    #[garde(range(min = 1, max = 1_000_000))]
    pub anywhere_per_hour: u32,
    /// Addresses, and pairs of account and address, that are remembered; when there are more, the
    /// newcomers share one place.
    #[garde(range(min = 1, max = 10_000_000))]
    pub max_tracked: usize,
    /// Refused attempts that are written to the audit log every minute, one of an address at most.
    #[garde(range(min = 1, max = 10_000))]
    pub audited_per_minute: u32,
}

fn sane_keys<C>(keys: &BTreeMap<String, SecretString>, _: &C) -> garde::Result {
    if keys.is_empty() {
        return Err(garde::Error::new("needs at least one key"));
    }
    keys.iter().try_for_each(|(kid, secret)| {
        let sane = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        if kid.is_empty() || kid.len() > 64 || !kid.bytes().all(sane) {
            return Err(garde::Error::new("a key's name must have 1 to 64 letters, digits, '-' or '_'"));
        }
        if secret.expose_secret().len() < MIN_KEY_BYTES {
            return Err(garde::Error::new(format!("a key must have at least {MIN_KEY_BYTES} bytes")));
        }
        Ok(())
    })
}

fn is_a_key<C>(keys: &BTreeMap<String, SecretString>) -> impl FnOnce(&String, &C) -> garde::Result {
    |current, _| {
        if keys.contains_key(current) {
            Ok(())
        } else {
            Err(garde::Error::new("must be the name of one of the keys"))
        }
    }
}

impl AuthSettings {
    pub(crate) fn refresh_lifetime(&self) -> Duration {
        Duration::from_secs(self.refresh_lifetime_s)
    }
}
