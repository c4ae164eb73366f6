//! How an operation may be refused: a response for each status, with an example of each kind.

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::openapi::{
    Content, Header, ObjectBuilder, Ref, RefOr, Response, ResponseBuilder, Schema, Type,
    example::ExampleBuilder, header::HeaderBuilder, schema::AllOfBuilder,
};

use super::{samples, schemas, terms};
use crate::problem::{Kind, Manner, Problem, ProblemDocument};

const MEDIA_TYPE: &str = "application/problem+json";

/// Responses by status. Those without anything of their own are shared: they are in `components`.
pub(super) struct Refusals {
    pub(super) responses: Vec<(String, RefOr<Response>)>,
    pub(super) shared: Vec<(String, Response)>,
}

/// `own` problems belong to the operation at this path; of the `usual` kinds any sample will do.
pub(super) fn refusals(path: &str, own: Vec<Problem>, usual: &[Kind]) -> Refusals {
    let mut by_status: BTreeMap<u16, Vec<(Problem, bool)>> = BTreeMap::new();
    let usual = usual.iter().map(|kind| (samples::problem(*kind), false));
    for (problem, is_own) in own.into_iter().map(|problem| (problem, true)).chain(usual) {
        let group = by_status.entry(problem.kind.status().as_u16()).or_default();
        // A kind that has a sample of its own here needs no other.
        if is_own || !group.iter().any(|(other, _)| other.kind == problem.kind) {
            group.push((problem, is_own));
        }
    }
    let (mut responses, mut shared) = (Vec::new(), Vec::new());
    for (status, group) in by_status {
        let is_shared = !group.iter().any(|(_, is_own)| *is_own);
        let problems: Vec<Problem> = group.into_iter().map(|(problem, _)| problem).collect();
        if is_shared {
            let slugs: Vec<&str> = problems.iter().map(|problem| problem.kind.slug()).collect();
            let name = slugs.join(".");
            responses.push((status.to_string(), Ref::from_response_name(&name).into()));
            shared.push((name, response(status, "/api/tickets", &problems)));
        } else {
            responses.push((status.to_string(), response(status, path, &problems).into()));
        }
    }
    Refusals { responses, shared }
}

/// A response that no operation has of its own, such as that to an unknown route.
pub(super) fn of_kind(kind: Kind) -> Response {
    response(kind.status().as_u16(), "/api/nowhere", &[samples::problem(kind)])
}

fn response(status: u16, path: &str, problems: &[Problem]) -> Response {
    let mut kinds: Vec<Kind> = Vec::new();
    let mut examples = Vec::new();
    for problem in problems {
        let repeated = kinds.iter().filter(|kind| **kind == problem.kind).count();
        let slug = problem.kind.slug();
        let name = if repeated == 0 { slug.to_owned() } else { format!("{slug}-{}", repeated + 1) };
        let document = ProblemDocument::new(problem, path, samples::REQUEST_ID);
        let value = serde_json::to_value(document).ok();
        examples.push((name, ExampleBuilder::new().summary(problem.kind.title()).value(value)));
        kinds.push(problem.kind);
    }
    let mut titles: Vec<&str> = kinds.iter().map(|kind| kind.title()).collect();
    titles.dedup();
    let content = Content::builder()
        .schema(Some(schema(status, &kinds)))
        .examples_from_iter(examples.into_iter().map(|(name, example)| (name, example.build())))
        .build();
    let response = ResponseBuilder::new().description(titles.join("; ")).content(MEDIA_TYPE, content);
    with_headers(response, &kinds).build()
}

/// The problem, of one of these kinds.
fn schema(status: u16, kinds: &[Kind]) -> Schema {
    let mut uris: Vec<String> = kinds.iter().map(|kind| kind.uri()).collect();
    uris.dedup();
    let uris: Vec<&str> = uris.iter().map(String::as_str).collect();
    let narrower = ObjectBuilder::new().property("type", terms::names(&uris)).property(
        "status",
        ObjectBuilder::new().schema_type(Type::Integer).enum_values(Some([Value::from(status)])),
    );
    // What belongs to every problem of a kind is required where there is no other kind.
    let members: &[&str] = match kinds {
        [Kind::InvalidInput] => &["errors"],
        [Kind::IllegalTransition] => &["from", "to", "allowed"],
        [Kind::NotReady] => &["failing"],
        _ => &[],
    };
    let narrower = members.iter().fold(narrower, |schema, member| schema.required(*member));
    AllOfBuilder::new().item(Ref::from_schema_name("Problem")).item(narrower).build().into()
}

fn with_headers(response: ResponseBuilder, kinds: &[Kind]) -> ResponseBuilder {
    let is_of = |manner: Manner| move |kind: &Kind| Manner::of(*kind) == manner;
    let mut response = response;
    if kinds.iter().all(is_of(Manner::Challenge)) {
        let header = HeaderBuilder::new().schema(Some(terms::names(&["Bearer"])));
        response = response.header("WWW-Authenticate", schemas::always(header.build()));
    }
    let waiting: Vec<&str> =
        kinds.iter().filter(|kind| is_of(Manner::Wait)(kind)).map(|kind| kind.slug()).collect();
    if waiting.len() == kinds.len() {
        response = response.header("Retry-After", schemas::always(retry_after("")));
    } else if !waiting.is_empty() {
        response =
            response.header("Retry-After", retry_after(&format!(" There with {}.", waiting.join(", "))));
    }
    // These two come with the key and are never kept; the others of their statuses are.
    let about_key = |kind: &Kind| matches!(kind, Kind::RepeatInFlight | Kind::RepeatDiffers);
    if kinds.iter().any(about_key) && !kinds.iter().all(about_key) {
        response = response.header("Idempotency-Replayed", schemas::idempotency_replayed());
    }
    response
}

fn retry_after(when: &str) -> Header {
    HeaderBuilder::new()
        .schema(Some(terms::whole(1, 86_400)))
        .description(Some(format!("Seconds to wait before trying again.{when}")))
        .build()
}
