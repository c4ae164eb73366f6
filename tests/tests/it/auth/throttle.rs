//! Guessing is slow.

use techsupport_tests::Desk;

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
