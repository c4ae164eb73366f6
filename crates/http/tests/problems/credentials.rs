//! Who is let in.

use serde_json::{Value, json};

use crate::common::{self, Desk, stubs::StubWork, token};

#[test]
fn tokens_that_are_not_good_are_refused() {
    use crate::common::{KEY, OLD_KEY, claims, sign};

    let desk = Desk::start();
    let me = |token: &str| {
        let bearer = format!("Bearer {token}");
        desk.call("GET", "/api/auth/me", &[("authorization", &bearer)], b"")
    };
    assert_eq!(me(&token("AGENT")).status, 200);
    assert_eq!(me(&sign(&claims("AGENT"), "old", OLD_KEY)).status, 200, "rotation overlaps");
    let good = claims("ADMIN");
    for (what, token) in [
        ("wrong key", sign(&good, "new", OLD_KEY)),
        ("unknown kid", sign(&good, "none", KEY)),
        ("nothing", String::new()),
        ("nonsense", "a.b.c".to_owned()),
        ("cut", token("ADMIN")[..40].to_owned()),
    ] {
        let answer = me(&token);
        assert_eq!(answer.status, 401, "{what}");
        answer.problem(401, "unauthenticated");
    }
    for claim in ["sub", "role", "email", "iss", "aud", "iat", "exp", "jti", "sid"] {
        let mut lacking = good.clone();
        lacking.as_object_mut().unwrap().remove(claim);
        assert_eq!(me(&sign(&lacking, "new", KEY)).status, 401, "without {claim}");
    }
    for (claim, value) in [
        ("iss", json!("other")),
        ("aud", json!("other")),
        ("exp", json!(common::now().unix_timestamp() - 6)),
        ("iat", json!(common::now().unix_timestamp() + 60)),
        ("nbf", json!(common::now().unix_timestamp() + 60)),
        ("role", json!("ROOT")),
        ("role", json!("AGENTE")),
    ] {
        let mut wrong = good.clone();
        wrong[claim] = value;
        assert_eq!(me(&sign(&wrong, "new", KEY)).status, 401, "{claim}");
    }
    let two = format!("Bearer {}", token("AGENT"));
    desk.call("GET", "/api/auth/me", &[("authorization", &two), ("authorization", &two)], b"")
        .problem(401, "unauthenticated");
    desk.call("GET", "/api/auth/me", &[("authorization", "Basic YTpi")], b"").problem(401, "unauthenticated");
}

#[test]
fn signing_in_is_throttled_and_bad_credentials_are_one_answer() {
    let desk = Desk::with(|plan| plan.work = StubWork::willing());
    let login = |email: &str, password: &str| {
        let body = json!({"email": email, "password": password}).to_string();
        desk.call("POST", "/api/auth/login", &[("content-type", "application/json")], body.as_bytes())
    };
    let wrong = login("ana@example.org", "wrong").problem(401, "bad-credentials");
    let unknown = login("nobody@example.org", "wrong").problem(401, "bad-credentials");
    let malformed = login("nonsense", "wrong").problem(401, "bad-credentials");
    assert_eq!((&wrong["detail"], &wrong["title"]), (&unknown["detail"], &unknown["title"]));
    assert_eq!(wrong["detail"], malformed["detail"]);
    login("ANA@example.org", "wrong").problem(401, "bad-credentials");
    login("ana@Example.org", "wrong").problem(401, "bad-credentials");
    login("ana@example.org", "correct horse").problem(429, "too-many-attempts");
    login("other@example.org", "wrong").problem(401, "bad-credentials");
    for _ in 0..30 {
        login(&common::new_id().to_string(), "wrong");
    }
    login("fresh@example.org", "wrong").problem(429, "too-many-attempts");
}

#[test]
fn refreshing_ignores_any_authorization_and_malformed_tokens_are_unusable_ones() {
    let desk = Desk::start();
    let refresh = |body: Value| {
        let headers = [("content-type", "application/json"), ("authorization", "Bearer expired")];
        desk.call("POST", "/api/auth/refresh", &headers, body.to_string().as_bytes())
    };
    refresh(json!({"refreshToken": "x"})).problem(401, "unusable-refresh-token");
    refresh(json!({"refreshToken": ""})).problem(401, "unusable-refresh-token");
    refresh(json!({"refreshToken": "0".repeat(64)})).problem(401, "unusable-refresh-token");
    refresh(json!({"refreshToken": 1})).problem(400, "invalid-input");
    refresh(json!({})).problem(400, "invalid-input");
    let headers = [("content-type", "application/json")];
    let out = desk.call("POST", "/api/auth/logout", &headers, b"{\"refreshToken\": \"nonsense\"}");
    assert_eq!((out.status, out.body.len()), (204, 0));
}
