//! What stands in the address of a request.

use serde_json::json;

use crate::{ID, common::Desk, places};

#[test]
fn ids_in_the_path_are_uuids() {
    let desk = Desk::start();
    for wrong in
        ["x", "1", "0190c0de000070008000000000000001", "%7B0190c0de-0000-7000-8000-000000000001%7D", "%00"]
    {
        let problem = desk.get(&format!("/api/tickets/{wrong}")).problem(400, "invalid-input");
        assert_eq!(places(&problem), ["id"]);
    }
    assert_eq!(desk.get(&format!("/api/tickets/{}", ID.to_uppercase())).status, 200);
}

#[test]
fn unknown_and_wrong_parameters_are_named() {
    let desk = Desk::start();
    let query = "status=NOPE&priority=5&clientId=x&agentId=nobody&from=yesterday&slaState=x&sort=colour&page=0\
                 &pageSize=101&q=%00";
    let problem = desk.get(&format!("/api/tickets?{query}")).problem(400, "invalid-input");
    let mut named = places(&problem);
    named.sort();
    assert_eq!(
        named,
        ["agentId", "clientId", "from", "page", "pageSize", "priority", "q", "slaState", "sort", "status"]
    );
    let from_to = desk.get("/api/tickets?from=2026-02-12&to=2026-02-11").problem(400, "invalid-input");
    assert_eq!(places(&from_to), ["from"]);
    assert_eq!(desk.get("/api/tickets?from=2026-02-12&to=2026-02-12").status, 200);
    for path in [
        "/api/auth/me?x=1".to_owned(),
        format!("/api/tickets/{ID}?x"),
        "/api/agents?page=1&page=2".to_owned(),
    ] {
        desk.get(&path).problem(400, "invalid-input");
    }
    desk.get("/api/agents?search=%00").problem(400, "invalid-input");
}

#[test]
fn filters_arrive_as_they_were_meant() {
    use std::sync::{Arc, Mutex};
    use techsupport_application::ports::{AgentIs, TicketOrder};
    use techsupport_domain::ticket::Status;

    let seen = Arc::new(Mutex::new(None));
    let for_stub = Arc::clone(&seen);
    let desk = Desk::with(|plan| {
        plan.reader.tickets = Box::new(move |filter| *for_stub.lock().unwrap() = Some(filter.clone()));
    });
    let answer =
        desk.get("/api/tickets?status=OPEN&status=IN_PROGRESS&agentId=none&sort=-priority&page=2&pageSize=1");
    assert_eq!(answer.status, 200, "{answer:?}");
    let list = answer.json();
    assert_eq!((&list["page"], &list["pageSize"], &list["total"]), (&json!(2), &json!(1), &json!(1)));
    assert!(list.as_object().unwrap().contains_key("nextCursor") && list["nextCursor"].is_null());
    let filter = seen.lock().unwrap().take().unwrap();
    assert_eq!(filter.statuses, [Status::Open, Status::InProgress]);
    assert_eq!(filter.agent, Some(AgentIs::Nobody));
    assert_eq!(filter.order, TicketOrder::PriorityDesc);
}
