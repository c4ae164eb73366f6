//! In which order tickets are listed, and where a walk through them goes on.

use diesel::{
    dsl::sql,
    prelude::*,
    sql_types::{Float, Text, Untyped},
};
use techsupport_application::{Page, Position, SortKey, ports::TicketOrder};
use time::OffsetDateTime;

use super::{
    behind_time,
    beyond::{Direction, beyond},
    foreign,
    ticket_list::Wanted,
    words::Words,
};
use crate::{rows::TicketRow, schema::tickets};

/// A part of a sorted list.
pub(super) struct Sorted<'a> {
    pub(super) order: TicketOrder,
    pub(super) words: Option<&'a Words>,
    pub(super) page: Page,
    /// Whether few tickets are wanted: then they are looked up, and sorted afterwards.
    pub(super) looks_up_first: bool,
}

type Row = (TicketRow, Position);

impl<'a> Sorted<'a> {
    /// The rows of a page, and one more where there is one.
    pub(super) fn rows(
        &self,
        conn: &mut PgConnection,
        wanted: &dyn Fn() -> Wanted<'a>,
    ) -> QueryResult<Vec<Row>> {
        match (self.order, self.words) {
            (TicketOrder::CreatedAsc, _) => self.by_age(conn, wanted(), Direction::Up),
            (TicketOrder::PriorityAsc, _) => self.by_priority(conn, wanted(), Direction::Up),
            (TicketOrder::PriorityDesc, _) => self.by_priority(conn, wanted(), Direction::Down),
            (TicketOrder::DueAsc, _) => self.by_deadline(conn, wanted, Direction::Up),
            (TicketOrder::DueDesc, _) => self.by_deadline(conn, wanted, Direction::Down),
            (TicketOrder::Relevance, Some(words)) => self.by_rank(conn, wanted(), words),
            (TicketOrder::CreatedDesc, _) | (TicketOrder::Relevance, None) => {
                self.by_age(conn, wanted(), Direction::Down)
            }
        }
    }

    fn by_age(
        &self,
        conn: &mut PgConnection,
        mut query: Wanted<'_>,
        direction: Direction,
    ) -> QueryResult<Vec<Row>> {
        if let Some(last) = behind_time(self.page)? {
            query = query.filter(beyond((tickets::created_at, tickets::id), direction, last));
        }
        let query = match (self.looks_up_first, direction) {
            (false, Direction::Up) => query.order((tickets::created_at.asc(), tickets::id.asc())),
            (false, Direction::Down) => query.order((tickets::created_at.desc(), tickets::id.desc())),
            (true, _) => sorted_afterwards(query, "tickets.created_at + INTERVAL '0'", direction),
        };
        let rows = self.cut(query).select(TicketRow::as_select()).load(conn)?;
        Ok(placed(rows, |row| SortKey::Time(row.created_at)))
    }

    fn by_priority(
        &self,
        conn: &mut PgConnection,
        mut query: Wanted<'_>,
        direction: Direction,
    ) -> QueryResult<Vec<Row>> {
        if let Some(position) = self.page.position() {
            let SortKey::Number(priority) = position.key else { return Err(foreign(position)) };
            let priority = i16::try_from(priority).map_err(|_| foreign(position))?;
            query =
                query.filter(beyond((tickets::priority, tickets::id), direction, (priority, position.id)));
        }
        let query = match (self.looks_up_first, direction) {
            (false, Direction::Up) => query.order((tickets::priority.asc(), tickets::id.asc())),
            (false, Direction::Down) => query.order((tickets::priority.desc(), tickets::id.desc())),
            (true, _) => sorted_afterwards(query, "tickets.priority + 0", direction),
        };
        let rows = self.cut(query).select(TicketRow::as_select()).load(conn)?;
        Ok(placed(rows, |row| SortKey::Number(i64::from(row.priority))))
    }

