//! Messages that were given up: to be looked at, put back, or thrown away.

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{self, ContentType},
    },
};
use garde::Validate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use techsupport_application::{
    AppError, Entity, SortedBy,
    dead_letters::{self, QUEUES},
    ports::{DeadLetterFilter, DeadLetterRow, ReplayedAll},
    wire_time,
};
use techsupport_domain::UnknownName;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{list::List, rules};
use crate::{
    inbound::{Inbound, Member, OnceAnswer, Parameters, optional},
    openapi::{Operation, Tag, samples, terms},
    problem::Problem,
    reply::Reply,
    routes::Answer,
};

#[derive(Deserialize, Validate, Default, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct LetterQuery {
    #[garde(custom(optional(queue_name)))]
    #[schema(schema_with = terms::queue_name)]
    queue: Member<String>,
    #[garde(custom(optional(rules::page_size)))]
    #[schema(schema_with = terms::page_size)]
    limit: Member<String>,
    #[garde(custom(optional(rules::cursor)))]
    #[schema(schema_with = terms::linked_cursor)]
    cursor: Member<String>,
}

impl Parameters for LetterQuery {}

fn queue_name(text: &str) -> Result<&'static str, UnknownName> {
    QUEUES.into_iter().find(|name| *name == text).ok_or(UnknownName { expected: &QUEUES })
}

/// What [`row`] writes, for those who read the documentation.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DeadLetter)]
struct LetterDto {
    #[schema(required, schema_with = terms::id)]
    id: String,
    #[schema(required, schema_with = terms::queue_told)]
    queue: &'static str,
    #[schema(required, schema_with = terms::letter_data)]
    data: Value,
    #[schema(required, schema_with = terms::letter_attempts)]
    attempts: u32,
    #[schema(required, schema_with = terms::letter_error)]
    error: &'static str,
    #[schema(required, schema_with = terms::letter_failed_at)]
    failed_at: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Replay)]
struct ReplayDto {
    #[schema(required, schema_with = terms::id)]
    id: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ReplayOfAll)]
struct ReplayAllDto {
    #[schema(required, schema_with = terms::letters_queued)]
    queued: u32,
    #[schema(required, schema_with = terms::letters_remaining)]
    remaining: i64,
}

impl From<ReplayedAll> for ReplayAllDto {
    fn from(replayed: ReplayedAll) -> Self {
        Self { queued: replayed.queued, remaining: replayed.remaining }
    }
}

/// `GET /api/queue/dlq`
pub(crate) async fn list(inbound: Inbound) -> Answer {
    let query: LetterQuery = inbound.query()?;
    let filter = DeadLetterFilter { queue: query.queue.take_optional(queue_name)?.map(str::to_owned) };
    let list = List::walked(&inbound, &query.limit, &query.cursor, SortedBy::Time)?;
    let paged = inbound.run(move |ctx| dead_letters::list_dead_letters(ctx, &filter, list.page)).await?;
    let mut answer = HttpResponse::Ok();
    if let Some(next) = paged.next {
        answer.insert_header((header::LINK, list.link_to_next(&inbound, next)?));
    }
    let rows: Vec<String> = paged.rows.iter().map(row).collect();
    Ok(answer.content_type(ContentType::json()).body(format!("[{}]", rows.join(","))))
}

/// With the message's document to the letter, as it would be put back: reading it into memory and writing it again could
/// change it, large numbers above all.
fn row(letter: &DeadLetterRow) -> String {
    let text = |text: &str| Value::from(text).to_string();
    format!(
        "{{\"id\":\"{}\",\"queue\":{},\"data\":{},\"attempts\":{},\"error\":{},\"failedAt\":\"{}\"}}",
        letter.id,
        text(&letter.queue),
        document(&letter.body).map_or_else(|| text(&String::from_utf8_lossy(&letter.body)), str::to_owned),
        letter.attempts,
        text(&letter.error),
        wire_time::format(letter.failed_at),
    )
}

/// The body, when it is JSON that everybody can read: one message must not make a page of them unreadable.
fn document(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body).ok()?;
    serde_json::from_str::<Value>(text).is_ok().then_some(text)
}

/// `POST /api/queue/dlq/{id}/replay`
pub(crate) async fn replay(mut inbound: Inbound) -> Result<OnceAnswer, Problem> {
    inbound.no_body().await?;
    let id = inbound.id(letter_id)?;
    let accepted = move |()| Reply::json(StatusCode::ACCEPTED, &ReplayDto { id: id.to_string() });
    inbound.run_once(move |ctx| dead_letters::replay_dead_letter(ctx, id), accepted).await
}

/// `POST /api/queue/dlq/replay`
pub(crate) async fn replay_all(mut inbound: Inbound) -> Result<OnceAnswer, Problem> {
    inbound.no_body().await?;
    let most = inbound.state().replay_all_max;
    let accepted = |replayed| Reply::json(StatusCode::ACCEPTED, &ReplayAllDto::from(replayed));
    inbound.run_once(move |ctx| dead_letters::replay_all_dead_letters(ctx, most), accepted).await
}

