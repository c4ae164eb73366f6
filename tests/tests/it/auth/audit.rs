//! The audit log.

use serde_json::{Value, json};
use techsupport_tests::{Client, Desk, PASSWORD, eventually};

use super::{Login, user_id};

fn entries(admin: &Client, query: &str) -> Vec<Value> {
    let list = admin.get(&format!("/api/audit?pageSize=100&{query}")).expect(200).json();
    list["data"].as_array().unwrap().clone()
}

fn actions(admin: &Client, query: &str) -> Vec<String> {
    entries(admin, query).iter().map(|entry| entry["action"].as_str().unwrap().to_owned()).collect()
}

/// The life of an account, told backwards.
#[test]
fn what_happens_to_an_account_is_written_down() {
    let desk = Desk::start();
    let admin = desk.admin();
    let email = desk.register("AGENT");
    let id = user_id(&desk, &email);
    let (one, two, three) = (Login::new(&desk, &email), Login::new(&desk, &email), Login::new(&desk, &email));
    desk.login(&email, "not the password").expect(401);
    one.client.delete(&format!("/api/auth/sessions/{}", two.session())).expect(204);
    let password = |current: &str| {
        let body = json!({"currentPassword": current, "newPassword": "another horse, another battery"});
        one.client.post("/api/auth/password", &body)
    };
    password("not the password").expect(422);
    password(PASSWORD).expect(204);
    three.refresh(&desk).expect(401);
    one.refresh(&desk).expect(200);
    one.refresh(&desk).expect(401);
    let again = desk.login(&email, "another horse, another battery").expect(200).json();
    Login::of(&desk, &again).log_out(&desk);
    for change in [json!({"role": "SUPERVISOR"}), json!({"active": false}), json!({"active": true})] {
        admin.patch(&format!("/api/auth/users/{id}"), &change).expect(200);
    }

    let told = entries(&admin, &format!("target={id}"));
    let line = |entry: &Value| {
        let text = |member: &str| entry[member].as_str().unwrap().to_owned();
        format!("{} {} {}", text("action"), text("outcome"), entry["actor"]["kind"].as_str().unwrap())
    };
    assert_eq!(
        told.iter().map(line).collect::<Vec<_>>(),
        [
            "USER_ACTIVATED SUCCESS USER",
            "USER_DEACTIVATED SUCCESS USER",
            "ROLE_CHANGED SUCCESS USER",
            "LOGOUT SUCCESS USER",
            "LOGIN SUCCESS USER",
            "REFRESH_REUSE FAILURE ANONYMOUS",
            "PASSWORD_CHANGED SUCCESS USER",
            "PASSWORD_CHANGED FAILURE USER",
            "SESSION_REVOKED SUCCESS USER",
            "LOGIN FAILURE ANONYMOUS",
            "LOGIN SUCCESS USER",
            "LOGIN SUCCESS USER",
            "LOGIN SUCCESS USER",
            "USER_REGISTERED SUCCESS USER",
        ]
    );
    let role = &told[2];
    assert_eq!(role["actor"]["email"], "admin@techsupport.pro");
    assert_eq!(role["target"], json!({"kind": "USER", "id": id}));
    assert_eq!(role["ip"], "127.0.0.1");
    assert_eq!(role["detail"], json!({"before": {"role": "AGENT"}, "after": {"role": "SUPERVISOR"}}));
    let mut members: Vec<&String> = role.as_object().unwrap().keys().collect();
    members.sort();
    assert_eq!(members, ["action", "actor", "at", "detail", "id", "ip", "outcome", "target"]);
    assert_eq!(told[5]["actor"], json!({"kind": "ANONYMOUS", "id": null, "email": null}));
    assert_eq!(told[6]["detail"], json!({"sessionsEnded": 1}));
}

#[test]
fn entries_are_found_by_every_filter() {
    let desk = Desk::start();
    let admin = desk.admin();
    let email = desk.register("AGENT");
    let id = user_id(&desk, &email);
    Login::new(&desk, &email);
    desk.login(&email, "not the password").expect(401);
    desk.login("nobody@example.org", "not the password").expect(401);
    for (query, expected) in [
        (format!("actor={id}"), &["LOGIN"][..]),
        (format!("target={id}&outcome=FAILURE"), &["LOGIN"]),
        ("action=LOGIN&outcome=FAILURE".to_owned(), &["LOGIN", "LOGIN"]),
        ("action=USER_REGISTERED&action=LOGOUT".to_owned(), &["USER_REGISTERED", "USER_REGISTERED"]),
        ("from=2999-01-01".to_owned(), &[]),
        ("to=2000-01-01".to_owned(), &[]),
    ] {
        assert_eq!(actions(&admin, &query), expected, "{query}");
    }
    let everything = entries(&admin, "");
    let first = everything.last().unwrap();
    assert_eq!(first["actor"], json!({"kind": "SYSTEM", "id": null, "email": null}), "the first boot");
    assert_eq!((&first["action"], &first["ip"]), (&json!("USER_REGISTERED"), &json!(null)));
    let unknown = &entries(&admin, "action=LOGIN&outcome=FAILURE")[0];
    assert_eq!((&unknown["target"], &unknown["detail"]["reason"]), (&json!(null), &json!("UNKNOWN_ADDRESS")));
    let at = first["at"].as_str().unwrap();
    assert_eq!(entries(&admin, &format!("from={at}&to={at}")), std::slice::from_ref(first));
    for wrong in ["action=SLEEP", "actor=me", "target=me", "outcome=MAYBE", "from=now", "colour=red"] {
        let problem = admin.get(&format!("/api/audit?{wrong}")).expect_problem(400, "invalid-input").json();
        assert_eq!(problem["errors"][0]["parameter"], wrong.split('=').next().unwrap(), "{wrong}");
    }
    admin.get("/api/audit?from=2026-02-02&to=2026-02-01").expect_problem(400, "invalid-input");
}

