//! The transitions, in the words of `api.md`.

/// Copied from the page, without its remarks.
const TABLE: &str = "
| OPEN        | IN_PROGRESS, ESCALATED           |
| IN_PROGRESS | WAITING, RESOLVED, ESCALATED     |
| WAITING     | IN_PROGRESS, RESOLVED            |
| ESCALATED   | IN_PROGRESS, RESOLVED, ESCALATED |
| RESOLVED    | CLOSED, IN_PROGRESS              |
| CLOSED      |                                  |
";

/// Every status the page names.
pub const STATUSES: [&str; 6] = ["OPEN", "IN_PROGRESS", "WAITING", "ESCALATED", "RESOLVED", "CLOSED"];

/// Where the page lets a ticket go; at level 3 it leaves ESCALATED out.
pub fn allowed(from: &str, level: u8) -> Vec<&'static str> {
    let row = TABLE.lines().find(|line| line.split('|').nth(1).is_some_and(|cell| cell.trim() == from));
    let cell = row.unwrap().split('|').nth(2).unwrap();
    cell.split(',').map(str::trim).filter(|to| !to.is_empty() && (*to != "ESCALATED" || level < 3)).collect()
}
