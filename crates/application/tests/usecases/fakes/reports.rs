//! Reports, which the fakes do not have.

use techsupport_application::{
    AppError, Budget,
    ports::{
        AgentSpeed, AverageResolution, BacklogCount, Compliance, EscalatedInMonth, ImportRow, ReportFilter,
        Reports, StatusInWeek,
    },
};

use super::{Memory, reader::absent};

impl Reports for Memory {
    fn average_resolution(&self, _: &Budget, _: &ReportFilter) -> Result<Vec<AverageResolution>, AppError> {
        absent()
    }

    fn escalated_per_month(&self, _: &Budget, _: &ReportFilter) -> Result<Vec<EscalatedInMonth>, AppError> {
        absent()
    }

    fn weekly_status(&self, _: &Budget, _: &ReportFilter) -> Result<Vec<StatusInWeek>, AppError> {
        absent()
    }

    fn top_agents(&self, _: &Budget, _: &ReportFilter, _: u16) -> Result<Vec<AgentSpeed>, AppError> {
        absent()
    }

    fn last_imports(&self, _: &Budget, _: u16) -> Result<Vec<ImportRow>, AppError> {
        absent()
    }

    fn compliance(&self, _: &Budget, _: &ReportFilter) -> Result<Vec<Compliance>, AppError> {
        absent()
    }

    fn backlog(&self, _: &Budget, _: &ReportFilter) -> Result<Vec<BacklogCount>, AppError> {
        absent()
    }
}
