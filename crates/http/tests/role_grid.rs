//! Who may call what: as a snapshot to be read, and as requests that prove it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Desk, token};
use techsupport_http::{GridRow, grid, grid_rows};

const ID: &str = "0190c0de-0000-7000-8000-000000000001";

#[test]
fn role_grid() {
    insta::assert_snapshot!("role_grid", grid());
}

/// The path of a row as a request has it.
fn filled(path: &str) -> String {
    path.replace("{id}", ID).replace("{file}", "start.js")
}

/// What gets past the checks goes on to fail somewhere else, for lack of a body or of a database. What is
/// refused here is refused before any of that: the body would be a 415.
#[test]
fn the_grid_is_what_happens() {
    let desk = Desk::start();
    for GridRow { method, path, cells } in grid_rows() {
        let path = filled(path);
        for cell in cells {
            let bearer = cell.role.map(|role| format!("Bearer {}", token(role.name())));
            let headers: Vec<(&str, &str)> =
                bearer.as_deref().map(|bearer| ("authorization", bearer)).into_iter().collect();
            let answer = desk.call(&method, &path, &headers, b"not json");
            match cell.refusal {
                Some(401) => drop(answer.problem(401, "unauthenticated")),
                Some(403) => drop(answer.problem(403, "forbidden")),
                Some(other) => panic!("{method} {path}: refusals are 401 or 403, not {other}"),
                None => assert!(
                    !matches!(answer.status, 401 | 403 | 404 | 405)
                        || path.contains(ID) && answer.status == 404,
                    "{method} {path} as {:?}: {answer:?}",
                    cell.role
                ),
            }
        }
    }
}

#[test]
fn what_is_not_in_the_grid_is_not_there() {
    let desk = Desk::start();
    let known: Vec<(String, String)> =
        grid_rows().into_iter().map(|row| (row.method, filled(row.path))).collect();
    for (_, path) in &known {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"] {
            if !known.contains(&(method.to_owned(), path.clone())) {
                desk.as_role("ADMIN", method, path, None).problem(405, "method-not-allowed");
            }
        }
        let below = ("GET".to_owned(), format!("{path}/"));
        if !known.contains(&below) {
            desk.as_role("ADMIN", "GET", &below.1, None).problem(404, "unknown-route");
        }
        desk.as_role("ADMIN", "GET", &format!("{path}/no/where"), None).problem(404, "unknown-route");
    }
}
