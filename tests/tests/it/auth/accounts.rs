//! Logins and accounts.

use serde_json::json;
use techsupport_tests::{Desk, PASSWORD};

#[test]
fn a_login_shows_who_one_is() {
    let desk = Desk::start();
    let email = desk.register("SUPERVISOR");
    let pair = desk.login(&email.to_uppercase(), PASSWORD).expect(200).json();
    assert_eq!((&pair["tokenType"], &pair["expiresIn"]), (&json!("Bearer"), &json!(900)));
    let refresh = pair["refreshToken"].as_str().unwrap();
    assert!(refresh.len() == 64 && refresh.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
    let me = desk.anonymous().with_token(pair["accessToken"].as_str().unwrap());
    let me = me.get("/api/auth/me").expect(200).json();
    assert_eq!(me["email"], email);
    assert_eq!((&me["role"], &me["active"]), (&json!("SUPERVISOR"), &json!(true)));
    assert_eq!(me.as_object().unwrap().len(), 4, "and nothing else: {me}");
}

#[test]
fn whatever_is_wrong_with_a_login_the_answer_is_the_same() {
    let desk = Desk::start();
    let body = json!({"email": "gone@example.org", "password": PASSWORD, "role": "AGENT", "active": false});
    desk.admin().post("/api/auth/register", &body).expect(201);
    let mut answers = Vec::new();
    for (email, password) in [
        ("admin@techsupport.pro", "wrong password"),
        ("nobody@example.org", PASSWORD),
        ("gone@example.org", PASSWORD),
        ("no address at all", PASSWORD),
    ] {
        let answer = desk.login(email, password).expect_problem(401, "bad-credentials");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        let mut problem = answer.json();
        problem["requestId"] = json!(null);
        answers.push(problem);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[test]
fn an_address_is_taken_whatever_its_letter_case() {
    let desk = Desk::start();
    let admin = desk.admin();
    let register = |email: &str| {
        admin.post("/api/auth/register", &json!({"email": email, "password": PASSWORD, "role": "AGENT"}))
    };
    let user = register("Ana.Pérez@Example.org").expect(201).json();
    assert_eq!(user["email"], "Ana.Pérez@Example.org");
    register("ana.pérez@EXAMPLE.ORG").expect_problem(409, "email-taken");
    register("ANA.PÉREZ@example.org").expect_problem(409, "email-taken");
}

#[test]
fn agente_is_taken_for_agent_and_never_shown() {
    let desk = Desk::start();
    let body = json!({"email": "a@example.org", "password": PASSWORD, "role": "AGENTE"});
    let user = desk.admin().post("/api/auth/register", &body).expect(201).json();
    assert_eq!(user["role"], "AGENT");
    let stored: String =
        desk.database().one("SELECT role FROM users WHERE email_folded = 'a@example.org'", &[]);
    assert_eq!(stored, "AGENT");
}

#[test]
fn what_a_password_may_be() {
    let desk = Desk::start();
    let admin = desk.admin();
    for (wrong, n) in [("short77", 1), ("password123", 2), ("        ", 3), (&"x".repeat(129), 4)] {
        let body = json!({"email": format!("p{n}@example.org"), "password": wrong, "role": "AGENT"});
        let problem = admin.post("/api/auth/register", &body).expect_problem(400, "invalid-input").json();
        assert_eq!(problem["errors"][0]["pointer"], "/password", "{problem}");
    }
    // bcrypt alone would look at the first 72 bytes only.
    let long = format!("{}end", "🐧".repeat(100));
    let body = json!({"email": "long@example.org", "password": long, "role": "AGENT"});
    admin.post("/api/auth/register", &body).expect(201);
    desk.login("long@example.org", &long).expect(200);
    desk.login("long@example.org", &"🐧".repeat(100)).expect_problem(401, "bad-credentials");
}

#[test]
fn tokens_that_are_none_are_refused() {
    let desk = Desk::start();
    let good = desk.admin();
    let [head, claims, signature] = good.token().split('.').collect::<Vec<_>>()[..] else { panic!("no JWT") };
    let other = desk.agent();
    let other_claims = other.token().split('.').nth(1).unwrap();
    for bad in [
        String::new(),
        "nonsense".to_owned(),
        format!("{head}.{claims}."),
        format!("{head}.{other_claims}.{signature}"),
        // {"alg":"none","typ":"JWT"}
        format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}."),
    ] {
        let caller = desk.anonymous().with_token(&bad);
        caller.get("/api/auth/me").expect_problem(401, "unauthenticated");
    }
    let basic = desk.anonymous().with_header("authorization", "Basic YWRtaW46YWRtaW4=");
    basic.get("/api/auth/me").expect_problem(401, "unauthenticated");
    good.get("/api/auth/me").expect(200);
}

#[test]
fn an_access_token_ends() {
    let desk = Desk::with().set("AUTH__ACCESS_LIFETIME_S", 1).set("AUTH__LEEWAY_S", 0).start();
    let admin = desk.admin();
    techsupport_tests::eventually("the token expires", || admin.get("/api/auth/me").status == 401);
    admin.get("/api/auth/me").expect_problem(401, "unauthenticated");
}

/// Several first boots at once make one administrator, and a later one with another password changes nothing.
#[test]
fn the_first_administrator_is_made_once() {
    let mut desk = Desk::with().replicas(2).start();
    desk.start_api();
    assert_eq!(desk.database().count("users"), 1);
    desk.admin();
}