    /// Tickets with a deadline, then those without: two lists, one after the other, because no index has its
    /// gaps at the end in both directions.
    fn by_deadline(
        &self,
        conn: &mut PgConnection,
        wanted: &dyn Fn() -> Wanted<'a>,
        direction: Direction,
    ) -> QueryResult<Vec<Row>> {
        let with = || wanted().filter(tickets::due_at.is_not_null());
        let (last, position) = match self.page.position() {
            None => (None, None),
            Some(Position { key: SortKey::Time(at), id }) => (Some((Some(at), id)), None),
            Some(Position { key: SortKey::Nothing, id }) => (None, Some(id)),
            Some(position) => return Err(foreign(position)),
        };
        let mut rows: Vec<Row> = Vec::new();
        if position.is_none() {
            let mut query = with();
            if let Some(last) = last {
                query = query.filter(beyond((tickets::due_at, tickets::id), direction, last));
            }
            let query = match (self.looks_up_first, direction) {
                (false, Direction::Up) => query.order((tickets::due_at.asc(), tickets::id.asc())),
                (false, Direction::Down) => query.order((tickets::due_at.desc(), tickets::id.desc())),
                (true, _) => sorted_afterwards(query, "tickets.due_at + INTERVAL '0'", direction),
            };
            let found: Vec<(TicketRow, Option<OffsetDateTime>)> =
                self.cut(query).select((TicketRow::as_select(), tickets::due_at)).load(conn)?;
            let key = |due_at: Option<OffsetDateTime>| due_at.map_or(SortKey::Nothing, SortKey::Time);
            rows.extend(found.into_iter().map(|(row, due_at)| place(row, key(due_at))));
        }
        let missing = self.page.reach() - i64::try_from(rows.len()).unwrap_or(i64::MAX);
        if missing == 0 {
            return Ok(rows);
        }
        let skipped = match self.page.offset() {
            0 => 0,
            _ if !rows.is_empty() => 0,
            offset => offset - with().count().get_result::<i64>(conn)?,
        };
        let mut query = wanted().filter(tickets::due_at.is_null());
        query = match (position, direction) {
            (Some(id), Direction::Up) => query.filter(tickets::id.gt(id)),
            (Some(id), Direction::Down) => query.filter(tickets::id.lt(id)),
            (None, _) => query,
        };
        query = match (self.looks_up_first, direction) {
            (false, Direction::Up) => query.order(tickets::id.asc()),
            (false, Direction::Down) => query.order(tickets::id.desc()),
            (true, _) => sorted_afterwards(query, "(tickets.due_at IS NULL)", direction),
        };
        let found = query.limit(missing).offset(skipped).select(TicketRow::as_select()).load(conn)?;
        rows.extend(placed(found, |_| SortKey::Nothing));
        Ok(rows)
    }

    /// The best answers first. A rank is a matter of the ticket's own text, so it stands still while others come.
    fn by_rank(
        &self,
        conn: &mut PgConnection,
        mut query: Wanted<'_>,
        words: &Words,
    ) -> QueryResult<Vec<Row>> {
        let rank = || {
            sql::<Float>("ts_rank(tickets.words, to_tsquery('ticket_words', ")
                .bind::<Text, _>(words.query.clone())
                .sql("))")
        };
        if let Some(position) = self.page.position() {
            let SortKey::Rank(last) = position.key else { return Err(foreign(position)) };
            query = query.filter(beyond((rank(), tickets::id), Direction::Down, (last, position.id)));
        }
        let found: Vec<(TicketRow, f32)> = self
            .cut(query.order((rank().desc(), tickets::id.desc())))
            .select((TicketRow::as_select(), rank()))
            .load(conn)?;
        Ok(found.into_iter().map(|(row, rank)| place(row, SortKey::Rank(rank))).collect())
    }

    fn cut<'q>(&self, query: Wanted<'q>) -> Wanted<'q> {
        query.limit(self.page.reach()).offset(self.page.offset())
    }
}

fn placed(rows: Vec<TicketRow>, key: impl Fn(&TicketRow) -> SortKey) -> Vec<Row> {
    let with_key = |row: TicketRow| (key(&row), row);
    rows.into_iter().map(with_key).map(|(key, row)| place(row, key)).collect()
}

fn place(row: TicketRow, key: SortKey) -> Row {
    let position = Position { key, id: row.id };
    (row, position)
}

/// Sorts by something that no index has, and that comes to the same.
fn sorted_afterwards<'a>(query: Wanted<'a>, key: &str, direction: Direction) -> Wanted<'a> {
    let order = match direction {
        Direction::Up => format!("{key}, tickets.id"),
        Direction::Down => format!("{key} DESC, tickets.id DESC"),
    };
    query.order(sql::<Untyped>(&order))
}
