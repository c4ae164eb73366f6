//! Secrets are planted everywhere a caller can put them, and found nowhere.

use serde_json::json;
use techsupport_tests::{Desk, TestDatabase, eventually, log_lines};

/// Whether any value of any table contains the text, plain or as the bytes of a `bytea`.
fn tables_with(database: &TestDatabase, secret: &str) -> Vec<String> {
    use std::fmt::Write;
    let mut hex = String::new();
    for byte in secret.bytes() {
        write!(hex, "{byte:02x}").unwrap();
    }
    let tables: Vec<String> = database
        .all("SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'", &[]);
    assert!(tables.len() > 10, "{tables:?}");
    let holds = |table: &String| {
        let sql = format!(
            "SELECT count(*) FROM {table} t WHERE position($1 in t::text) > 0 OR position($2 in t::text) > 0"
        );
        database.one::<i64>(&sql, &[&secret, &hex]) > 0
    };
    tables.into_iter().filter(holds).collect()
}

#[test]
fn planted_secrets_are_in_no_log_line_and_no_table() {
    let desk = Desk::start();
    let admin = desk.admin();
    let password = "planted-Pass-7f3a9c2e41";
    let email = "planted@example.org";
    let register = json!({"email": email, "password": password, "role": "AGENT"});
    admin.post("/api/auth/register", &register).expect(201);
    admin.post("/api/auth/register", &register).expect(409);
    let pair = desk.login(email, password).expect(200).json();
    let (access, refresh) =
        (pair["accessToken"].as_str().unwrap().to_owned(), pair["refreshToken"].as_str().unwrap().to_owned());
    let anonymous = desk.anonymous();

    // Every wrong place a careless client might put them.
    for secret in [password, &access, &refresh] {
        anonymous.post("/api/auth/login", &json!({"email": secret, "password": secret}));
        anonymous.post("/api/auth/login", &json!({"email": email, "password": {"nested": secret}}));
        anonymous.post("/api/auth/login", &json!({"email": email, "password": secret, "unknown": secret}));
        anonymous.post("/api/auth/refresh", &json!({"refreshToken": [secret]}));
        anonymous.get(&format!("/api/tickets?token={secret}"));
        anonymous.get(&format!("/health?access_token={secret}"));
        anonymous.with_token(secret).get("/api/auth/me");
        anonymous.with_header("authorization", &format!("Basic {secret}")).get("/api/auth/me");
        anonymous.send(
            "POST",
            "/api/auth/login",
            Some(&format!("{{\"password\": \"{secret}")),
            "application/json",
        );
        anonymous.send("POST", "/api/auth/login", Some(secret), "text/plain");
        admin.post("/api/auth/register", &json!({"email": "x", "password": secret, "role": secret}));
    }
    let signed_in = anonymous.with_token(&access);
    signed_in.get("/api/auth/me").expect(200);
    desk.ticket(&desk.admin(), "NORMAL");
    let next = anonymous.post("/api/auth/refresh", &json!({"refreshToken": refresh})).expect(200).json();
    let next = next["refreshToken"].as_str().unwrap().to_owned();
    anonymous.post("/api/auth/refresh", &json!({"refreshToken": refresh})).expect(401);
    anonymous.post("/api/auth/logout", &json!({"refreshToken": next})).expect(204);
    let last = anonymous.with_header("x-request-id", "the-last-planted-request").get("/health").expect(200);
    assert_eq!(last.header("x-request-id"), Some("the-last-planted-request"));
    eventually("everything is logged", || {
        log_lines().iter().any(|line| line.contains("the-last-planted-request"))
    });

    // The second half of a refresh token alone would do harm too; the first is what rows are found by.
    let parts = [&refresh[32..], &next[32..], access.rsplit('.').next().unwrap()];
    let log = log_lines();
    for secret in [password, &access, &refresh, &next].into_iter().chain(parts) {
        let leak = log.iter().find(|line| line.contains(secret));
        assert_eq!(leak, None, "in the log");
        assert_eq!(tables_with(desk.database(), secret), Vec::<String>::new(), "in a table");
    }
    assert!(!log.iter().any(|line| line.contains(email)), "no address either");
    // The search would have found them: what is stored by design is found.
    assert_eq!(tables_with(desk.database(), &refresh[..32]), ["refresh_tokens"]);
}
