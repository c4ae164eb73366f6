//! Schemas, parameters and headers that many operations share.

use serde_json::{Value, json};
use techsupport_application::Page;
use utoipa::openapi::{
    ArrayBuilder, Deprecated, Header, Object, ObjectBuilder, RefOr, Required, Schema, Type,
    header::HeaderBuilder,
    path::{Parameter, ParameterBuilder, ParameterIn, ParameterStyle},
    schema::SchemaType,
};

use super::{samples, terms};
use crate::problem::Kind;

/// `*` or a list of entity tags, with all the emptiness that RFC 9110 lets into lists (section 5.6.1.2).
const ENTITY_TAGS: &str = r#"^(\*|[ \t,]*((W/)?"[!#-~\u0080-\u00FF]*"[ \t]*(,[ \t,]*(W/)?"[!#-~\u0080-\u00FF]*"[ \t]*)*(,[ \t,]*)?)?)$"#;

/// The parameters of a query, from the schema of its DTO.
pub(super) fn parameters(query: RefOr<Schema>) -> Vec<Parameter> {
    let RefOr::T(Schema::Object(object)) = query else { return Vec::new() };
    let required = object.required;
    let parameter = |(name, schema): (String, RefOr<Schema>)| {
        let is_required = if required.contains(&name) { Required::True } else { Required::False };
        let (schema, description, repeats) = described(schema);
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Query)
            .required(is_required)
            .description(description)
            .schema(Some(schema));
        if repeats {
            parameter.style(Some(ParameterStyle::Form)).explode(Some(true)).build()
        } else {
            parameter.build()
        }
    };
    object.properties.into_iter().map(parameter).collect()
}

/// A schema without its description, the description, and whether it is a list.
fn described(schema: RefOr<Schema>) -> (RefOr<Schema>, Option<String>, bool) {
    match schema {
        RefOr::T(Schema::Object(mut object)) => {
            let description = object.description.take();
            (RefOr::T(Schema::Object(object)), description, false)
        }
        RefOr::T(Schema::Array(mut array)) => {
            let description = array.description.take();
            (RefOr::T(Schema::Array(array)), description, true)
        }
        RefOr::T(Schema::OneOf(mut either)) => {
            let description = either.description.take();
            (RefOr::T(Schema::OneOf(either)), description, false)
        }
        other @ (RefOr::T(_) | RefOr::Ref(_)) => (other, None, false),
    }
}

/// A parameter of the path.
pub(super) fn in_path(name: &str, schema: RefOr<Schema>) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .schema(Some(schema))
        .build()
}

/// A page of a list.
pub(super) fn list_of(row: RefOr<Schema>) -> Object {
    let or_null = |schema_type: Type| SchemaType::from_iter([schema_type, Type::Null]);
    let total = ObjectBuilder::new()
        .schema_type(or_null(Type::Integer))
        .minimum(Some(0))
        .description(Some("How many there are on all pages together; null when walking with `cursor`."));
    let page = ObjectBuilder::new()
        .schema_type(or_null(Type::Integer))
        .minimum(Some(1))
        .description(Some("Which page this is; null when walking with `cursor`."));
    let next = ObjectBuilder::new()
        .schema_type(or_null(Type::String))
        .description(Some("Goes on behind this page as `cursor`; null at the end."));
    let data = ArrayBuilder::new().items(row).max_items(Some(usize::from(Page::MAX_SIZE)));
    ["data", "total", "page", "pageSize", "nextCursor"]
        .into_iter()
        .fold(ObjectBuilder::new(), ObjectBuilder::required)
        .property("data", data)
        .property("total", total)
        .property("page", page)
        .property("pageSize", terms::page_size())
        .property("nextCursor", next)
        .build()
}

/// A page with one row.
pub(super) fn list_example(row: &Value) -> Value {
    json!({"data": [row], "total": 1, "page": 1, "pageSize": Page::DEFAULT_SIZE, "nextCursor": null})
}

