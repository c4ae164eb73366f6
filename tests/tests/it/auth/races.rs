//! Who comes first when rights are taken away at the moment they are used.

use std::thread;

use serde_json::json;
use techsupport_tests::{Answer, Client, Desk, PASSWORD, eventually};

use super::{Login, is_in, user_id};
use crate::races::race;

/// So many of the program's own statements wait for a lock.
fn waiting(desk: &Desk) -> i64 {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
               AND application_name = 'techsupport-api' AND wait_event_type = 'Lock'";
    desk.database().one(sql, &[])
}

/// Does something while a transaction of ours is under way, which commits once the program waits for it.
fn meanwhile<T: Send>(desk: &Desk, ours: &str, wait_for: i64, theirs: impl FnOnce() -> T + Send) -> T {
    let mut database = desk.database().connect();
    let mut transaction = database.transaction().unwrap();
    transaction.batch_execute(ours).unwrap();
    thread::scope(|scope| {
        let theirs = scope.spawn(theirs);
        eventually("the program waits for the lock", || waiting(desk) == wait_for);
        transaction.commit().unwrap();
        theirs.join().unwrap()
    })
}

fn login(desk: &Desk, email: &str) -> impl FnOnce() -> Answer + Send + use<> {
    let (caller, body) = (desk.anonymous(), json!({"email": email, "password": PASSWORD}));
    move || caller.post("/api/auth/login", &body)
}

fn refresh(desk: &Desk, login: &Login) -> impl FnOnce() -> Answer + Send + use<> {
    let (caller, body) = (desk.anonymous(), json!({"refreshToken": login.refresh_token}));
    move || caller.post("/api/auth/refresh", &body)
}

#[test]
fn a_login_that_waits_for_a_deactivation_fails() {
    let desk = Desk::with().replicas(1).start();
    let email = desk.register("AGENT");
    let ours = format!("UPDATE users SET active = false WHERE email = '{email}'");
    let answer = meanwhile(&desk, &ours, 1, login(&desk, &email));
    answer.expect_problem(401, "bad-credentials");
    assert_eq!(
        desk.database().count("sessions s JOIN users u ON u.id = s.user_id WHERE u.role = 'AGENT'"),
        0
    );
    let told: String = desk
        .database()
        .one("SELECT detail ->> 'reason' FROM audit_log WHERE action = 'LOGIN' AND outcome = 'FAILURE'", &[]);
    assert_eq!(told, "CHANGED_MEANWHILE");
}

#[test]
fn a_login_that_waits_for_another_password_fails() {
    let desk = Desk::with().replicas(1).start();
    let email = desk.register("AGENT");
    let ours = format!("UPDATE users SET password_hash = 'another one' WHERE email = '{email}'");
    let answer = meanwhile(&desk, &ours, 1, login(&desk, &email));
    answer.expect_problem(401, "bad-credentials");
}

#[test]
fn a_login_that_waits_for_another_role_has_it() {
    let desk = Desk::with().replicas(1).start();
    let email = desk.register("AGENT");
    let ours = format!("UPDATE users SET role = 'SUPERVISOR' WHERE email = '{email}'");
    let pair = meanwhile(&desk, &ours, 1, login(&desk, &email)).expect(200).json();
    // The token says so, not only the table.
    Login::of(&desk, &pair).client.post("/api/agents", &json!({})).expect_problem(400, "invalid-input");
}

#[test]
fn a_refresh_that_waits_for_the_end_of_its_login_fails() {
    let desk = Desk::with().replicas(1).start();
    let login = Login::new(&desk, &desk.register("AGENT"));
    let ours = format!(
        "UPDATE sessions SET revoked_at = clock_timestamp(), revoked_reason = 'DEACTIVATED' WHERE id = '{}'",
        login.session()
    );
    let answer = meanwhile(&desk, &ours, 1, refresh(&desk, &login));
    answer.expect_problem(401, "unusable-refresh-token");
}

/// Wherever the deactivation falls between logins and refreshes, nothing of them is left.
#[test]
fn no_login_survives_a_deactivation_that_races_with_it() {
    let desk = Desk::with().replicas(2).set("HTTP__BCRYPT_PARALLELISM", 8).start();
    let admin = desk.admin();
    let email = desk.register("AGENT");
    let path = format!("/api/auth/users/{}", user_id(&desk, &email));
    let before: Vec<Login> = (0..4).map(|_| Login::new(&desk, &email)).collect();
    let tokens: Vec<String> = before.iter().map(|login| login.refresh_token.clone()).collect();
    let addresses = desk.addresses();
    let callers: Vec<Client> = (0..13).map(|n| desk.anonymous().at(&addresses[n % 2])).collect();
    let admin_at = admin.clone();
    let answers = race(callers, move |n, caller| match n {
        0 => admin_at.patch(&path, &json!({"active": false})),
        1..=4 => caller.post("/api/auth/refresh", &json!({"refreshToken": tokens[n - 1]})),
        _ => caller.post("/api/auth/login", &json!({"email": email, "password": PASSWORD})),
    });
    let mut clients: Vec<Client> = before.into_iter().map(|login| login.client).collect();
    for answer in answers {
        if answer.status == 200 && answer.json()["accessToken"].is_string() {
            clients.push(Login::of(&desk, &answer.json()).client);
        }
    }
    let living =
        "sessions s JOIN users u ON u.id = s.user_id WHERE u.role = 'AGENT' AND s.revoked_at IS NULL";
    assert_eq!(desk.database().count(living), 0);
    for client in clients {
        for address in &addresses {
            let client = client.at(address);
            eventually("the token is good for nothing", || !is_in(&client));
        }
    }
}

/// Both have been let in when they come to the lock, so neither is refused for having lost the role.
#[test]
fn two_administrators_who_demote_each_other_leave_one() {
    let desk = Desk::with().replicas(2).start();
    let first = desk.admin();
    let email = desk.register("ADMIN");
    let second = desk.signed_in(&email, PASSWORD).at(&desk.addresses()[1]);
    let victims = [user_id(&desk, &email), user_id(&desk, "admin@techsupport.pro")];
    let ours = format!("SELECT pg_advisory_xact_lock({ADMINS_LOCK})");
    let mut statuses = meanwhile(&desk, &ours, 2, || {
        let answers = race(vec![first, second], move |n, caller| {
            caller.patch(&format!("/api/auth/users/{}", victims[n]), &json!({"role": "AGENT"}))
        });
        answers
            .into_iter()
            .map(|answer| match answer.status {
                200 => 200,
                _ => answer.expect_problem(409, "last-admin").status,
            })
            .collect::<Vec<u16>>()
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    assert_eq!(desk.database().count("users WHERE role = 'ADMIN' AND active"), 1);
}

/// The lock of `crates/persistence/src/tx/accounts.rs`.
const ADMINS_LOCK: i64 = 0x7465_6368_7375_7070;
