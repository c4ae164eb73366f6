//! The feed of events.

use diesel::{prelude::*, sql_types};
use techsupport_application::{
    AppError, Budget,
    ports::{FeedEvent, FeedPosition, FeedQuery, FeedReader},
};

use super::PgReader;

impl FeedReader for PgReader {
    fn feed(&self, budget: &Budget, query: &FeedQuery) -> Result<Option<Vec<FeedEvent>>, AppError> {
        self.database.read(budget, |conn| events(conn, query))
    }
}

#[derive(QueryableByName)]
struct EventRow {
    #[diesel(sql_type = sql_types::BigInt)]
    position: i64,
    #[diesel(sql_type = sql_types::Text)]
    body: String,
}

#[derive(QueryableByName)]
struct Reached {
    #[diesel(sql_type = sql_types::Bool)]
    reached: bool,
}

/// The next events; `None` when the feed does not reach as far as the query.
fn events(conn: &mut PgConnection, query: &FeedQuery) -> QueryResult<Option<Vec<FeedEvent>>> {
    let rows = if query.types.is_empty() { of_all_types(conn, query)? } else { of_some(conn, query)? };
    if rows.is_empty() && !reaches(conn, query.after)? {
        return Ok(None);
    }
    let event = |row: EventRow| FeedEvent { position: FeedPosition(row.position), body: row.body };
    Ok(Some(rows.into_iter().map(event).collect()))
}

fn of_all_types(conn: &mut PgConnection, query: &FeedQuery) -> QueryResult<Vec<EventRow>> {
    diesel::sql_query(
        "SELECT f.position, o.body::text AS body FROM event_feed f JOIN outbox o ON o.id = f.event_id \
         WHERE f.position > $1 ORDER BY f.position LIMIT $2",
    )
    .bind::<sql_types::BigInt, _>(query.after.0)
    .bind::<sql_types::BigInt, _>(i64::from(query.limit))
    .load(conn)
}

/// The next ones of each type by its own part of the index, and of those the first. Asked for by equality, a type could
/// be looked for along the positions, through all the others: so it is a range that only this index has the order of.
fn of_some(conn: &mut PgConnection, query: &FeedQuery) -> QueryResult<Vec<EventRow>> {
    let types: Vec<&str> = query.types.iter().map(|each| each.name()).collect();
    diesel::sql_query(
        "SELECT f.position, o.body::text AS body FROM (SELECT next.position, next.event_id \
             FROM (SELECT DISTINCT unnest($3)) AS wanted (type), \
             LATERAL (SELECT e.position, e.event_id FROM event_feed e \
                 WHERE (e.type, e.position) > (wanted.type, $1) AND e.type <= wanted.type \
                 ORDER BY e.type, e.position LIMIT $2) AS next \
             ORDER BY next.position LIMIT $2) AS f \
         JOIN outbox o ON o.id = f.event_id ORDER BY f.position",
    )
    .bind::<sql_types::BigInt, _>(query.after.0)
    .bind::<sql_types::BigInt, _>(i64::from(query.limit))
    .bind::<sql_types::Array<sql_types::Text>, _>(types)
    .load(conn)
}

fn reaches(conn: &mut PgConnection, position: FeedPosition) -> QueryResult<bool> {
    diesel::sql_query("SELECT last_position >= $1 AS reached FROM event_feed_end")
        .bind::<sql_types::BigInt, _>(position.0)
        .get_result::<Reached>(conn)
        .map(|end| end.reached)
}