/// A problem of any kind.
pub(super) fn problem() -> Object {
    let text = |what: &str| ObjectBuilder::new().schema_type(Type::String).description(Some(what));
    let place = ObjectBuilder::new()
        .property("pointer", text("The member of the body, as a JSON pointer (RFC 6901)."))
        .property("parameter", text("The parameter of the query or the path."))
        .property("header", text("The field of the head."))
        .property("detail", text("Completes a sentence that begins with the name of the part."))
        .required("detail");
    let statuses = |what: &str| ArrayBuilder::new().items(RefOr::T(terms::status())).description(Some(what));
    ["type", "title", "status", "detail", "message", "instance", "requestId"]
        .into_iter()
        .fold(ObjectBuilder::new(), ObjectBuilder::required)
        .description(Some("What went wrong (RFC 9457). Decide by `type`; there may be further members."))
        .property(
            "type",
            terms::names(
                &Kind::ALL
                    .iter()
                    .map(|kind| kind.uri())
                    .collect::<Vec<_>>()
                    .iter()
                    .map(String::as_str)
                    .collect::<Vec<_>>(),
            )
            .description(Some("Names the kind of problem; never changes.")),
        )
        .property("title", text("The same for every problem of the kind."))
        .property("status", terms::whole(400, 599).description(Some("The status of the answer.")))
        .property("detail", text("What went wrong this time."))
        .property(
            "message",
            text("Equals `detail`, for clients of the original service.").deprecated(Some(Deprecated::True)),
        )
        .property("instance", text("The path of the request."))
        .property("requestId", text("Names the request in the logs; also in the header `X-Request-Id`."))
        .property(
            "errors",
            ArrayBuilder::new().items(place).description(Some("Each wrong part of the input.")),
        )
        .property("from", terms::status())
        .property("to", terms::status())
        .property("allowed", statuses("Where the ticket may go instead."))
        .property("failing", terms::names(&["database", "schema", "broker"]))
        .build()
}

/// The header is on every such answer. utoipa has no field for that.
pub(super) fn always(mut header: Header) -> Header {
    header.extensions.get_or_insert_default().insert("required".to_owned(), Value::Bool(true));
    header
}

pub(super) fn location(pattern: &str) -> Header {
    let schema = ObjectBuilder::new().schema_type(Type::String).format(None).examples([pattern]);
    HeaderBuilder::new().schema(Some(schema)).description(Some("The path of the new thing.")).build()
}

pub(super) fn link_to_next() -> Header {
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some("^<[^>]+>; rel=\"next\"$"))
        .examples(["</api/queue/dlq?limit=20&cursor=AQ>; rel=\"next\""]);
    let meaning = "Where the list goes on (RFC 8288); missing at its end.";
    HeaderBuilder::new().schema(Some(schema)).description(Some(meaning)).build()
}

pub(super) fn varies() -> Header {
    let schema = ObjectBuilder::new().schema_type(Type::String).examples(["accept"]);
    let meaning = "Names `Accept`, which decides what the answer looks like.";
    HeaderBuilder::new().schema(Some(schema)).description(Some(meaning)).build()
}

pub(super) fn etag() -> Header {
    let schema = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^\"[0-9]+\"$"));
    let meaning = "The version of the ticket, for `If-Match`.";
    HeaderBuilder::new().schema(Some(schema)).description(Some(meaning)).build()
}

pub(super) fn if_match() -> Parameter {
    header(
        "If-Match",
        "The `ETag` the change is meant for: when the ticket has another version by now, nothing is changed (412).",
        ObjectBuilder::new().schema_type(Type::String).pattern(Some(ENTITY_TAGS)).examples(["\"1\""]),
    )
}

pub(super) fn if_none_match() -> Parameter {
    header(
        "If-None-Match",
        "The `ETag` of what the caller has: when there is nothing else by now, the answer is 304 and empty.",
        ObjectBuilder::new().schema_type(Type::String).examples(["\"1\""]),
    )
}

pub(super) fn idempotency_key() -> Parameter {
    header(
        "Idempotency-Key",
        "Makes the request safe to repeat: for 24 hours the same key of the same caller, to the same path with the \
         same JSON value as its body, gets the answer that was given first, and changes nothing. Successes, 409 and \
         422 are kept; after any other answer the request is done anew.",
        ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(255))
            .pattern(Some(r"^[\x21-\x7E]+$"))
            .examples([samples::id(99).to_string()]),
    )
}

pub(super) fn idempotency_replayed() -> Header {
    let schema = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["true"]));
    HeaderBuilder::new()
        .schema(Some(schema))
        .description(Some("There when this is the answer of an earlier request with the same key."))
        .build()
}

fn header(name: &str, description: &str, schema: ObjectBuilder) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(schema))
        .build()
}
