//! Reports over live and imported tickets together, for dashboards and spreadsheets.
//!
//! Those that the original service had answer a bare list, and their rows still have its grouping key as `_id`; the
//! others are lists like every other. `text/csv` holds all rows, and no `_id`.

mod backlog;
mod compliance;
mod imports;
mod periods;
mod query;
mod resolution;
mod table;

pub(crate) use backlog::{backlog, backlog_docs};
pub(crate) use compliance::{compliance, compliance_docs};
pub(crate) use imports::{last_imports, last_imports_docs};
pub(crate) use periods::{escalated_per_month, escalated_per_month_docs, weekly_status, weekly_status_docs};
pub(crate) use resolution::{average_resolution, average_resolution_docs, top_agents, top_agents_docs};
