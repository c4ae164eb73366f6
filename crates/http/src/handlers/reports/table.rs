//! How the rows of a report look, as JSON or for a spreadsheet.

use actix_web::HttpResponse;
use serde::Serialize;
use techsupport_application::{
    AppError, Ctx,
    ports::ReportFilter,
    reports::{Group, page_of},
};

use super::query::{ListQuery, ReportQuery};
use crate::{csv, handlers::list::List, inbound::Inbound, routes::Answer};

/// A row of a report.
pub(super) trait Row: Serialize {
    /// The columns of the spreadsheet.
    const COLUMNS: &'static [&'static str];

    /// A cell for each of them.
    fn cells(&self) -> Vec<String>;
}

/// A use case that reads a report.
type Read<R> = fn(Ctx<'_>, &ReportFilter) -> Result<Vec<R>, AppError>;

/// A report that is a bare list.
pub(super) async fn report<R, D>(inbound: Inbound, name: &str, read: Read<R>) -> Answer
where
    R: Send + 'static,
    D: Row + From<R>,
{
    let filter = inbound.query::<ReportQuery>()?.filter()?;
    let rows = inbound.run(move |ctx| read(ctx, &filter)).await?;
    answer(&inbound, name, rows.into_iter().map(D::from))
}

/// A report that is a list like every other.
pub(super) async fn list<R, D>(inbound: Inbound, name: &str, read: Read<R>) -> Answer
where
    R: Group + Send + 'static,
    D: Row + From<R>,
{
    let query: ListQuery = inbound.query()?;
    let filter = query.filter()?;
    let list = List::asked(&inbound, &query.page, &query.page_size, &query.cursor, R::SORTED_BY)?;
    let rows = inbound.run(move |ctx| read(ctx, &filter)).await?;
    if csv::is_wanted(inbound.headers()) {
        return sheet(name, rows.into_iter().map(D::from));
    }
    Ok(csv::declined(list.answer(page_of(rows, list.page), D::from)))
}

/// All rows, as the caller would rather have them.
pub(super) fn answer<R: Row>(inbound: &Inbound, name: &str, rows: impl Iterator<Item = R>) -> Answer {
    if csv::is_wanted(inbound.headers()) {
        sheet(name, rows)
    } else {
        Ok(csv::declined(HttpResponse::Ok().json(rows.collect::<Vec<_>>())))
    }
}

/// All rows, to download.
fn sheet<R: Row>(name: &str, rows: impl Iterator<Item = R>) -> Answer {
    let mut text = csv::head(R::COLUMNS);
    for row in rows {
        let cells = row.cells();
        text.push_str(&csv::line(&cells.iter().map(String::as_str).collect::<Vec<_>>()));
    }
    Ok(csv::download(name)?.body(text))
}

/// What may not be there: an empty cell then.
pub(super) fn or_empty(value: Option<&impl ToString>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}
