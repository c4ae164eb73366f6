//! Reports.

mod base;

use diesel::{PgConnection, QueryResult};
use techsupport_application::{
    AppError, Budget,
    ports::{
        AgentSpeed, AverageResolution, BacklogCount, Compliance, EscalatedInMonth, ImportRow, ReportFilter,
        Reports, StatusInWeek,
    },
};

use crate::{Database, read, rows::Corrupt};

pub(crate) struct PgReports {
    database: Database,
}

impl PgReports {
    pub(crate) fn new(database: Database) -> Self {
        Self { database }
    }

    /// Runs the statements of a report on one snapshot. A row that cannot be understood fails the report.
    fn report<R, T>(
        &self,
        budget: &Budget,
        statements: impl FnOnce(&mut PgConnection) -> QueryResult<Vec<R>>,
        convert: impl Fn(R) -> Result<T, Corrupt>,
    ) -> Result<Vec<T>, AppError> {
        const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        let rows = self.database.read_in(budget, BEGIN, statements)?;
        rows.into_iter().map(convert).collect::<Result<_, _>>().map_err(AppError::internal)
    }
}

impl Reports for PgReports {
    fn average_resolution(
        &self,
        budget: &Budget,
        filter: &ReportFilter,
    ) -> Result<Vec<AverageResolution>, AppError> {
        self.report(budget, |conn| base::average_resolution(conn, filter), base::AverageRow::into_row)
    }

    fn escalated_per_month(
        &self,
        budget: &Budget,
        filter: &ReportFilter,
    ) -> Result<Vec<EscalatedInMonth>, AppError> {
        self.report(budget, |conn| base::escalated_per_month(conn, filter), base::MonthRow::into_row)
    }

    fn weekly_status(&self, budget: &Budget, filter: &ReportFilter) -> Result<Vec<StatusInWeek>, AppError> {
        let rows = self.report(budget, |conn| base::weekly_status(conn, filter), base::WeekRow::into_row);
        rows.map(|mut rows| {
            rows.sort_by_key(|row| (row.year, row.week, row.status));
            rows
        })
    }

    fn top_agents(
        &self,
        budget: &Budget,
        filter: &ReportFilter,
        limit: u16,
    ) -> Result<Vec<AgentSpeed>, AppError> {
        self.report(budget, |conn| base::top_agents(conn, filter, limit), base::AgentRow::into_row)
    }

    fn last_imports(&self, budget: &Budget, limit: u16) -> Result<Vec<ImportRow>, AppError> {
        self.report(budget, |conn| read::imports::newest(conn, limit), read::imports::into_import)
    }

    fn compliance(&self, budget: &Budget, filter: &ReportFilter) -> Result<Vec<Compliance>, AppError> {
        let rows = self.report(budget, |conn| base::compliance(conn, filter), base::ComplianceRow::into_row);
        rows.map(|mut rows| {
            rows.sort_by_key(|row| (row.year, row.month, row.tier, row.metric));
            rows
        })
    }

    fn backlog(&self, budget: &Budget, filter: &ReportFilter) -> Result<Vec<BacklogCount>, AppError> {
        let rows = self.report(budget, |conn| base::backlog(conn, filter), base::BacklogRow::into_row);
        rows.map(|mut rows| {
            rows.sort_by_key(|row| (row.status, row.tier, row.age));
            rows
        })
    }
}
