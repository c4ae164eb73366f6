#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;

use techsupport_application::accounts::RefreshToken;
use techsupport_domain::text::Email;
use time::Duration;
use time::macros::datetime;

use super::*;
use crate::{RevocationSettings, ThrottleSettings};

const NOW: OffsetDateTime = datetime!(2026-02-12 20:45:23 UTC);

fn settings(keys: &[(&str, &str)], current: &str) -> AuthSettings {
    let keys = keys.iter().map(|(kid, key)| ((*kid).to_owned(), (*key).into()));
    AuthSettings {
        keys: keys.collect::<BTreeMap<_, _>>(),
        current_key: current.to_owned(),
        issuer: "iss".to_owned(),
        audience: "aud".to_owned(),
        access_lifetime_s: 900,
        refresh_lifetime_s: 1,
        leeway_s: 5,
        throttle: ThrottleSettings {
            address_burst: 1,
            address_per_minute: 1,
            account_burst: 1,
            account_per_minute: 1,
            anywhere_burst: 1_000,
            anywhere_per_hour: 1_000,
            max_tracked: 1,
            audited_per_minute: 1,
        },
        revocations: RevocationSettings { poll_ms: 500, overlap_s: 60, max_age_ms: 10_000 },
    }
}

const OLD: (&str, &str) = ("old", "0123456789abcdef0123456789abcdef");
const NEW: (&str, &str) = ("new", "fedcba9876543210fedcba9876543210");

fn tokens(keys: &[(&str, &str)], current: &str) -> Tokens {
    Tokens::new(&settings(keys, current)).unwrap()
}

fn somebody() -> SignedIn {
    let email = Email::parse("ana@example.org").unwrap();
    SignedIn {
        user: User { id: UserId::new(Uuid::from_u128(1)), email, role: Role::Supervisor, active: true },
        session: SessionId::new(Uuid::from_u128(2)),
        refresh_token: RefreshToken::from_bytes([7; 32]),
    }
}

fn issue(tokens: &Tokens) -> String {
    tokens.issue(&somebody(), Uuid::from_u128(3), NOW).unwrap()
}

#[test]
fn a_token_says_who_presents_it_until_it_expires() {
    let tokens = tokens(&[NEW], "new");
    let token = issue(&tokens);
    let caller = tokens.verify(&token, NOW).unwrap();
    assert_eq!((caller.user, caller.role), (UserId::new(Uuid::from_u128(1)), Role::Supervisor));
    let at = |seconds: i64| tokens.verify(&token, NOW + Duration::seconds(seconds)).is_some();
    assert!(at(904) && !at(905), "lifetime and leeway");
    assert!(at(-5) && !at(-6), "a token from the future");
}

#[test]
fn keys_rotate_with_overlap() {
    let before = tokens(&[OLD], "old");
    let during = tokens(&[OLD, NEW], "new");
    let after = tokens(&[NEW], "new");
    let (old, new) = (issue(&before), issue(&during));
    assert!(during.verify(&old, NOW).is_some() && during.verify(&new, NOW).is_some());
    assert!(after.verify(&old, NOW).is_none() && after.verify(&new, NOW).is_some());
    assert!(before.verify(&new, NOW).is_none());
}

#[test]
fn another_algorithm_is_never_taken() {
    let tokens = tokens(&[NEW], "new");
    let claims = Claims {
        sub: Uuid::from_u128(1),
        role: "ADMIN".to_owned(),
        email: "a@b.c".to_owned(),
        iss: "iss".to_owned(),
        aud: "aud".to_owned(),
        iat: NOW.unix_timestamp(),
        exp: NOW.unix_timestamp() + 900,
        nbf: None,
        jti: Uuid::from_u128(3),
        sid: Uuid::from_u128(2),
    };
    let sign = |algorithm| {
        let header = Header { kid: Some("new".to_owned()), ..Header::new(algorithm) };
        encode(&header, &claims, &EncodingKey::from_secret(NEW.1.as_bytes())).unwrap()
    };
    assert!(tokens.verify(&sign(Algorithm::HS256), NOW).is_some());
    assert!(tokens.verify(&sign(Algorithm::HS384), NOW).is_none());
    assert!(tokens.verify(&sign(Algorithm::HS512), NOW).is_none());
    // {"alg":"none","kid":"new"}, the same claims, no signature.
    let good = sign(Algorithm::HS256);
    let claims = good.split('.').nth(1).unwrap();
    assert!(tokens.verify(&format!("eyJhbGciOiJub25lIiwia2lkIjoibmV3In0.{claims}."), NOW).is_none());
    let no_kid = encode(&Header::new(Algorithm::HS256), &serde_json::json!({}), &tokens.signing).unwrap();
    assert!(tokens.verify(&no_kid, NOW).is_none());
}

#[test]
fn keys_that_cannot_be_used_are_refused_without_being_shown() {
    let short = ("k", "only-31-bytes-long-............");
    let said = Tokens::new(&settings(&[short], "k")).err().unwrap().to_string();
    assert!(said.contains("32 bytes") && !said.contains("only"), "{said}");
    let said = Tokens::new(&settings(&[NEW], "gone")).err().unwrap().to_string();
    assert!(said.contains("current_key"), "{said}");
}
