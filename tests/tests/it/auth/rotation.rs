//! Refresh tokens: each works once, and whoever presents a spent one ends the login.

use std::{
    sync::{Arc, Barrier},
    thread,
};

use serde_json::{Value, json};
use techsupport_tests::{Answer, Desk, PASSWORD, eventually};

use super::is_in;

fn refresh(desk: &Desk, token: &Value) -> Answer {
    desk.anonymous().post("/api/auth/refresh", &json!({"refreshToken": token}))
}

fn pair(desk: &Desk) -> Value {
    let email = desk.register("AGENT");
    desk.login(&email, PASSWORD).expect(200).json()
}

#[test]
fn a_token_works_once_and_its_second_use_ends_the_whole_family() {
    let desk = Desk::start();
    let first = pair(&desk);
    // Even a header that would be refused elsewhere is ignored here.
    let caller = desk.anonymous().with_token("expired nonsense");
    let body = json!({"refreshToken": first["refreshToken"]});
    let second = caller.post("/api/auth/refresh", &body).expect(200).json();
    assert_ne!(first["refreshToken"], second["refreshToken"]);
    let me = desk.anonymous().with_token(second["accessToken"].as_str().unwrap());
    assert_eq!(me.get("/api/auth/me").expect(200).json()["role"], "AGENT");

    refresh(&desk, &first["refreshToken"]).expect_problem(401, "unusable-refresh-token");
    refresh(&desk, &second["refreshToken"]).expect_problem(401, "unusable-refresh-token");
    assert!(!is_in(&me));
    assert_eq!(desk.database().count("sessions WHERE revoked_reason = 'REUSE'"), 1);
}

#[test]
fn another_login_of_the_same_user_is_another_family() {
    let desk = Desk::start();
    let email = desk.register("AGENT");
    let login = || desk.login(&email, PASSWORD).expect(200).json();
    let (one, other) = (login(), login());
    refresh(&desk, &one["refreshToken"]).expect(200);
    refresh(&desk, &one["refreshToken"]).expect(401);
    refresh(&desk, &other["refreshToken"]).expect(200);
}

/// Whether one of them succeeds depends on who comes first to the lock; two never do.
#[test]
fn of_fifty_refreshes_at_once_one_succeeds_at_most_and_the_family_ends() {
    let desk = Desk::with().replicas(2).start();
    let first = pair(&desk);
    let (token, addresses) = (first["refreshToken"].clone(), desk.addresses());
    let barrier = Arc::new(Barrier::new(50));
    let racers: Vec<_> = (0..50)
        .map(|n| {
            let (client, barrier) = (desk.anonymous().at(&addresses[n % 2]), Arc::clone(&barrier));
            let body = json!({"refreshToken": token});
            thread::spawn(move || {
                barrier.wait();
                client.post("/api/auth/refresh", &body)
            })
        })
        .collect();
    let answers: Vec<Answer> = racers.into_iter().map(|racer| racer.join().unwrap()).collect();
    let mut winners = Vec::new();
    for answer in answers {
        match answer.status {
            200 => winners.push(answer.json()),
            _ => drop(answer.expect_problem(401, "unusable-refresh-token")),
        }
    }
    assert_eq!(winners.len(), 1);
    refresh(&desk, &winners[0]["refreshToken"]).expect(401);
    assert_eq!(desk.database().count("sessions WHERE revoked_reason = 'REUSE'"), 1);
    assert_eq!(desk.database().count("audit_log WHERE action = 'REFRESH_REUSE'"), 1);
    for token in [&first["accessToken"], &winners[0]["accessToken"]] {
        let holder = desk.anonymous().with_token(token.as_str().unwrap());
        for address in desk.addresses() {
            let holder = holder.at(&address);
            eventually("the family is dead, its access tokens too", || !is_in(&holder));
        }
    }
}

#[test]
fn half_a_token_opens_and_ends_nothing() {
    let desk = Desk::start();
    let token = pair(&desk)["refreshToken"].clone();
    let forged = json!(format!("{}{}", &token.as_str().unwrap()[..32], "0".repeat(32)));
    refresh(&desk, &forged).expect_problem(401, "unusable-refresh-token");
    desk.anonymous().post("/api/auth/logout", &json!({"refreshToken": forged})).expect(204);
    refresh(&desk, &token).expect(200);
}

#[test]
fn what_is_no_token_is_refused_like_one_that_is_spent() {
    let desk = Desk::start();
    for wrong in ["", "x", &"F".repeat(64), &"0".repeat(64)] {
        refresh(&desk, &json!(wrong)).expect_problem(401, "unusable-refresh-token");
    }
    desk.anonymous().post("/api/auth/refresh", &json!({})).expect_problem(400, "invalid-input");
}

#[test]
fn logging_out_ends_the_login_and_may_be_repeated() {
    let desk = Desk::start();
    let pair = pair(&desk);
    for _ in 0..2 {
        let body = json!({"refreshToken": pair["refreshToken"]});
        assert_eq!(desk.anonymous().post("/api/auth/logout", &body).expect(204).body, "");
    }
    refresh(&desk, &pair["refreshToken"]).expect_problem(401, "unusable-refresh-token");
    let reason: String =
        desk.database().one("SELECT revoked_reason FROM sessions WHERE revoked_at IS NOT NULL", &[]);
    assert_eq!(reason, "LOGOUT");
}

#[test]
fn a_refresh_token_ends_and_a_user_who_is_inactive_has_none() {
    let desk = Desk::start();
    let (old, gone) = (pair(&desk), pair(&desk));
    let table = desk.database();
    table.execute(
        "UPDATE refresh_tokens SET expires_at = now() - interval '1 second' WHERE lookup = $1",
        &[&&old["refreshToken"].as_str().unwrap()[..32]],
    );
    refresh(&desk, &old["refreshToken"]).expect_problem(401, "unusable-refresh-token");
    table.execute("UPDATE users SET active = false WHERE role = 'AGENT'", &[]);
    refresh(&desk, &gone["refreshToken"]).expect_problem(401, "unusable-refresh-token");
}

/// The present role counts, not the one at the login.
#[test]
fn roles_survive_a_refresh_and_so_do_their_changes() {
    let desk = Desk::start();
    let first = pair(&desk);
    desk.database().execute("UPDATE users SET role = 'SUPERVISOR' WHERE role = 'AGENT'", &[]);
    let second = refresh(&desk, &first["refreshToken"]).expect(200).json();
    let me = desk.anonymous().with_token(second["accessToken"].as_str().unwrap());
    assert_eq!(me.get("/api/auth/me").expect(200).json()["role"], "SUPERVISOR");
}
