//! What was said about a ticket.

use diesel::prelude::*;
use techsupport_application::{Page, Paged, Position, ports::CommentRow};
use techsupport_domain::{CommentId, TicketId, UserId, ticket::Visibility};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    behind_time,
    beyond::{Direction, beyond},
    tickets::is_there,
    total,
};
use crate::{
    rows::Corrupt,
    schema::{ticket_comments, users},
};

type Columns = (Uuid, Uuid, String, String, Uuid, String, OffsetDateTime);

const COLUMNS: (
    ticket_comments::id,
    ticket_comments::ticket_id,
    ticket_comments::body,
    ticket_comments::visibility,
    ticket_comments::author_id,
    users::email,
    ticket_comments::created_at,
) = (
    ticket_comments::id,
    ticket_comments::ticket_id,
    ticket_comments::body,
    ticket_comments::visibility,
    ticket_comments::author_id,
    users::email,
    ticket_comments::created_at,
);

pub(crate) fn one(
    conn: &mut PgConnection,
    id: CommentId,
) -> QueryResult<Option<Result<CommentRow, Corrupt>>> {
    let query = ticket_comments::table.inner_join(users::table).filter(ticket_comments::id.eq(id.uuid()));
    Ok(query.select(COLUMNS).first::<Columns>(conn).optional()?.map(row))
}

pub(super) fn page(
    conn: &mut PgConnection,
    id: TicketId,
    page: Page,
) -> QueryResult<Option<Paged<Result<CommentRow, Corrupt>>>> {
    if !is_there(conn, id)? {
        return Ok(None);
    }
    let of_ticket = || ticket_comments::table.filter(ticket_comments::ticket_id.eq(id.uuid()));
    let total = total(page, || of_ticket().count().get_result(conn))?;
    let mut query = of_ticket().inner_join(users::table).into_boxed();
    if let Some(last) = behind_time(page)? {
        query = query.filter(beyond((ticket_comments::created_at, ticket_comments::id), Direction::Up, last));
    }
    let rows: Vec<Columns> = query
        .order((ticket_comments::created_at.asc(), ticket_comments::id.asc()))
        .limit(page.reach())
        .offset(page.offset())
        .select(COLUMNS)
        .load(conn)?;
    let page = Paged::of(page, total, rows, |columns| Position::at(columns.6, columns.0));
    Ok(Some(Paged { rows: page.rows.into_iter().map(row).collect(), total: page.total, next: page.next }))
}

fn row((id, ticket, body, visibility, author, author_email, at): Columns) -> Result<CommentRow, Corrupt> {
    let visibility = Visibility::parse(&visibility).map_err(|error| format!("visibility {error}"))?;
    let (id, ticket, author) = (CommentId::new(id), TicketId::new(ticket), UserId::new(author));
    Ok(CommentRow { id, ticket, body, visibility, author, author_email, at })
}