/// `DELETE /api/queue/dlq/{id}`
pub(crate) async fn discard(inbound: Inbound) -> Answer {
    let id = inbound.id(letter_id)?;
    inbound.run(move |ctx| dead_letters::discard_dead_letter(ctx, id)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// These have no type of their own.
const fn letter_id(id: Uuid) -> Uuid {
    id
}

pub(crate) fn list_docs() -> Operation {
    let sample = LetterDto {
        id: samples::id(40).to_string(),
        queue: "sla-events",
        data: json!({
            "specversion": "1.0",
            "id": samples::id(7).to_string(),
            "type": "pro.techsupport.sla.breached.v1",
            "subject": samples::id(4).to_string(),
            "data": {"ticketId": samples::id(4).to_string(), "metric": "FIRST_RESPONSE"}
        }),
        attempts: 10,
        error: "log: no space left on device",
        failed_at: wire_time::format(samples::AT),
    };
    Operation::new("listDeadLetters", Tag::Queue, "List what was given up")
        .about(
            "Messages that nobody has put back or discarded yet, latest first. A message appears here a moment after it was \
             given up, and again when it was to be put back but its queue could not take it: `error` says so, and it is \
             tried again until it is discarded. A bare list, as of the original service; `Link` (RFC 8288) leads to the rest with `rel=\"next\"`, and is \
             missing at the end; where messages are large, an answer has fewer than `limit`. Walking along it neither skips nor repeats messages that are there all the time.\n\n`data` \
             is the message's JSON document, unchanged. When the message is no JSON, or such that many programs could not read the \
             answer (a number beyond 1.8e308, more than 127 levels, half a surrogate pair), it is a string with its text, in \
             which each sequence of bytes that is no UTF-8 is U+FFFD.",
        )
        .asks::<LetterQuery>()
        .answers_rows("The next ones, possibly none.", Some(usize::from(techsupport_application::Page::MAX_SIZE)), Some(sample))
        .with_link_to_next()
        .leads_to("replay", "replayDeadLetter", "id", "$response.body#/0/id")
        .leads_to("discard", "discardDeadLetter", "id", "$response.body#/0/id")
}

pub(crate) fn replay_docs() -> Operation {
    Operation::new("replayDeadLetter", Tag::Queue, "Put a dead letter back")
        .about(
            "Into the one queue whose consumer gave it up, exactly once. A notification has as many attempts as if it were new; \
             an import goes on where it stopped, and nothing happens to one that has ended meanwhile, `FAILED` as well. It leaves \
             the list at once and its queue gets it a moment later; until then it can still be discarded. A message of \
             `webhook-events` has no effect as long as there are no webhooks. Asked for again, it is the same replay: the answer \
             is the same and nothing more happens. Should the message be given up again, it is a new dead letter; so it is \
             when this release has no such queue. The audit log keeps who did it, the queue and the event. One that was discarded is not found. A body is not needed, and may be nothing but `{}`.",
        )
        .takes_nothing()
        .answers(202, "It is on its way.", Some(ReplayDto { id: samples::id(40).to_string() }))
        .refuses_with(AppError::NotFound(Entity::DeadLetter))
}

pub(crate) fn replay_all_docs() -> Operation {
    Operation::new("replayDeadLetters", Tag::Queue, "Put all dead letters back")
        .about(
            "Each as if it were put back alone; the oldest first, and not more at once than the desk's settings say \
             (`dead_letters.replay_all_max`): go on while `remaining` is not 0. Each has its entry in the audit log. A body is not needed, and may be nothing but \
             `{}`.",
        )
        .takes_nothing()
        .answers(202, "They are on their way.", Some(ReplayAllDto { queued: 100, remaining: 0 }))
}

pub(crate) fn discard_docs() -> Operation {
    Operation::new("discardDeadLetter", Tag::Queue, "Discard a dead letter")
        .about(
            "For good: what it said is gone. The audit log keeps who did it, the queue and the event. One that is to be put back \
             but is not in its queue yet can be discarded. One that is back, or is being put there at this moment, or was \
             discarded already is not found.",
        )
        .empty(204, "Discarded.")
        .refuses_with(AppError::NotFound(Entity::DeadLetter))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn shown(body: &[u8]) -> Value {
        let letter = DeadLetterRow {
            id: samples::id(1),
            queue: "sla-events".to_owned(),
            body: body.to_owned(),
            attempts: 3,
            error: "said \"no\"\n".to_owned(),
            failed_at: samples::AT,
        };
        serde_json::from_str(&row(&letter)).unwrap()
    }

    #[test]
    fn a_document_is_shown_as_it_is_and_anything_else_as_text() {
        assert_eq!(shown(b" {\"a\": [1, \"\\u00e9\"]}\n")["data"], json!({"a": [1, "\u{e9}"]}));
        assert_eq!(shown(b"null")["data"], Value::Null);
        let deep = "[".repeat(128) + &"]".repeat(128);
        for (body, text) in [
            (&b""[..], ""),
            (b"no JSON", "no JSON"),
            (b"{\"a\":1} {}", "{\"a\":1} {}"),
            (b"\"\\ud800\"", "\"\\ud800\""),
            (b"{\"n\":1e400}", "{\"n\":1e400}"),
            (deep.as_bytes(), &deep),
            (b"\xef\xbb\xbf{}", "\u{feff}{}"),
            (b"a\0b\"", "a\0b\""),
            (b"\"caf\xe9\"", "\"caf\u{fffd}\""),
        ] {
            assert_eq!(shown(body)["data"], json!(text));
        }
        let letter = shown(b"1");
        assert_eq!((&letter["error"], &letter["attempts"]), (&json!("said \"no\"\n"), &json!(3)));
    }

    #[test]
    fn numbers_stay_what_they_are() {
        let letter = DeadLetterRow {
            id: samples::id(1),
            queue: "q".to_owned(),
            body: b"123456789012345678901234567890.10".to_vec(),
            attempts: 0,
            error: String::new(),
            failed_at: samples::AT,
        };
        assert!(row(&letter).contains("\"data\":123456789012345678901234567890.10,"));
    }
}
