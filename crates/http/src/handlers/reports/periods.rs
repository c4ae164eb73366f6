//! Tickets by month and by week of their creation.

use serde::Serialize;
use techsupport_application::{
    ports::{EscalatedInMonth, StatusInWeek},
    reports,
};
use techsupport_domain::ticket::Status;
use utoipa::ToSchema;

use super::{
    query::ReportQuery,
    table::{self, Row},
};
use crate::{
    csv,
    inbound::Inbound,
    openapi::{Operation, Tag, terms},
    routes::Answer,
};

#[derive(Serialize, ToSchema)]
#[schema(as = EscalatedInMonth)]
struct MonthDto {
    #[schema(required, schema_with = terms::year)]
    year: i32,
    #[schema(required, schema_with = terms::month)]
    month: u8,
    #[schema(required, schema_with = terms::tickets_escalated)]
    count: i64,
    #[serde(rename = "_id")]
    #[schema(required, schema_with = terms::old_key_month)]
    old_key: MonthKeyDto,
}

/// What the original service grouped by.
#[derive(Serialize)]
struct MonthKeyDto {
    year: i32,
    month: u8,
}

impl From<EscalatedInMonth> for MonthDto {
    fn from(row: EscalatedInMonth) -> Self {
        let EscalatedInMonth { year, month, tickets } = row;
        Self { year, month, count: tickets, old_key: MonthKeyDto { year, month } }
    }
}

impl Row for MonthDto {
    const COLUMNS: &'static [&'static str] = &["year", "month", "count"];

    fn cells(&self) -> Vec<String> {
        vec![self.year.to_string(), self.month.to_string(), self.count.to_string()]
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = StatusInWeek)]
struct WeekDto {
    #[schema(required, schema_with = terms::week_year)]
    year: i32,
    #[schema(required, schema_with = terms::week)]
    week: u8,
    #[schema(required, schema_with = terms::status)]
    status: &'static str,
    #[schema(required, schema_with = terms::tickets_counted)]
    count: i64,
    #[serde(rename = "_id")]
    #[schema(required, schema_with = terms::old_key_week)]
    old_key: WeekKeyDto,
}

/// What the original service grouped by.
#[derive(Serialize)]
struct WeekKeyDto {
    week: u8,
    status: &'static str,
}

impl From<StatusInWeek> for WeekDto {
    fn from(row: StatusInWeek) -> Self {
        let (week, status) = (row.week, row.status.name());
        Self { year: row.year, week, status, count: row.tickets, old_key: WeekKeyDto { week, status } }
    }
}

impl Row for WeekDto {
    const COLUMNS: &'static [&'static str] = &["year", "week", "status", "count"];

    fn cells(&self) -> Vec<String> {
        vec![self.year.to_string(), self.week.to_string(), self.status.to_owned(), self.count.to_string()]
    }
}

/// `GET /api/reports/escalated-per-month`
pub(crate) async fn escalated_per_month(inbound: Inbound) -> Answer {
    table::report::<_, MonthDto>(inbound, "escalated-per-month", reports::escalated_per_month).await
}

/// `GET /api/reports/weekly-status`
pub(crate) async fn weekly_status(inbound: Inbound) -> Answer {
    table::report::<_, WeekDto>(inbound, "weekly-status", reports::weekly_status).await
}

pub(crate) fn escalated_per_month_docs() -> Operation {
    let sample = EscalatedInMonth { year: 2026, month: 2, tickets: 37 };
    Operation::new("reportEscalatedPerMonth", Tag::Reports, "Report how many tickets were escalated")
        .about(
            "By month of creation in `timeZone`, the earliest first: tickets that were escalated at least once, and those that \
             are ESCALATED. Months without any are left out.",
        )
        .asks::<ReportQuery>()
        .answers_rows("A row for each month.", None, Some(MonthDto::from(sample)))
        .or_sends(csv::MEDIA_TYPE)
}

pub(crate) fn weekly_status_docs() -> Operation {
    let sample = StatusInWeek { year: 2026, week: 7, status: Status::Waiting, tickets: 12 };
    Operation::new("reportWeeklyStatus", Tag::Reports, "Report where the tickets of each week stand")
        .about(
            "By week of creation in `timeZone`, the earliest first, then by status in the order of a ticket's life. Weeks are \
             those of ISO 8601, which begin on Monday; `year` is the year of the week. What has no tickets is left out.",
        )
        .asks::<ReportQuery>()
        .answers_rows("A row for each week and status.", None, Some(WeekDto::from(sample)))
        .or_sends(csv::MEDIA_TYPE)
}
