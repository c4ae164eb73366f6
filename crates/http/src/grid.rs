//! The table of routes as people read it.

use std::fmt::Write;

use techsupport_domain::Role;

use crate::routes::{Route, table};

/// One cell: who, and what happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GridCell {
    /// `None` without a token.
    pub role: Option<Role>,
    /// The status of the refusal; `None` when the caller is let in.
    pub refusal: Option<u16>,
}

/// One row of the table of routes, with its four cells: without a token, and with each role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GridRow {
    /// The method.
    pub method: String,
    /// The path, with `{id}` where an id belongs.
    pub path: &'static str,
    /// Who is let in.
    pub cells: [GridCell; 4],
}

/// Every route and who may call it.
pub fn grid_rows() -> Vec<GridRow> {
    let callers = [None, Some(Role::Agent), Some(Role::Supervisor), Some(Role::Admin)];
    let row = |route: Route| GridRow {
        method: route.method.to_string(),
        path: route.path,
        cells: callers.map(|role| GridCell { role, refusal: route.access.refusal(role) }),
    };
    table().into_iter().map(row).collect()
}

/// The grid as text, one route a line.
pub fn grid() -> String {
    let mut text = format!(
        "{:<7} {:<28} {:<10} {:<6} {:<11} {}\n",
        "method", "path", "anonymous", "AGENT", "SUPERVISOR", "ADMIN"
    );
    for GridRow { method, path, cells } in grid_rows() {
        let [anonymous, agent, supervisor, admin] =
            cells.map(|cell| cell.refusal.map_or_else(|| "yes".to_owned(), |status| status.to_string()));
        // Writing to a string cannot fail.
        if writeln!(text, "{method:<7} {path:<28} {anonymous:<10} {agent:<6} {supervisor:<11} {admin}")
            .is_err()
        {
            break;
        }
    }
    text
}
