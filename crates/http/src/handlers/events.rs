//! The feed of events, for integrators who missed something.

use std::time::Duration;

use actix_web::{HttpResponse, http::header::ContentType};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use garde::Validate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use techsupport_application::{
    events::EventType,
    feed::read_feed,
    ports::{FeedEvent, FeedPosition, FeedQuery},
};
use techsupport_domain::Permission;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::rules;
use crate::{
    inbound::{Inbound, Member, Parameters, optional},
    openapi::{Operation, Tag, samples, terms},
    problem::{Kind, Problem},
    routes::Answer,
};

/// The longest that somebody may ask to wait, in seconds.
const LONGEST_WAIT_S: u64 = 25;
const VERSION: u8 = 1;

#[derive(Deserialize, Validate, Default, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct EventQuery {
    #[garde(custom(optional(place)))]
    #[schema(schema_with = terms::event_cursor)]
    after: Member<String>,
    #[garde(custom(optional(types)))]
    #[schema(schema_with = terms::event_types)]
    r#type: Member<Vec<String>>,
    #[garde(custom(optional(rules::page_size)))]
    #[schema(schema_with = terms::page_size)]
    limit: Member<String>,
    #[garde(custom(optional(patience)))]
    #[schema(schema_with = terms::wait)]
    wait: Member<String>,
}

impl Parameters for EventQuery {
    const LISTS: &'static [&'static str] = &["type"];
}

/// Behind which event to go on: in front of the first one when empty.
fn place(text: &str) -> Result<FeedPosition, &'static str> {
    const WRONG: &str = "must be empty or the nextCursor of an earlier answer";
    if text.is_empty() {
        return Ok(FeedPosition::default());
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| WRONG)?;
    let (version, number) = bytes.split_first().ok_or(WRONG)?;
    let number = i64::from_be_bytes(number.try_into().map_err(|_| WRONG)?);
    if *version == VERSION && number >= 0 { Ok(FeedPosition(number)) } else { Err(WRONG) }
}

