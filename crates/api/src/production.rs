//! What production does not start with.

use secrecy::ExposeSecret;
use techsupport_bootstrap::{
    secrets::{Secret, WeakSecret, refuse_weak},
    servers::refuse_weak_passwords,
    settings::Profile,
};

use crate::ApiSettings;

/// HS256 and HMAC want a key at least as long as their output or thereabouts (RFC 7518, section 3.2).
const KEY_BYTES: usize = 32;

/// A password that a person types.
const PASSWORD_BYTES: usize = 12;

/// In production, refuses missing, short, repetitive and documented secrets. An administrator's password
/// may be missing: then a random one is made.
pub fn refuse_weak_secrets(settings: &ApiSettings) -> Result<(), WeakSecret> {
    match settings.profile {
        Profile::Local => return Ok(()),
        Profile::Production => {}
    }
    let pepper = settings.passwords.pepper.expose_secret();
    let mut keys = vec![("passwords.pepper".to_owned(), pepper, KEY_BYTES)];
    for (kid, key) in &settings.auth.keys {
        keys.push((format!("auth.keys.{kid}"), key.expose_secret(), KEY_BYTES));
    }
    let password = settings.admin.password.expose_secret();
    if !password.is_empty() {
        keys.push(("admin.password".to_owned(), password, PASSWORD_BYTES));
    }
    let secrets: Vec<Secret<'_>> =
        keys.iter().map(|(key, value, min_length)| Secret { key, value, min_length: *min_length }).collect();
    refuse_weak(&secrets)?;
    let (database, broker) = (settings.database.url.expose_secret(), settings.broker.url.expose_secret());
    refuse_weak_passwords(settings.profile, database, broker)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use techsupport_bootstrap::settings::{Sources, load_from};

    use super::*;

    const KEY: &str = "kq0c3P0mC1xZk7cY0d2wq8Jr5V6uT9sA";

    /// What starting in production with these variables, on top of sound ones, comes to.
    fn outcome(variables: &[(&str, &str)]) -> Result<(), String> {
        let sound = [
            ("TECHSUPPORT_PROFILE", "production"),
            ("DATABASE_URL", "postgres://db/x"),
            ("AMQP_URL", "amqp://me:kq0c3P0mC1xZk7cY@broker/%2f"),
            ("TECHSUPPORT__PASSWORDS__PEPPER", KEY),
            ("TECHSUPPORT__AUTH__KEYS__K1", KEY),
            ("TECHSUPPORT__AUTH__CURRENT_KEY", "k1"),
        ];
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let kept = sound.iter().filter(|(name, _)| !variables.iter().any(|(other, _)| other == name));
        let sources = Sources { folder: None, variables: kept.chain(variables).map(owned).collect() };
        let settings = load_from::<ApiSettings>(&sources).map_err(|error| error.to_string())?;
        refuse_weak_secrets(&settings).map_err(|weak| weak.to_string())
    }

    #[test]
    fn production_starts_with_sound_secrets() {
        assert_eq!(outcome(&[]), Ok(()));
        assert_eq!(outcome(&[("TECHSUPPORT_ADMIN_PASSWORD", "tulip-Anvil-7-sunset")]), Ok(()));
    }

    #[test]
    fn production_does_not_start_without_secrets() {
        for missing in ["DATABASE_URL", "TECHSUPPORT__PASSWORDS__PEPPER", "TECHSUPPORT__AUTH__KEYS__K1"] {
            assert!(outcome(&[(missing, "")]).is_err(), "{missing}");
        }
    }

    #[test]
    fn production_does_not_start_with_weak_or_documented_secrets() {
        let local: ApiSettings = load_from(&Sources::default()).unwrap();
        let local_key = local.auth.keys.values().next().unwrap().expose_secret();
        for (name, weak) in [
            ("TECHSUPPORT_ADMIN_PASSWORD", "admin123"),
            ("TECHSUPPORT_ADMIN_PASSWORD", "short"),
            ("TECHSUPPORT__PASSWORDS__PEPPER", local.passwords.pepper.expose_secret()),
            ("TECHSUPPORT__PASSWORDS__PEPPER", "short"),
            ("TECHSUPPORT__PASSWORDS__PEPPER", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
            ("TECHSUPPORT__AUTH__KEYS__K1", local_key),
            ("TECHSUPPORT__AUTH__KEYS__K1", "please-change-me-please-change-me-1234"),
            ("TECHSUPPORT__AUTH__KEYS__OLD", local_key),
            ("DATABASE_URL", "postgres://postgres:postgres@db/x"),
            ("AMQP_URL", "amqp://guest:guest@broker/%2f"),
            ("AMQP_URL", "amqp://broker/%2f"),
        ] {
            let refused = outcome(&[(name, weak)]).unwrap_err();
            assert!(!refused.contains(weak), "{refused}");
        }
    }
}
