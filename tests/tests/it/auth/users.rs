//! Users, as administrators keep them.

use serde_json::{Value, json};
use techsupport_tests::{Answer, Client, Desk, PASSWORD};

use super::{Login, user_id};

const NOBODY: &str = "0199aaaa-0000-7000-8000-000000000000";

fn change(admin: &Client, id: &str, what: &Value) -> Answer {
    admin.patch(&format!("/api/auth/users/{id}"), what)
}

fn emails(admin: &Client, query: &str) -> Vec<String> {
    let list = admin.get(&format!("/api/auth/users?{query}")).expect(200).json();
    let data = list["data"].as_array().unwrap();
    assert_eq!(list["total"], data.len());
    data.iter().map(|user| user["email"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_new_user_is_where_the_answer_says() {
    let desk = Desk::start();
    let admin = desk.admin();
    let body = json!({"email": "Ana@Example.org", "password": PASSWORD, "role": "AGENT"});
    let answer = admin.post("/api/auth/register", &body).expect(201);
    let location = answer.header("location").unwrap();
    assert_eq!(location, format!("/api/auth/users/{}", answer.id()));
    assert_eq!(admin.get(location).expect(200).json(), answer.json());
    admin.get(&format!("/api/auth/users/{NOBODY}")).expect_problem(404, "not-found");
}

#[test]
fn users_are_found_by_role_activity_and_address() {
    let desk = Desk::start();
    let admin = desk.admin();
    for (email, role, active) in [
        ("Ana_1@example.org", "AGENT", true),
        ("ana1@example.org", "AGENT", false),
        ("luis@example.com", "SUPERVISOR", true),
    ] {
        let body = json!({"email": email, "password": PASSWORD, "role": role, "active": active});
        admin.post("/api/auth/register", &body).expect(201);
    }
    let admins = "admin@techsupport.pro";
    for (query, expected) in [
        ("", &["luis@example.com", "ana1@example.org", "Ana_1@example.org", admins][..]),
        ("role=AGENT", &["ana1@example.org", "Ana_1@example.org"]),
        ("role=AGENTE&active=true", &["Ana_1@example.org"]),
        ("active=false", &["ana1@example.org"]),
        ("search=ANA_1", &["Ana_1@example.org"]),
        ("search=example&role=SUPERVISOR", &["luis@example.com"]),
        ("role=ADMIN", &[admins]),
    ] {
        assert_eq!(emails(&admin, query), expected, "{query}");
    }
    for wrong in ["role=BOSS", "active=yes", "colour=red"] {
        let problem =
            admin.get(&format!("/api/auth/users?{wrong}")).expect_problem(400, "invalid-input").json();
        assert_eq!(problem["errors"][0]["parameter"], wrong.split('=').next().unwrap());
    }
    let first = admin.get("/api/auth/users?pageSize=3").expect(200).json();
    let next = first["nextCursor"].as_str().unwrap();
    let rest = admin.get(&format!("/api/auth/users?pageSize=3&cursor={next}")).expect(200).json();
    assert_eq!(rest["data"][0]["email"], admins);
    assert_eq!(rest["data"].as_array().unwrap().len(), 1);
}

#[test]
fn a_change_of_role_or_activity_shows_and_ends_the_logins() {
    let desk = Desk::start();
    let admin = desk.admin();
    let email = desk.register("AGENT");
    let id = user_id(&desk, &email);
    let login = Login::new(&desk, &email);
    let changed = change(&admin, &id, &json!({"role": "SUPERVISOR"})).expect(200).json();
    assert_eq!(changed, json!({"id": id, "email": email, "role": "SUPERVISOR", "active": true}));
    assert_eq!(admin.get(&format!("/api/auth/users/{id}")).expect(200).json(), changed);
    assert!(!login.is_in());
    login.refresh(&desk).expect_problem(401, "unusable-refresh-token");

    let login = Login::new(&desk, &email);
    assert_eq!(login.client.get("/api/auth/me").expect(200).json()["role"], "SUPERVISOR");
    let changed = change(&admin, &id, &json!({"active": false})).expect(200).json();
    assert_eq!(changed["active"], false);
    assert!(!login.is_in());
    login.refresh(&desk).expect_problem(401, "unusable-refresh-token");
    desk.login(&email, PASSWORD).expect_problem(401, "bad-credentials");

    change(&admin, &id, &json!({"active": true, "role": "AGENTE"})).expect(200);
    let back = desk.login(&email, PASSWORD).expect(200).json();
    let back = Login::of(&desk, &back);
    assert_eq!(back.client.get("/api/auth/me").expect(200).json()["role"], "AGENT");
    assert!(!login.is_in(), "what has ended does not come back");
}

#[test]
fn what_is_already_so_ends_nothing() {
    let desk = Desk::start();
    let admin = desk.admin();
    let email = desk.register("AGENT");
    let (id, login) = (user_id(&desk, &email), Login::new(&desk, &email));
    change(&admin, &id, &json!({})).expect_problem(400, "invalid-input");
    for same in [json!({"role": "AGENT"}), json!({"role": "AGENTE", "active": true})] {
        assert_eq!(change(&admin, &id, &same).expect(200).json()["role"], "AGENT");
    }
    assert!(login.is_in());
    assert_eq!(desk.database().count("audit_log WHERE action IN ('ROLE_CHANGED', 'USER_ACTIVATED')"), 0);
}

#[test]
fn what_cannot_be_changed_is_named() {
    let desk = Desk::start();
    let admin = desk.admin();
    let id = user_id(&desk, &desk.register("AGENT"));
    for (body, pointer) in [
        (json!({"role": "BOSS"}), "/role"),
        (json!({"role": null}), "/role"),
        (json!({"active": null}), "/active"),
        (json!({"active": "no"}), "/active"),
        (json!({"email": "x@example.org"}), "/email"),
        (json!({"password": PASSWORD}), "/password"),
    ] {
        let problem = change(&admin, &id, &body).expect_problem(400, "invalid-input").json();
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
    }
    change(&admin, NOBODY, &json!({"active": false})).expect_problem(404, "not-found");
    change(&admin, "me", &json!({"active": false})).expect_problem(400, "invalid-input");
}

#[test]
fn the_last_active_administrator_stays() {
    let desk = Desk::start();
    let admin = desk.admin();
    let id = user_id(&desk, "admin@techsupport.pro");
    let sleeping = json!({"email": "s@example.org", "password": PASSWORD, "role": "ADMIN", "active": false});
    let sleeping = admin.post("/api/auth/register", &sleeping).expect(201).id().to_string();
    for less in
        [json!({"role": "AGENT"}), json!({"active": false}), json!({"role": "AGENT", "active": false})]
    {
        change(&admin, &id, &less).expect_problem(409, "last-admin");
    }
    admin.get("/api/auth/me").expect(200);
    change(&admin, &sleeping, &json!({"active": true})).expect(200);
    change(&admin, &id, &json!({"role": "AGENT"})).expect(200);
    admin.get("/api/auth/me").expect_problem(401, "unauthenticated");
}
