//! Texts that were edited, and comments: what few changes have, in statements of their own, so that the one
//! that every change makes stays as quick as it is.

use diesel::{prelude::*, sql_types};
use techsupport_application::TicketChange;
use techsupport_domain::ticket::{Comment, Edited, Replaced, Ticket};

use crate::schema::ticket_comments;

/// Writes what was edited. Only what changed is sent; the rest stays as it is, wherever PostgreSQL keeps it.
pub(super) fn rewrite(conn: &mut PgConnection, ticket: &Ticket, edited: &Edited) -> QueryResult<()> {
    let Edited { title, description, tags, priority: _, tier: _ } = edited;
    if title.is_none() && description.is_none() && tags.is_none() {
        return Ok(());
    }
    let tags: Option<Vec<&str>> = tags.as_ref().map(|Replaced { after, .. }| after.iter().collect());
    diesel::sql_query(
        "UPDATE tickets SET title = coalesce($2, title), description = coalesce($3, description), \
         tags = coalesce($4, tags) WHERE id = $1",
    )
    .bind::<sql_types::Uuid, _>(ticket.id.uuid())
    .bind::<sql_types::Nullable<sql_types::Text>, _>(title.as_ref().map(|it| it.after.as_str()))
    .bind::<sql_types::Nullable<sql_types::Text>, _>(description.as_ref().map(|it| it.after.as_str()))
    .bind::<sql_types::Nullable<sql_types::Array<sql_types::Text>>, _>(tags)
    .execute(conn)
    .map(drop)
}

/// Writes what was said, in the name of whoever made the change.
pub(super) fn say(conn: &mut PgConnection, change: &TicketChange, comment: &Comment) -> QueryResult<()> {
    // The desk itself says nothing. If it did, the database would refuse a comment without an author.
    let author = change.actor().user().map(techsupport_domain::UserId::uuid);
    diesel::insert_into(ticket_comments::table)
        .values((
            ticket_comments::id.eq(comment.id.uuid()),
            ticket_comments::ticket_id.eq(change.ticket().id.uuid()),
            ticket_comments::author_id.eq(author.unwrap_or_default()),
            ticket_comments::visibility.eq(comment.visibility.name()),
            ticket_comments::body.eq(comment.body.as_str()),
            ticket_comments::created_at.eq(change.at()),
        ))
        .execute(conn)
        .map(drop)
}
