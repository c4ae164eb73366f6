//! Reads that change nothing.

pub(crate) mod accounts;
mod audit;
mod backlog;
pub(crate) mod beyond;
pub(crate) mod comments;
mod dead_letters;
mod directory;
mod feed;
pub(crate) mod imports;
mod ticket_list;
mod ticket_order;
mod tickets;
mod words;

use std::time::Duration;

use diesel::{PgConnection, QueryResult};
use techsupport_application::{
    AppError, Budget, Page, Paged, Position, SortKey,
    ports::{
        AgentFilter, AuditFilter, AuditReader, AuditRow, Backlog, ClientFilter, CommentRow, Reader,
        Readiness, TicketFilter, TimelineRow,
    },
};
use techsupport_domain::{Agent, AgentId, Client, ClientId, TicketId, ticket::Ticket};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Database, rows};

pub(crate) struct PgReader {
    database: Database,
}

impl PgReader {
    pub(crate) fn new(database: Database) -> Self {
        Self { database }
    }

    /// Runs several statements on one snapshot, so that a total and its rows agree. They are planned anew each time:
    /// which index is best depends on what is looked for, and a plan made while a table was empty would read all
    /// of it once it is not. Pages that are read here and there cost as much as neighbours: what lists show is in memory
    /// or on a disk without arms, and PostgreSQL's default, made for arms, would rather read a whole table.
    fn snapshot<T>(
        &self,
        budget: &Budget,
        statements: impl FnOnce(&mut PgConnection) -> diesel::QueryResult<T>,
    ) -> Result<T, AppError> {
        const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
                             SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL random_page_cost = 1.1";
        self.database.read_in(budget, BEGIN, statements)
    }
}

/// Turns rows into what the domain knows; a row that cannot be understood fails the page.
fn paged<R, T>(
    page: Paged<R>,
    convert: impl Fn(R) -> Result<T, rows::Corrupt>,
) -> Result<Paged<T>, AppError> {
    page.try_map(convert).map_err(AppError::internal)
}

/// Behind which row a walk goes on, in a list that is sorted by a time. Whoever asked has made sure that the
/// place is one of such a list.
fn behind_time(page: Page) -> QueryResult<Option<(OffsetDateTime, Uuid)>> {
    match page.position() {
        None => Ok(None),
        Some(Position { key: SortKey::Time(at), id }) => Ok(Some((at, id))),
        Some(position) => Err(foreign(position)),
    }
}

/// A place in another list.
fn foreign(position: Position) -> diesel::result::Error {
    diesel::result::Error::QueryBuilderError(format!("no place in this list: {:?}", position.key).into())
}

/// How many rows there are, where somebody wants to know.
fn total(page: Page, count: impl FnOnce() -> QueryResult<i64>) -> QueryResult<Option<i64>> {
    page.number().map(|_| count()).transpose()
}

/// What somebody typed, as a pattern for `ILIKE` in which `%` and `_` stand for themselves.
fn contains(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

impl Reader for PgReader {
    fn ticket(&self, budget: &Budget, id: TicketId) -> Result<Option<Ticket>, AppError> {
        let found = self.database.read(budget, |conn| tickets::one(conn, self.database.policies(), id))?;
        found.transpose().map_err(|reason| AppError::Corrupt { ticket: id, reason })
    }

    fn tickets(&self, budget: &Budget, filter: &TicketFilter, page: Page) -> Result<Paged<Ticket>, AppError> {
        let rows =
            self.snapshot(budget, |conn| ticket_list::page(conn, self.database.policies(), filter, page))?;
        paged(rows, |ticket| ticket)
    }

    fn timeline(
        &self,
        budget: &Budget,
        id: TicketId,
        page: Page,
    ) -> Result<Option<Paged<TimelineRow>>, AppError> {
        let rows = self.snapshot(budget, |conn| tickets::timeline(conn, id, page))?;
        rows.map(|rows| paged(rows, Ok)).transpose()
    }

    fn history(
        &self,
        budget: &Budget,
        id: TicketId,
        limit: u32,
    ) -> Result<Option<(Ticket, Vec<TimelineRow>)>, AppError> {
        let found = self.snapshot(budget, |conn| {
            let Some(ticket) = tickets::one(conn, self.database.policies(), id)? else { return Ok(None) };
            tickets::history(conn, id, limit).map(|rows| Some((ticket, rows)))
        })?;
        let Some((ticket, rows)) = found else { return Ok(None) };
        let ticket = ticket.map_err(|reason| AppError::Corrupt { ticket: id, reason })?;
        Ok(Some((ticket, rows)))
    }

    fn comments(
        &self,
        budget: &Budget,
        id: TicketId,
        page: Page,
    ) -> Result<Option<Paged<CommentRow>>, AppError> {
        let rows = self.snapshot(budget, |conn| comments::page(conn, id, page))?;
        rows.map(|rows| paged(rows, |row| row)).transpose()
    }

    fn client(&self, budget: &Budget, id: ClientId) -> Result<Option<Client>, AppError> {
        let row = self.database.read(budget, |conn| directory::client(conn, id))?;
        row.map(rows::ClientRow::into_client).transpose().map_err(AppError::internal)
    }

    fn clients(&self, budget: &Budget, filter: &ClientFilter, page: Page) -> Result<Paged<Client>, AppError> {
        paged(
            self.snapshot(budget, |conn| directory::clients(conn, filter, page))?,
            rows::ClientRow::into_client,
        )
    }

    fn agent(&self, budget: &Budget, id: AgentId) -> Result<Option<Agent>, AppError> {
        let row = self.database.read(budget, |conn| directory::agent(conn, id))?;
        row.map(rows::AgentRow::into_agent).transpose().map_err(AppError::internal)
    }

    fn agents(&self, budget: &Budget, filter: &AgentFilter, page: Page) -> Result<Paged<Agent>, AppError> {
        paged(
            self.snapshot(budget, |conn| directory::agents(conn, filter, page))?,
            rows::AgentRow::into_agent,
        )
    }

    fn until_next_step(&self, budget: &Budget) -> Result<Option<Duration>, AppError> {
        let seconds = self.database.read(budget, backlog::seconds_until_next_step)?;
        Ok(seconds.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default()))
    }

    fn backlog(&self, budget: &Budget) -> Result<Backlog, AppError> {
        self.database.read(budget, backlog::backlog)
    }

    fn readiness(&self, budget: &Budget) -> Result<Readiness, AppError> {
        self.database.readiness(budget)
    }
}

impl AuditReader for PgReader {
    fn audit(&self, budget: &Budget, filter: &AuditFilter, page: Page) -> Result<Paged<AuditRow>, AppError> {
        paged(self.snapshot(budget, |conn| audit::entries(conn, filter, page))?, audit::into_entry)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_was_typed_stands_for_itself() {
        assert_eq!(super::contains(r"50%_\x"), r"%50\%\_\\x%");
    }
}