#[test]
fn the_log_is_walked_while_it_grows() {
    let desk = Desk::start();
    let admin = desk.admin();
    (0..7).for_each(|_| drop(desk.register("AGENT")));
    let there: Vec<Value> = entries(&admin, "").iter().map(|entry| entry["id"].clone()).collect();
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = admin.get(&format!("/api/audit?pageSize=3&cursor={cursor}")).expect(200).json();
        seen.extend(page["data"].as_array().unwrap().iter().map(|entry| entry["id"].clone()));
        desk.login("nobody@example.org", "not the password").expect(401);
        match page["nextCursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    assert_eq!(seen, there);
}

/// A walk costs as much at its end as at its beginning, whatever it looks for.
#[test]
fn every_filter_reads_an_index() {
    let desk = Desk::start();
    let admin = desk.admin();
    let id = user_id(&desk, "admin@techsupport.pro");
    let mut database = desk.database().connect();
    let many = "INSERT INTO audit_log (id, at, actor_kind, actor_id, action, target_kind, target_id, outcome, detail) \
                SELECT gen_random_uuid(), now() - n * interval '1 second', 'USER', gen_random_uuid(), 'LOGIN', 'USER', \
                gen_random_uuid(), 'SUCCESS', '{}' FROM generate_series(1, 200000) n";
    assert_eq!(database.execute(many, &[]).unwrap(), 200_000);
    database.batch_execute("ANALYZE audit_log").unwrap();
    let mut scans = || -> (i64, i64) {
        let sql = "SELECT seq_scan, idx_scan FROM pg_stat_user_tables WHERE relname = 'audit_log'";
        let row = database.query_one(sql, &[]).unwrap();
        (row.get(0), row.get(1))
    };
    let (whole, by_index) = scans();
    let queries = [
        String::new(),
        format!("actor={id}"),
        format!("target={id}"),
        "action=ROLE_CHANGED".to_owned(),
        "outcome=FAILURE".to_owned(),
        "from=2020-01-01&to=2020-12-31".to_owned(),
        format!("actor={id}&action=LOGIN&outcome=SUCCESS&from=2020-01-01"),
    ];
    for query in &queries {
        admin.get(&format!("/api/audit?cursor=&{query}")).expect(200);
    }
    // PostgreSQL tells of its scans a little later.
    let least = by_index + i64::try_from(queries.len()).unwrap();
    eventually("all scans are told of", || scans().1 >= least);
    assert_eq!(scans().0, whole, "nobody reads the whole log");
}

#[test]
fn nobody_changes_the_past() {
    let desk = Desk::start();
    let mut database = desk.database().connect();
    for change in ["UPDATE audit_log SET outcome = 'SUCCESS'", "DELETE FROM audit_log", "TRUNCATE audit_log"]
    {
        let error = database.batch_execute(change).unwrap_err();
        assert!(error.as_db_error().unwrap().message().contains("append-only"), "{change}: {error:?}");
    }
    assert_eq!(desk.database().count("audit_log"), 1);
}

/// Being turned away costs nothing, so only the first of a flood is written down.
#[test]
fn a_flood_of_throttled_logins_does_not_fill_the_log() {
    let desk = Desk::with()
        .set("AUTH__THROTTLE__ADDRESS_BURST", 5)
        .set("AUTH__THROTTLE__ADDRESS_PER_MINUTE", 1)
        .start();
    let admin = desk.admin();
    let email = "admin@techsupport.pro";
    (0..4).for_each(|_| drop(desk.login(email, "not the password").expect(401)));
    (0..20).for_each(|_| drop(desk.login(email, "not the password").expect(429)));
    let throttled = entries(&admin, "action=LOGIN_THROTTLED");
    assert_eq!(throttled.len(), 1);
    assert_eq!(throttled[0]["target"]["id"], user_id(&desk, email));
    assert_eq!(throttled[0]["outcome"], "FAILURE");
}
