//! Who may call what: the table as a snapshot, and every cell of it over HTTP.

use serde_json::json;
use techsupport_domain::Role;
use techsupport_http::{GridCell, grid, grid_rows};
use techsupport_tests::Desk;

/// A route that is not in the snapshot fails this test, so that somebody looks at who may call it.
#[test]
fn routes_by_role() {
    insta::assert_snapshot!("routes_by_role", grid());
}

/// An empty object is wrong for every route with a body, so those who are let in get 400 and not what the
/// route does; ids are of nothing.
#[test]
fn the_running_server_keeps_to_the_table() {
    let desk = Desk::start();
    desk.await_topology();
    let callers = [
        (None, desk.anonymous()),
        (Some(Role::Agent), desk.agent()),
        (Some(Role::Supervisor), desk.supervisor()),
        (Some(Role::Admin), desk.admin()),
    ];
    for row in grid_rows() {
        let path =
            row.path.replace("{id}", "0199aaaa-0000-7000-8000-000000000000").replace("{file}", "start.js");
        let body = matches!(row.method.as_str(), "POST" | "PATCH" | "PUT").then(|| json!({}));
        for (GridCell { role, refusal }, (who, caller)) in row.cells.iter().zip(&callers) {
            assert_eq!(role, who);
            let answer = caller.call(&row.method, &path, body.as_ref());
            match refusal {
                Some(401) => {
                    let answer = answer.expect_problem(401, "unauthenticated");
                    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
                }
                Some(403) => drop(answer.expect_problem(403, "forbidden")),
                Some(other) => panic!("a refusal with {other}"),
                None => assert!(
                    !matches!(answer.status, 401 | 403 | 405 | 500..),
                    "{} {path} by {who:?}: {} {}",
                    row.method,
                    answer.status,
                    answer.body
                ),
            }
        }
    }
}
