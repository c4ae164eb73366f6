//! A user's own logins.

use serde_json::json;
use techsupport_tests::{Desk, PASSWORD};

use super::Login;

#[test]
fn a_user_sees_the_own_logins_that_are_not_ended() {
    let desk = Desk::start();
    let email = desk.register("AGENT");
    let laptop = desk.anonymous().with_header("user-agent", "Laptop/1");
    let pair = laptop.post("/api/auth/login", &json!({"email": email, "password": PASSWORD})).expect(200);
    let laptop = Login::of(&desk, &pair.json());
    let (phone, old) = (Login::new(&desk, &email), Login::new(&desk, &email));
    old.log_out(&desk);

    let list = phone.client.get("/api/auth/sessions").expect(200).json();
    assert_eq!((&list["total"], &list["nextCursor"]), (&json!(2), &json!(null)));
    let [newest, oldest] = &list["data"].as_array().unwrap()[..] else { panic!("{list}") };
    assert_eq!((&newest["current"], &oldest["current"]), (&json!(true), &json!(false)));
    assert_eq!((&oldest["userAgent"], &oldest["ip"]), (&json!("Laptop/1"), &json!("127.0.0.1")));
    let mut members: Vec<&String> = oldest.as_object().unwrap().keys().collect();
    members.sort();
    assert_eq!(members, ["createdAt", "current", "id", "ip", "lastUsedAt", "userAgent"]);
    assert_eq!(oldest["createdAt"], oldest["lastUsedAt"]);

    laptop.refresh(&desk).expect(200);
    let list = phone.client.get("/api/auth/sessions").expect(200).json();
    let oldest = &list["data"][1];
    assert!(oldest["lastUsedAt"].as_str() > oldest["createdAt"].as_str(), "{oldest}");
}

#[test]
fn a_login_that_cannot_be_refreshed_any_more_is_not_shown() {
    let desk = Desk::start();
    let email = desk.register("AGENT");
    let (here, forgotten) = (Login::new(&desk, &email), Login::new(&desk, &email));
    desk.database().execute(
        "UPDATE refresh_tokens SET expires_at = now() - interval '1 second' WHERE lookup = $1",
        &[&&forgotten.refresh_token[..32]],
    );
    assert_eq!(here.client.get("/api/auth/sessions").expect(200).json()["total"], 1);
}

#[test]
fn logins_are_walked_and_leafed_through() {
    let desk = Desk::start();
    let email = desk.register("AGENT");
    let logins: Vec<Login> = (0..5).map(|_| Login::new(&desk, &email)).collect();
    let caller = &logins[0].client;
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = caller.get(&format!("/api/auth/sessions?pageSize=2&cursor={cursor}")).expect(200).json();
        assert_eq!((&page["total"], &page["page"]), (&json!(null), &json!(null)));
        seen.extend(page["data"].as_array().unwrap().iter().map(|session| session["id"].clone()));
        match page["nextCursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    let expected: Vec<_> = logins.iter().rev().map(|login| json!(login.session())).collect();
    assert_eq!(seen, expected, "newest first");
    let second = caller.get("/api/auth/sessions?pageSize=2&page=2").expect(200).json();
    assert_eq!((&second["total"], &second["data"][0]["id"]), (&json!(5), &expected[2]));
}

#[test]
fn a_login_can_be_ended_by_its_user_and_by_nobody_else() {
    let desk = Desk::start();
    let email = desk.register("AGENT");
    let (here, there) = (Login::new(&desk, &email), Login::new(&desk, &email));
    let path = format!("/api/auth/sessions/{}", there.session());
    desk.admin().delete(&path).expect_problem(404, "not-found");
    assert!(there.is_in());

    assert_eq!(here.client.delete(&path).expect(204).body, "");
    assert!(!there.is_in() && here.is_in());
    there.refresh(&desk).expect_problem(401, "unusable-refresh-token");
    here.client.delete(&path).expect_problem(404, "not-found");

    let unknown = "/api/auth/sessions/0199aaaa-0000-7000-8000-000000000000";
    here.client.delete(unknown).expect_problem(404, "not-found");
    let problem = here.client.delete("/api/auth/sessions/mine").expect_problem(400, "invalid-input").json();
    assert_eq!(problem["errors"][0]["parameter"], "id");

    here.client.delete(&format!("/api/auth/sessions/{}", here.session())).expect(204);
    assert!(!here.is_in(), "the one that asked");
}
