//! Guessing is slow.

use serde_json::json;
use techsupport_tests::{Desk, PASSWORD};

#[test]
fn an_account_can_be_tried_only_so_often() {
    let desk = Desk::with()
        .set("AUTH__THROTTLE__ACCOUNT_BURST", 3)
        .set("AUTH__THROTTLE__ACCOUNT_PER_MINUTE", 1)
        .start();
    for _ in 0..3 {
        desk.login("ana@example.org", "wrong password").expect_problem(401, "bad-credentials");
    }
    // Whatever its letter case, and also with the right password.
    let answer = desk.login("ANA@example.org", "wrong password").expect_problem(429, "too-many-attempts");
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    desk.login("luis@example.org", "wrong password").expect_problem(401, "bad-credentials");
    desk.admin();
}

#[test]
fn an_address_can_try_only_so_often() {
    let desk = Desk::with()
        .set("AUTH__THROTTLE__ADDRESS_BURST", 3)
        .set("AUTH__THROTTLE__ADDRESS_PER_MINUTE", 1)
        .start();
    for n in 0..3 {
        desk.login(&format!("n{n}@example.org"), "wrong password").expect_problem(401, "bad-credentials");
    }
    let answer = desk.login("admin@techsupport.pro", "anything").expect_problem(429, "too-many-attempts");
    assert!(answer.header("retry-after").is_some());
    // A header that anybody can write makes nobody somebody else.
    let elsewhere = desk.anonymous().with_header("x-forwarded-for", "203.0.113.9");
    let body = serde_json::json!({"email": "x@example.org", "password": "wrong password"});
    elsewhere.post("/api/auth/login", &body).expect_problem(429, "too-many-attempts");
}

/// Guessing from very many addresses meets a limit of its own, which does not stop where the owner has been before.
#[test]
fn an_account_is_protected_from_all_addresses_together_and_its_owner_is_not_kept_out() {
    let desk = Desk::with()
        .set("AUTH__THROTTLE__ANYWHERE_BURST", 8)
        .set("AUTH__THROTTLE__ANYWHERE_PER_HOUR", 1)
        .set("HTTP__TRUSTED_PROXIES", "127.0.0.1")
        .start();
    let email = desk.register("AGENT");
    let from = |address: &str, password: &str| {
        let body = json!({"email": email, "password": password});
        desk.anonymous().with_header("x-forwarded-for", address).post("/api/auth/login", &body)
    };
    from("198.51.100.7", PASSWORD).expect(200);
    from("2001:db8::7", PASSWORD).expect(200);
    for n in 0..6 {
        from(&format!("203.0.113.{n}"), "wrong password").expect_problem(401, "bad-credentials");
    }
    for stranger in ["203.0.113.99", "2001:db8:0:1::7"] {
        let answer = from(stranger, PASSWORD).expect_problem(429, "too-many-attempts");
        assert!(answer.header("retry-after").is_some());
    }
    for familiar in ["198.51.100.7", "2001:db8::7", "2001:db8::ffff"] {
        from(familiar, PASSWORD).expect(200);
        from(familiar, "wrong password").expect_problem(401, "bad-credentials");
    }
    let old = "UPDATE sessions SET created_at = now() - interval '91 days' WHERE ip = '198.51.100.7'";
    assert!(desk.database().execute(old, &[]) > 0);
    from("198.51.100.7", PASSWORD).expect_problem(429, "too-many-attempts");
    desk.login("somebody@example.org", "wrong password").expect_problem(401, "bad-credentials");
}

/// Every address of an IPv6 network belongs to one caller.
#[test]
fn an_ipv6_network_gets_no_more_attempts_than_an_address() {
    let desk = Desk::with()
        .set("AUTH__THROTTLE__ACCOUNT_BURST", 3)
        .set("AUTH__THROTTLE__ACCOUNT_PER_MINUTE", 1)
        .set("HTTP__TRUSTED_PROXIES", "127.0.0.1")
        .start();
    let from = |address: &str| {
        let body = json!({"email": "ana@example.org", "password": "wrong password"});
        desk.anonymous().with_header("x-forwarded-for", address).post("/api/auth/login", &body)
    };
    for n in 0..3 {
        from(&format!("2001:db8::{n}")).expect_problem(401, "bad-credentials");
    }
    from("2001:db8::3").expect_problem(429, "too-many-attempts");
    from("2001:db8:0:1::").expect_problem(401, "bad-credentials");
}

/// Half a refresh token, the half that finds it, must not be enough to keep the processors busy.
#[test]
fn a_refresh_token_can_be_tried_only_so_often() {
    let desk = Desk::with()
        .set("AUTH__THROTTLE__ACCOUNT_BURST", 3)
        .set("AUTH__THROTTLE__ACCOUNT_PER_MINUTE", 1)
        .start();
    let signed_in = |email: &str| -> String {
        let pair = desk.login(email, PASSWORD).expect(200).json();
        pair["refreshToken"].as_str().unwrap().to_owned()
    };
    let token = signed_in(&desk.register("AGENT"));
    let guess = format!("{}{}", &token[..32], "0".repeat(32));
    let present = |route: &str, token: &str| desk.anonymous().post(route, &json!({"refreshToken": token}));
    present("/api/auth/refresh", &guess).expect_problem(401, "unusable-refresh-token");
    present("/api/auth/logout", &guess).expect(204);
    present("/api/auth/refresh", &guess).expect_problem(401, "unusable-refresh-token");
    for route in ["/api/auth/refresh", "/api/auth/logout"] {
        present(route, &guess).expect_problem(429, "too-many-attempts");
        present(route, &token).expect_problem(429, "too-many-attempts");
    }
    let other = signed_in(&desk.register("AGENT"));
    present("/api/auth/refresh", &other).expect(200);
    for _ in 0..5 {
        present("/api/auth/refresh", "no token").expect_problem(401, "unusable-refresh-token");
    }
}
