//! Walks: cursors, and what happens to them while others work.

use std::collections::HashSet;
use std::sync::{
    Barrier,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::{Value, json};
use techsupport_tests::{Client, Desk, eventually};
use uuid::Uuid;

use super::{ids, ids_of, six, walk};

const SORTS: [&str; 7] = [
    "sort=createdAt",
    "sort=-createdAt",
    "sort=priority",
    "sort=-priority",
    "sort=dueAt",
    "sort=-dueAt",
    // By rank.
    "q=broken",
];

fn next(list: &Value) -> String {
    list["nextCursor"].as_str().expect("there is more").to_owned()
}

#[test]
fn a_walk_sees_everything_once_in_the_order_of_the_list() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    six(&desk, &admin);
    for sort in SORTS {
        let all = ids(&admin, sort);
        for size in [1, 2, 3, 5, 6, 100] {
            assert_eq!(
                walk(&admin, &format!("/api/tickets?{sort}&pageSize={size}"), ""),
                all,
                "{sort} by {size}"
            );
        }
    }
}

#[test]
fn every_page_says_where_a_walk_goes_on_from_there() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    six(&desk, &admin);
    let all = ids(&admin, "");
    let second = admin.get("/api/tickets?page=2&pageSize=2").expect(200).json();
    assert_eq!((&second["total"], &second["page"]), (&json!(6), &json!(2)));
    // The size of the page may change on the way.
    assert_eq!(walk(&admin, "/api/tickets?pageSize=1", &next(&second)), all[4..]);
    let last = admin.get("/api/tickets?page=2&pageSize=3").expect(200).json();
    assert_eq!(last["nextCursor"], Value::Null, "a full page, and nothing behind it");
}

#[test]
fn all_lists_can_be_walked() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let (t, _, _) = six(&desk, &admin);
    desk.agent_of(&admin, 1);
    let timeline = format!("/api/tickets/{}/timeline", t[1]);
    for (path, rows) in [("/api/clients", 2), ("/api/agents", 2), (&timeline, 2)] {
        let all = ids_of(&admin.get(path).expect(200).json());
        assert_eq!(all.len(), rows, "{path}");
        assert_eq!(walk(&admin, &format!("{path}?pageSize=1"), ""), all, "{path}");
    }
}

#[test]
fn a_cursor_belongs_to_its_list() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let (t, clients, _) = six(&desk, &admin);
    let of = |path: &str| next(&admin.get(path).expect(200).json());
    let open = of("/api/tickets?status=OPEN&pageSize=1");
    let timeline = of(&format!("/api/tickets/{}/timeline?pageSize=1", t[1]));
    for wrong in [
        format!("/api/tickets?cursor={open}"),
        format!("/api/tickets?status=OPEN&priority=1&cursor={open}"),
        format!("/api/tickets?status=CLOSED&cursor={open}"),
        format!("/api/tickets?status=OPEN&sort=createdAt&cursor={open}"),
        format!("/api/tickets?status=OPEN&sort=priority&cursor={open}"),
        format!("/api/tickets?status=OPEN&clientId={}&cursor={open}", clients[0]),
        format!("/api/clients?cursor={open}"),
        format!("/api/tickets/{}/timeline?cursor={timeline}", t[2]),
        format!("/api/tickets?status=OPEN&page=1&cursor={open}"),
        "/api/tickets?page=1&cursor=".to_owned(),
        "/api/tickets?cursor=&cursor=".to_owned(),
        "/api/tickets?cursor=x".to_owned(),
        format!("/api/tickets?status=OPEN&cursor={open}="),
        format!("/api/tickets?status=OPEN&cursor={}", &open[1..]),
    ] {
        let problem = admin.get(&wrong).expect_problem(400, "invalid-input").json();
        let named: Vec<&Value> =
            problem["errors"].as_array().unwrap().iter().map(|e| &e["parameter"]).collect();
        assert_eq!(named, ["cursor"], "{wrong}: {problem}");
    }
    assert_eq!(
        ids_of(&admin.get(&format!("/api/tickets?cursor={open}&status=OPEN")).expect(200).json()).len(),
        2
    );
}

/// The same cursor with another key of this kind. Nine bytes come before both, and they are nine: twelve characters.
fn forged(cursor: &str, kind: u8, key: i64) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bytes = [&[kind][..], &key.to_be_bytes()].concat();
    let digits = bytes.chunks(3).flat_map(|three| {
        let bits = three.iter().fold(0, |bits, byte| bits << 8 | usize::from(*byte));
        [18, 12, 6, 0].map(|shift| char::from(DIGITS[bits >> shift & 63]))
    });
    format!("{}{}{}", &cursor[..12], digits.collect::<String>(), &cursor[24..])
}

