//! Reports.

mod agents;
mod compliance;
mod counts;
mod durations;
mod percentile;
mod periods;
mod sums;
mod window;

use diesel::{PgConnection, QueryResult};
use techsupport_application::{
    AppError, Budget,
    ports::{
        AgentSpeed, AverageResolution, BacklogCount, Compliance, EscalatedInMonth, ImportRow, ReportFilter,
        Reports, Source, StatusInWeek,
    },
};

pub(crate) use sums::PgImportedSums;

use crate::{Database, read, rows::Corrupt};
use window::Window;

pub(crate) struct PgReports {
    database: Database,
}

impl PgReports {
    pub(crate) fn new(database: Database) -> Self {
        Self { database }
    }

    /// Runs the statements of a report on one snapshot. A row that cannot be understood fails the report. They are
    /// planned anew each time, and never compiled: that would take longer than any of them. Months are those of UTC.
    fn report<T>(
        &self,
        budget: &Budget,
        statements: impl FnOnce(&mut PgConnection) -> QueryResult<Result<T, Corrupt>>,
    ) -> Result<T, AppError> {
        const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
             SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL random_page_cost = 1.1; SET LOCAL jit = off; \
             SET LOCAL TIME ZONE 'UTC'";
        self.database.read_in(budget, BEGIN, statements)?.map_err(AppError::internal)
    }
}

impl Reports for PgReports {
    fn average_resolution(
        &self,
        budget: &Budget,
        filter: &ReportFilter,
    ) -> Result<Vec<AverageResolution>, AppError> {
        self.report(budget, |conn| durations::average_resolution(conn, &Window::of(filter)))
    }

    fn escalated_per_month(
        &self,
        budget: &Budget,
        filter: &ReportFilter,
    ) -> Result<Vec<EscalatedInMonth>, AppError> {
        self.report(budget, |conn| periods::escalated_per_month(conn, &Window::of(filter)).map(Ok))
    }

    fn weekly_status(&self, budget: &Budget, filter: &ReportFilter) -> Result<Vec<StatusInWeek>, AppError> {
        self.report(budget, |conn| periods::weekly_status(conn, &Window::of(filter)).map(Ok))
    }

    fn top_agents(
        &self,
        budget: &Budget,
        filter: &ReportFilter,
        limit: u16,
    ) -> Result<Vec<AgentSpeed>, AppError> {
        self.report(budget, |conn| agents::fastest(conn, &Window::of(filter), limit).map(Ok))
    }

    fn last_imports(&self, budget: &Budget, limit: u16) -> Result<Vec<ImportRow>, AppError> {
        self.report(budget, |conn| {
            let rows = read::imports::newest(conn, limit)?;
            Ok(rows.into_iter().map(read::imports::into_import).collect())
        })
    }

    fn compliance(&self, budget: &Budget, filter: &ReportFilter) -> Result<Vec<Compliance>, AppError> {
        if filter.source == Some(Source::Imported) {
            return Ok(Vec::new());
        }
        let live = ReportFilter { source: Some(Source::Live), ..filter.clone() };
        self.report(budget, |conn| compliance::compliance(conn, &Window::of(&live)))
    }

    fn backlog(&self, budget: &Budget, filter: &ReportFilter) -> Result<Vec<BacklogCount>, AppError> {
        self.report(budget, |conn| periods::backlog(conn, &Window::of(filter)))
    }
}
