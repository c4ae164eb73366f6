//! Another password.

use serde_json::json;
use techsupport_tests::{Answer, Desk, PASSWORD};

use super::Login;

const NEW: &str = "another horse, another battery";

fn change(login: &Login, current: &str, new: &str) -> Answer {
    login.client.post("/api/auth/password", &json!({"currentPassword": current, "newPassword": new}))
}

#[test]
fn another_password_ends_every_other_login_and_opens_new_ones() {
    let desk = Desk::start();
    let email = desk.register("AGENT");
    let (here, there) = (Login::new(&desk, &email), Login::new(&desk, &email));
    let bystander = Login::new(&desk, &desk.register("AGENT"));
    assert_eq!(change(&here, PASSWORD, NEW).expect(204).body, "");
    assert!(here.is_in() && !there.is_in() && bystander.is_in());
    there.refresh(&desk).expect_problem(401, "unusable-refresh-token");
    here.refresh(&desk).expect(200);
    desk.login(&email, PASSWORD).expect_problem(401, "bad-credentials");
    desk.login(&email, NEW).expect(200);
}

#[test]
fn what_is_wrong_is_named() {
    let desk = Desk::start();
    let login = Login::new(&desk, &desk.register("AGENT"));
    let there = |answer: Answer| answer.json()["errors"][0]["pointer"].clone();
    let wrong = change(&login, "not the password", NEW).expect_problem(422, "unusable-reference");
    assert_eq!(there(wrong), "/currentPassword");
    for unfit in ["short77", "password123", "        ", &"x".repeat(129)] {
        let answer = change(&login, PASSWORD, unfit).expect_problem(400, "invalid-input");
        assert_eq!(there(answer), "/newPassword", "{unfit}");
        // The rules come first: they say nothing about the current password.
        let answer = change(&login, "not the password", unfit).expect_problem(400, "invalid-input");
        assert_eq!(there(answer), "/newPassword", "{unfit}");
    }
    let both = login.client.post("/api/auth/password", &json!({}));
    assert_eq!(both.expect_problem(400, "invalid-input").json()["errors"].as_array().unwrap().len(), 2);
    assert!(login.is_in());
    login.refresh(&desk).expect(200);
}

#[test]
fn guessing_the_current_password_is_slow() {
    let desk = Desk::with()
        .set("AUTH__THROTTLE__ACCOUNT_BURST", 3)
        .set("AUTH__THROTTLE__ACCOUNT_PER_MINUTE", 1)
        .start();
    let login = Login::new(&desk, &desk.register("AGENT"));
    for _ in 0..3 {
        change(&login, "not the password", NEW).expect_problem(422, "unusable-reference");
    }
    let answer = change(&login, PASSWORD, NEW).expect_problem(429, "too-many-attempts");
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert!(login.is_in(), "everything else goes on");
}