fn cursor(place: FeedPosition) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend(place.0.to_be_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

fn types(names: &[String]) -> Result<Vec<EventType>, String> {
    let known = || EventType::ALL.map(EventType::name).join(", ");
    names
        .iter()
        .map(|name| EventType::parse(name).ok_or_else(|| format!("must be one of {}", known())))
        .collect()
}

fn patience(text: &str) -> Result<Duration, String> {
    let seconds = rules::whole(text).filter(|seconds| *seconds <= LONGEST_WAIT_S);
    let seconds = seconds.ok_or_else(|| format!("must be a whole number from 0 to {LONGEST_WAIT_S}"))?;
    Ok(Duration::from_secs(seconds))
}

/// `GET /api/events`
pub(crate) async fn list(inbound: Inbound) -> Answer {
    let asked: EventQuery = inbound.query()?;
    let query = FeedQuery {
        after: asked.after.take_optional(place)?.unwrap_or_default(),
        types: asked.r#type.take_optional(types)?.unwrap_or_default(),
        limit: asked
            .limit
            .take_optional(rules::page_size)?
            .unwrap_or(techsupport_application::Page::DEFAULT_SIZE),
    };
    let wait = asked.wait.take_optional(patience)?.unwrap_or_default();
    let events = await_events(&inbound, &query, wait).await?;
    let next = events.last().map_or(query.after, |event| event.position);
    Ok(HttpResponse::Ok().content_type(ContentType::json()).body(page(&events, next)))
}

/// The next events; when there are none yet, the first ones within the time. Whoever waits holds neither a thread
/// nor a connection, only a place.
async fn await_events(
    inbound: &Inbound,
    query: &FeedQuery,
    wait: Duration,
) -> Result<Vec<FeedEvent>, Problem> {
    let waiters = &inbound.state().waiters;
    // A tenth of the time for the request is for looking once more and for the way back.
    let until = Instant::now() + wait.min(inbound.time_left().mul_f32(0.9));
    // Before looking: an event that comes right after is heard of.
    let mut ears = waiters.bell().listen();
    let mut events = look(inbound, query).await?;
    if !events.is_empty() || wait.is_zero() {
        return Ok(events);
    }
    let _place = waiters.enter()?;
    while events.is_empty() && Instant::now() < until && !ears.is_over() {
        ears.hear(until.min(waiters.look_again())).await;
        let _turn = waiters.turn().await?;
        // Rights may have ended meanwhile.
        inbound.admit_again(Permission::ReadEvents)?;
        events = look(inbound, query).await?;
    }
    Ok(events)
}

async fn look(inbound: &Inbound, query: &FeedQuery) -> Result<Vec<FeedEvent>, Problem> {
    let query = query.clone();
    let found = inbound.run(move |ctx| read_feed(ctx, &query)).await?;
    found.ok_or_else(|| Problem::parameter("after", "is a place that this feed has not reached"))
}

/// The documents to the letter, as they were published.
fn page(events: &[FeedEvent], next: FeedPosition) -> String {
    let documents: Vec<&str> = events.iter().map(|event| event.body.as_str()).collect();
    format!("{{\"data\":[{}],\"nextCursor\":\"{}\"}}", documents.join(","), cursor(next))
}

/// What [`page`] writes, for those who read the documentation.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EventPage)]
struct PageDto {
    data: Vec<EventDto>,
    #[schema(required, schema_with = terms::event_cursor)]
    next_cursor: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
struct EventDto {
    #[schema(required, schema_with = terms::specversion)]
    specversion: &'static str,
    #[schema(required, schema_with = terms::id)]
    id: String,
    #[schema(required, schema_with = terms::any_text)]
    source: &'static str,
    #[schema(required, schema_with = terms::any_text)]
    r#type: &'static str,
    #[schema(required, schema_with = terms::id)]
    subject: String,
    #[schema(required, schema_with = terms::moment)]
    time: &'static str,
    #[schema(required, schema_with = terms::any_text)]
    datacontenttype: &'static str,
    #[schema(required, schema_with = terms::any_text)]
    traceparent: &'static str,
    #[schema(required, schema_with = terms::any_object)]
    data: Value,
}

pub(crate) fn list_docs() -> Operation {
    let event = EventDto {
        specversion: "1.0",
        id: samples::id(7).to_string(),
        source: "/techsupport-pro",
        r#type: EventType::TicketDeleted.name(),
        subject: samples::id(6).to_string(),
        time: "2026-02-12T20:45:23.123Z",
        datacontenttype: "application/json",
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        data: json!({
            "ticketId": samples::id(6).to_string(),
            "number": "42",
            "actor": {"kind": "USER", "id": samples::id(1).to_string()},
            "before": {"deleted": false},
            "after": {"deleted": true},
        }),
    };
    let sample = PageDto { data: vec![event], next_cursor: cursor(FeedPosition(42)) };
    Operation::new("listEvents", Tag::Events, "Every event, in the order of the changes")
        .about(
            "The `CloudEvents` documents as they are published, each once, oldest first: what was committed before another \
             change was made comes before it, and nothing ever appears in front of what was read already. So an \
             integrator remembers `nextCursor`, which is there also when there is nothing new, and goes on from it, at \
             any time, with the same `type`s or others. An event can be read here a moment after its change, whether \
             or not the broker or a webhook has got it.\n\nWith `wait` the answer is held until there is something \
             new, or the time is over.",
        )
        .asks::<EventQuery>()
        .answers(200, "The next events, possibly none.", Some(sample))
        .leads_to("next", "listEvents", "after", "$response.body#/nextCursor")
        .refuses(Kind::Overloaded)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was_written() {
        for number in [0, 1, i64::MAX] {
            assert_eq!(place(&cursor(FeedPosition(number))).unwrap(), FeedPosition(number));
        }
        assert_eq!(place("").unwrap(), FeedPosition(0), "the beginning");
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        let good = cursor(FeedPosition(7));
        let other_version = URL_SAFE_NO_PAD.encode([2, 0, 0, 0, 0, 0, 0, 0, 7]);
        let negative = cursor(FeedPosition(-1));
        for wrong in
            ["x", "7", &good[1..], &format!("{good}AA"), &format!("{good}="), &other_version, &negative]
        {
            assert!(place(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn documents_are_not_touched() {
        let event = |n, body: &str| FeedEvent { position: FeedPosition(n), body: body.to_owned() };
        let events = [event(1, "{ \"b\":1.0,\n\"a\" : \"\\u00e9\" }"), event(2, "{}")];
        let text = page(&events, FeedPosition(2));
        assert!(
            text.starts_with("{\"data\":[{ \"b\":1.0,\n\"a\" : \"\\u00e9\" },{}],\"nextCursor\":\""),
            "{text}"
        );
        assert!(serde_json::from_str::<Value>(&page(&[], FeedPosition(0))).is_ok());
    }
}
