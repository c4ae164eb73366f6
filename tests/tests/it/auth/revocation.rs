//! Rights that are taken away on one replica are gone on all of them.

use serde_json::json;
use techsupport_tests::{Client, Desk, PASSWORD, eventually};

use super::{Login, is_in, user_id};

/// Ways to end a login, from outside of it.
const ENDINGS: [fn(&Desk, &str, &Login); 6] = [
    |desk, _, login| login.log_out(desk),
    |desk, email, login| {
        let other = Login::new(desk, email);
        other.client.delete(&format!("/api/auth/sessions/{}", login.session())).expect(204);
    },
    |desk, _, login| {
        login.refresh(desk).expect(200);
        login.refresh(desk).expect_problem(401, "unusable-refresh-token");
    },
    |desk, email, _| {
        let body = json!({"currentPassword": PASSWORD, "newPassword": "another horse, another battery"});
        Login::new(desk, email).client.post("/api/auth/password", &body).expect(204);
    },
    |desk, email, _| change(desk, email, &json!({"role": "SUPERVISOR"})),
    |desk, email, _| change(desk, email, &json!({"active": false})),
];

fn change(desk: &Desk, email: &str, what: &serde_json::Value) {
    desk.admin().patch(&format!("/api/auth/users/{}", user_id(desk, email)), what).expect(200);
}

fn elsewhere(desk: &Desk, login: &Login) -> Client {
    login.client.at(&desk.addresses()[1])
}

#[test]
fn whatever_ends_a_login_is_effective_here_at_once_and_soon_everywhere() {
    let desk = Desk::with().replicas(2).start();
    for end in ENDINGS {
        let email = desk.register("AGENT");
        let login = Login::new(&desk, &email);
        let there = elsewhere(&desk, &login);
        assert!(login.is_in() && is_in(&there));
        end(&desk, &email, &login);
        assert!(!login.is_in(), "the replica that ended it knows");
        eventually("the other replica knows", || !is_in(&there));
        login.refresh(&desk).expect_problem(401, "unusable-refresh-token");
    }
}

/// Whoever listens is cut off again and again, so that only polling is left.
#[test]
fn a_replica_that_hears_nothing_finds_out_by_itself() {
    let desk = Desk::with().replicas(2).start();
    let deaf = || {
        let killed = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() \
                      AND application_name = 'techsupport-api-listener'";
        desk.database().one::<i64>(killed, &[])
    };
    for end in ENDINGS {
        let email = desk.register("AGENT");
        let login = Login::new(&desk, &email);
        let there = elsewhere(&desk, &login);
        eventually("somebody listens, and is cut off", || deaf() > 0);
        end(&desk, &email, &login);
        eventually("the other replica knows", || {
            deaf();
            !is_in(&there)
        });
    }
}

#[test]
fn a_replica_knows_before_its_first_request() {
    let mut desk = Desk::start();
    let login = Login::new(&desk, &desk.register("AGENT"));
    login.log_out(&desk);
    desk.start_api();
    assert!(!is_in(&elsewhere(&desk, &login)));
}

/// The time of an end is older than its commit: a look that only asked since the last one would miss it.
#[test]
fn an_end_that_commits_late_is_found() {
    let desk = Desk::with().replicas(2).start();
    let login = Login::new(&desk, &desk.register("AGENT"));
    let session: uuid::Uuid = login.session().parse().unwrap();
    let mut database = desk.database().connect();
    let mut transaction = database.transaction().unwrap();
    // As an earlier release, or an operator, would: without notifying anybody.
    let ended = "UPDATE sessions SET revoked_at = now(), revoked_reason = 'LOGOUT' WHERE id = $1";
    assert_eq!(transaction.execute(ended, &[&session]).unwrap(), 1);
    let since: i64 = looks(&desk);
    eventually("both replicas have looked in the meantime", || looks(&desk) > since + 6);
    assert!(login.is_in() && is_in(&elsewhere(&desk, &login)), "not committed, not ended");
    transaction.commit().unwrap();
    eventually("both replicas know", || !login.is_in() && !is_in(&elsewhere(&desk, &login)));
}

/// How often somebody has read through the index of ends.
fn looks(desk: &Desk) -> i64 {
    desk.database().one("SELECT idx_scan + seq_scan FROM pg_stat_user_tables WHERE relname = 'sessions'", &[])
}

/// A replica that cannot find out lets nobody in on what it knew, says that it is not ready, and recovers.
#[test]
fn nobody_is_let_in_when_nobody_can_tell_for_too_long() {
    // Long enough for a look that is late, and short enough for those who wait below.
    let desk = Desk::with().set("AUTH__REVOCATIONS__MAX_AGE_MS", 10_000).start();
    let admin = desk.admin();
    desk.await_topology();
    admin.get("/api/clients").expect(200);
    let rename = |from: &str, to: &str| {
        desk.database().execute(&format!("ALTER TABLE sessions RENAME COLUMN {from} TO {to}"), &[])
    };
    rename("revoked_at", "hidden");
    eventually("nobody is let in", || admin.get("/api/clients").status == 503);
    let answer = admin.get("/api/clients").expect_problem(503, "unavailable");
    assert!(answer.header("retry-after").is_some());
    let ready = desk.anonymous().get("/health/ready").expect_problem(503, "not-ready").json();
    assert_eq!(ready["failing"], "database");
    rename("hidden", "revoked_at");
    eventually("everybody is let in again", || admin.get("/api/clients").status == 200);
    eventually("it is ready again", || desk.anonymous().get("/health/ready").status == 200);
}

/// What every replica does twice a second must not grow with the past.
#[test]
fn the_look_reads_an_index() {
    let desk = Desk::start();
    let user = user_id(&desk, "admin@techsupport.pro");
    let many = "INSERT INTO sessions (id, user_id, revoked_at, revoked_reason) \
                SELECT gen_random_uuid(), $1::text::uuid, now() - n * interval '1 minute', 'LOGOUT' \
                FROM generate_series(1, 50000) n";
    desk.database().execute(many, &[&user]);
    desk.database().connect().batch_execute("ANALYZE sessions").unwrap();
    let plan: Vec<String> = desk.database().all(
        "EXPLAIN SELECT id FROM sessions WHERE revoked_at > greatest(now() - interval '61 seconds', \
         now() - make_interval(secs => 945))",
        &[],
    );
    let plan = plan.join("\n");
    assert!(plan.contains("sessions_by_end") && !plan.contains("Seq Scan"), "{plan}");
}