#[test]
fn a_place_that_no_row_can_have_is_refused_and_one_that_is_only_made_up_is_a_place() {
    const DAY: i64 = 86_400_000_000;
    let year = |year: i64| (year - 1970) * 365 * DAY;
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let (t, _, _) = six(&desk, &admin);
    desk.agent_of(&admin, 1);
    let timeline = format!("/api/tickets/{}/timeline?", t[1]);
    let faults = format!("/api/files/{}/errors?", t[0]);
    let import = "INSERT INTO import_processes (id, file_name, file_kind, status) VALUES ($1, 'a.csv', 'CSV', 'PENDING')";
    desk.database().execute(import, &[&t[0]]);
    let fault = "INSERT INTO import_errors (process_id, place, sheet_row, value, detail) \
                 SELECT $1, place, 2, '', '' FROM generate_series(1, 2) place";
    desk.database().execute(fault, &[&t[0]]);
    let times = [year(-9_000), year(-4_800), year(-10), year(9_000) * 2, i64::MIN, i64::MAX];
    let numbers = [i64::MIN, -1, 0, 5, 70_000, i64::MAX];
    let ranks = [-1, 0x7fc0_0000, 0x7f80_0000, 0xff80_0000, 1 << 32];
    let cases: [(&str, u8, &[i64], i64); 12] = [
        ("/api/tickets?", b't', &times, year(2_000)),
        ("/api/tickets?sort=createdAt", b't', &times, year(30)),
        ("/api/tickets?sort=dueAt", b't', &times, year(9_000)),
        ("/api/tickets?sort=-dueAt", b't', &times, year(9_000)),
        ("/api/tickets?sort=dueAt", b'-', &[], 0),
        ("/api/tickets?sort=priority", b'n', &numbers, 4),
        ("/api/tickets?sort=-priority", b'n', &numbers, 1),
        ("/api/tickets?q=broken", b'r', &ranks, 0x3f80_0000),
        ("/api/clients?", b't', &times, year(2_000)),
        ("/api/agents?", b't', &times, year(2_000)),
        (&timeline, b't', &times, year(2_000)),
        (&faults, b'n', &[i64::MIN, -1, 0], i64::MAX),
    ];
    for (list, kind, wrong, right) in cases {
        let cursor = next(&admin.get(&format!("{list}&pageSize=1")).expect(200).json());
        let with = |key| admin.get(&format!("{list}&cursor={}", forged(&cursor, kind, key)));
        for key in wrong {
            let problem = with(*key).expect_problem(400, "invalid-input").json();
            assert_eq!(problem["errors"][0]["parameter"], "cursor", "{list} {key}: {problem}");
        }
        with(right).expect(200);
    }
}

fn open(caller: &Client, client: Uuid, priority: usize) -> Uuid {
    let body =
        json!({"title": "Broken", "description": "It is.", "clientId": client, "priority": priority % 4 + 1});
    caller.post("/api/tickets", &body).expect(201).id()
}

/// Others enter tickets all the while, before and behind the place where the walk is.
#[test]
fn a_walk_neither_skips_nor_repeats_what_was_there_when_it_began() {
    const TICKETS: usize = 90;
    const NEW: usize = 40;
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let clients = [desk.client_of(&admin, "VIP"), desk.client_of(&admin, "NORMAL")];
    for n in 0..TICKETS {
        let ticket = open(&admin, clients[n % 2], n);
        if n % 3 == 0 {
            // Answered: without a deadline from now on.
            admin
                .patch(&format!("/api/tickets/{ticket}/status"), &json!({"status": "IN_PROGRESS"}))
                .expect(200);
        }
    }
    for sort in SORTS {
        let at_first: HashSet<Uuid> =
            desk.database().all("SELECT id FROM tickets", &[]).into_iter().collect();
        let (start, entered) = (Barrier::new(3), AtomicUsize::new(0));
        let seen = std::thread::scope(|scope| {
            for writer in 0..2 {
                let (admin, start, entered, clients) = (&admin, &start, &entered, &clients);
                scope.spawn(move || {
                    start.wait();
                    for n in 0..NEW {
                        open(admin, clients[writer], n);
                        entered.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
            start.wait();
            let first = admin.get(&format!("/api/tickets?{sort}&pageSize=7&cursor=")).expect(200).json();
            let before = entered.load(Ordering::SeqCst);
            eventually("others enter tickets", || {
                entered.load(Ordering::SeqCst) >= (before + 2).min(2 * NEW)
            });
            let mut seen = ids_of(&first);
            seen.extend(walk(&admin, &format!("/api/tickets?{sort}&pageSize=7"), &next(&first)));
            seen
        });
        let distinct: HashSet<Uuid> = seen.iter().copied().collect();
        assert_eq!(distinct.len(), seen.len(), "{sort}: something was repeated");
        let skipped: Vec<&Uuid> = at_first.difference(&distinct).collect();
        assert!(skipped.is_empty(), "{sort}: {skipped:?}");
    }
}
