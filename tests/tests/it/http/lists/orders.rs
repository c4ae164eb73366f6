//! Orders, and pages by number.

use serde_json::json;
use techsupport_tests::{Client, Desk};
use uuid::Uuid;

use super::{ids, ids_of, six, walk};

#[test]
fn orders_and_their_ties() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let (t, _, _) = six(&desk, &admin);
    let order = |sort: &str| ids(&admin, &format!("sort={sort}"));
    assert_eq!(order("createdAt"), t);
    assert_eq!(order("-createdAt"), t.iter().rev().copied().collect::<Vec<_>>());
    // Priorities 1, 2, 3, 4, 1, 2; ids grow with time.
    assert_eq!(order("priority"), [t[0], t[4], t[1], t[5], t[2], t[3]]);
    assert_eq!(order("-priority"), [t[3], t[2], t[5], t[1], t[4], t[0]]);
}

#[test]
fn pages_cover_everything_once() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let (t, _, _) = six(&desk, &admin);
    let mut seen = Vec::new();
    for (page, rows) in [(1, 4), (2, 2), (3, 0)] {
        let list =
            admin.get(&format!("/api/tickets?sort=createdAt&page={page}&pageSize=4")).expect(200).json();
        let data = list["data"].as_array().unwrap();
        assert_eq!(
            (data.len(), &list["total"], &list["page"], &list["pageSize"]),
            (rows, &json!(6), &json!(page), &json!(4))
        );
        seen.extend(data.iter().map(|ticket| ticket["id"].clone()));
    }
    assert_eq!(seen, t.iter().map(|id| json!(id)).collect::<Vec<_>>());
    assert_eq!(admin.get("/api/tickets").expect(200).json()["pageSize"], 20);
    for wrong in
        ["page=0", "page=-1", "page=x", "pageSize=0", "pageSize=101", "page=1&page=2", "page=99999999999"]
    {
        let problem = admin.get(&format!("/api/tickets?{wrong}")).expect_problem(400, "invalid-input").json();
        let parameter = wrong.split('=').next().unwrap();
        assert_eq!(problem["errors"][0]["parameter"], parameter, "{wrong}: {problem}");
    }
}

/// Six tickets with deadlines, by their order; the last two have been answered and have none.
fn with_deadlines(desk: &Desk, caller: &Client) -> Vec<Uuid> {
    let tickets: Vec<Uuid> =
        ["VIP", "VIP", "NORMAL", "NORMAL", "VIP", "NORMAL"].map(|tier| desk.ticket(caller, tier)).into();
    // Due two hours or a day after their beginning: the first one is overdue by now.
    for (ticket, minutes) in [(0, 180), (1, 60), (2, 720), (3, 0)] {
        desk.age(tickets[ticket], minutes);
    }
    for answered in &tickets[4..] {
        caller
            .patch(&format!("/api/tickets/{answered}/status"), &json!({"status": "IN_PROGRESS"}))
            .expect(200);
    }
    tickets
}

#[test]
fn deadlines_that_are_still_to_be_met_come_first() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let t = with_deadlines(&desk, &admin);
    assert_eq!(ids(&admin, "sort=dueAt"), t);
    let latest_first = [t[3], t[2], t[1], t[0], t[5], t[4]];
    assert_eq!(ids(&admin, "sort=-dueAt"), latest_first);
    assert_eq!(ids(&admin, "sort=-dueAt&q=printer"), latest_first, "also when it is a search");
    // A public answer stops the clock and is no change of the ticket itself.
    let said = json!({"body": "We are on it.", "visibility": "PUBLIC"});
    admin.post(&format!("/api/tickets/{}/comments", t[0]), &said).expect(201);
    assert_eq!(ids(&admin, "sort=dueAt"), [t[1], t[2], t[3], t[0], t[4], t[5]]);
}

#[test]
fn a_page_may_reach_over_the_last_deadline() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let t = with_deadlines(&desk, &admin);
    for sort in ["dueAt", "-dueAt"] {
        let all = ids(&admin, &format!("sort={sort}"));
        for size in 1..=6 {
            let mut leafed = Vec::new();
            for page in 1..=7 {
                let path = format!("/api/tickets?sort={sort}&pageSize={size}&page={page}");
                let list = admin.get(&path).expect(200).json();
                assert_eq!(list["total"], t.len());
                leafed.extend(ids_of(&list));
            }
            assert_eq!(leafed, all, "{sort} by {size}");
            assert_eq!(
                walk(&admin, &format!("/api/tickets?sort={sort}&pageSize={size}"), ""),
                all,
                "{sort} by {size}"
            );
        }
    }
}
