//! What people say about a ticket.

use actix_web::http::StatusCode;
use garde::Validate;
use serde::{Deserialize, Serialize};
use serde_json::json;
use techsupport_application::{
    AppError, SortedBy,
    ports::CommentRow,
    tickets::{self, AddComment, Remark},
    wire_time,
};
use techsupport_domain::{CommentId, TicketId, UserId, ticket::Visibility};
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::{condition, page::PageQuery};
use crate::{
    handlers::{list::List, rules},
    inbound::{Inbound, Member, OnceAnswer, optional, required},
    openapi::{Operation, Tag, samples, terms},
    problem::Problem,
    reply::Reply,
    routes::Answer,
};

#[derive(Deserialize, Validate, Default, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schema(as = NewComment)]
struct CommentBody {
    #[garde(custom(required(rules::comment)))]
    #[schema(required, schema_with = terms::comment_body)]
    body: Member<String>,
    #[garde(custom(optional(Visibility::parse)))]
    #[schema(schema_with = terms::or_null::visibility)]
    visibility: Member<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Comment)]
struct CommentDto {
    #[schema(required, schema_with = terms::id)]
    id: String,
    #[schema(required, schema_with = terms::id)]
    ticket_id: String,
    #[schema(required, schema_with = terms::stored_comment_body)]
    body: String,
    #[schema(required, schema_with = terms::visibility)]
    visibility: &'static str,
    author: AuthorDto,
    #[serde(serialize_with = "wire_time::serialize")]
    #[schema(required, schema_with = terms::moment)]
    created_at: OffsetDateTime,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Author)]
struct AuthorDto {
    #[schema(required, schema_with = terms::id)]
    id: String,
    #[schema(required, schema_with = terms::email)]
    email: String,
}

impl From<CommentRow> for CommentDto {
    fn from(row: CommentRow) -> Self {
        Self {
            id: row.id.to_string(),
            ticket_id: row.ticket.to_string(),
            body: row.body,
            visibility: row.visibility.name(),
            author: AuthorDto { id: row.author.to_string(), email: row.author_email },
            created_at: row.at,
        }
    }
}

/// `POST /api/tickets/{id}/comments`
pub(crate) async fn add(mut inbound: Inbound) -> Result<OnceAnswer, Problem> {
    let body: CommentBody = inbound.json().await?;
    let comment = Remark {
        body: body.body.take(rules::comment)?,
        visibility: body.visibility.take_optional(Visibility::parse)?.unwrap_or_default(),
    };
    let expected = condition::expected(&inbound)?;
    let command = AddComment { ticket: inbound.id(TicketId::new)?, expected, comment };
    inbound.run_once(move |ctx| tickets::add_comment(ctx, &command), created).await
}

/// A comment has no address of its own, so there is no `Location`.
fn created(row: CommentRow) -> Result<Reply, AppError> {
    Reply::json(StatusCode::CREATED, &CommentDto::from(row))
}

/// `GET /api/tickets/{id}/comments`
pub(crate) async fn list(inbound: Inbound) -> Answer {
    let query: PageQuery = inbound.query()?;
    let list = List::asked(&inbound, &query.page, &query.page_size, &query.cursor, SortedBy::Time)?;
    let id = inbound.id(TicketId::new)?;
    let paged = inbound.run(move |ctx| tickets::ticket_comments(ctx, id, list.page)).await?;
    Ok(list.answer(paged, CommentDto::from))
}

fn sample() -> CommentDto {
    CommentDto::from(CommentRow {
        id: CommentId::new(samples::id(8)),
        ticket: TicketId::new(samples::id(4)),
        body: "We are on our way.".to_owned(),
        visibility: Visibility::Public,
        author: UserId::new(samples::id(1)),
        author_email: "ana@example.org".to_owned(),
        at: samples::AT,
    })
}

pub(crate) fn add_docs() -> Operation {
    Operation::new("addComment", Tag::Tickets, "Comment on a ticket")
        .about(
            "In any status, also on a closed ticket. A PUBLIC comment counts as the first response. The ticket's version \
             and `updatedAt` stay: whoever edits it meanwhile has not missed a change. `If-Match` names the version of \
             the ticket that the comment is about.",
        )
        .takes::<CommentBody>(json!({"body": "We are on our way.", "visibility": "PUBLIC"}))
        .answers(201, "The comment.", Some(sample()))
        .if_match()
}

pub(crate) fn list_docs() -> Operation {
    Operation::new("listComments", Tag::Tickets, "What was said about a ticket")
        .about("Oldest first, as a conversation is read. All staff see internal comments.")
        .asks::<PageQuery>()
        .lists(Some(sample()))
}
