//! The whole document.

use std::sync::LazyLock;

use actix_web::http::Method;
use utoipa::openapi::{
    Components, Header, HttpMethod, InfoBuilder, LicenseBuilder, ObjectBuilder, OpenApi, OpenApiBuilder,
    PathsBuilder, Ref, ResponsesBuilder,
    header::HeaderBuilder,
    path::{Operation as Described, OperationBuilder},
    response::Response,
    security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
};

use super::{Operation, Tag, common, problems, schemas, terms};
use crate::routes::{Access, Route, table};

const BEARER: &str = "accessToken";

const ABOUT: &str = "\
Support tickets with deadlines that are kept.

* JSON, camelCase members. Times are RFC 3339 in UTC with milliseconds; input may carry any offset. Ids are UUIDs.
* Members of a body that are not described here are refused (400), and named; so are parameters of a query below `/api`. \
  Health, metrics and `/docs` ignore a query.
* Whatever goes wrong is a problem document (RFC 9457). Decide by `type`, which never changes; every kind is explained in \
  `docs/problems.md`. Checks come in this order: unknown route 404, method 405 (with `Allow`), 401, 403, 415, 413, 400, \
  unknown id 404, 412, 409 and 422; an earlier problem hides the later ones.
* Each answer names its request in `X-Request-Id`; a caller may choose the name (1 to 128 letters, digits, `-_.:`).
* `HEAD` is `GET` without the body, `OPTIONS` says which methods a path knows.
* Lists are leafed through with `page` and `pageSize`, or walked with `cursor`, which neither skips nor repeats rows while \
  others insert. A row whose sort key changes meanwhile may move behind the walk and be missed, or ahead of it and come \
  again.
* Where an answer can be had with `Accept: text/csv`, it is a file for spreadsheets: commas, UTF-8 that begins with a byte \
  order mark, an apostrophe in front of what would be taken for a formula. Programs are better off with JSON.";

/// The document as it is served.
pub fn document() -> &'static str {
    static DOCUMENT: LazyLock<String> = LazyLock::new(|| build(&table()).0.to_json().unwrap_or_default());
    &DOCUMENT
}

/// What is wrong with the documentation itself: examples that the server refuses, operations that are there twice. A
/// test holds that nothing is.
pub fn faults() -> Vec<String> {
    build(&table()).1
}

fn build(table: &[Route]) -> (OpenApi, Vec<String>) {
    let mut components = Components::new();
    components.schemas.insert("Problem".to_owned(), schemas::problem().into());
    for (name, header) in everywhere() {
        components.headers.insert(name.to_owned(), header.into());
    }
    components.security_schemes.insert(BEARER.to_owned(), bearer().into());
    let mut faults = Vec::new();
    let mut paths = PathsBuilder::new().build();
    let mut ids: Vec<&str> = Vec::new();
    for route in table {
        let operation = (route.docs)();
        let operation = if route.repeatable { operation.repeatable() } else { operation };
        let who = format!("{} {}", route.method, route.path);
        faults.extend(operation.faults.iter().map(|fault| format!("{who}: {fault}")));
        if ids.contains(&operation.id) {
            faults.push(format!("{who}: the operation id {} is taken", operation.id));
        }
        ids.push(operation.id);
        if route.takes_query == operation.query.is_empty() {
            faults.push(format!("{who}: `with_query` and `asks` contradict each other"));
        }
        let Some(method) = method(&route.method) else {
            faults.push(format!("{who}: no method of OpenAPI's"));
            continue;
        };
        paths.add_path_operation(route.path, vec![method], describe(route, operation, &mut components));
    }
    for kind in crate::problem::Kind::ALL {
        // Not an answer of any operation, but of the server: it is in the document nevertheless.
        let name = kind.slug();
        components.responses.entry(name.to_owned()).or_insert_with(|| problems::of_kind(*kind).into());
    }
    let document = OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("TechSupport Pro")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(ABOUT))
                .license(Some(
                    LicenseBuilder::new()
                        .name("MIT OR Apache-2.0")
                        .identifier(Some("MIT OR Apache-2.0"))
                        .build(),
                ))
                .build(),
        )
        .paths(paths)
        .components(Some(components))
        .tags(Some(Tag::all()))
        .build();
    (document, faults)
}

fn describe(route: &Route, operation: Operation, components: &mut Components) -> Described {
    let mut usual = common::usual_problems(route, &operation);
    let mut own = common::wrong_input(route, &operation);
    own.extend(operation.refusals);
    usual.retain(|kind| !own.iter().any(|problem| problem.kind == *kind));
    let refusals = problems::refusals(route.path, own, &usual);
    for (name, schema) in operation.schemas {
        components.schemas.insert(name, schema);
    }
    for (name, response) in refusals.shared {
        components.responses.insert(name, with_usual_headers(response).into());
    }
    let answers = operation
        .answers
        .into_iter()
        .map(|answer| (answer.status.to_string(), with_usual_headers(answer.response.build()).into()));
    let refused = refusals.responses.into_iter().map(|(status, response)| match response {
        utoipa::openapi::RefOr::T(response) => (status, with_usual_headers(response).into()),
        shared @ utoipa::openapi::RefOr::Ref(_) => (status, shared),
    });
    let responses = ResponsesBuilder::new().responses_from_iter(answers.chain(refused)).build();
    let about = [operation.about, &common::who_may(route.access)].join("\n\n");
    let described = OperationBuilder::new()
        .tag(operation.tag.name())
        .operation_id(Some(operation.id))
        .summary(Some(operation.summary))
        .description(Some(about.trim_start()))
        .request_body(operation.body.map(|body| body.request))
        .responses(responses);
    let parameters = common::in_path(route).into_iter().chain(operation.query).chain(operation.parameters);
    let described = parameters.fold(described, OperationBuilder::parameter);
    let security = match route.access {
        Access::Public => Vec::new(),
        Access::Needs(_) => vec![SecurityRequirement::new(BEARER, Vec::<String>::new())],
    };
    described.securities(Some(security)).build()
}

/// Adds the headers that every answer has.
fn with_usual_headers(mut response: Response) -> Response {
    for (name, _) in everywhere() {
        let header = Ref::new(format!("#/components/headers/{name}"));
        response.headers.insert(name.to_owned(), utoipa::openapi::RefOr::Ref(header));
    }
    response
}

fn everywhere() -> [(&'static str, Header); 4] {
    let header = |meaning: &str, schema: ObjectBuilder| {
        HeaderBuilder::new().schema(Some(schema)).description(Some(meaning)).build()
    };
    let text = terms::plain_text;
    [
        ("RateLimit", header("How much of the quota is left (r) and until when (t, seconds).", text())),
        (
            "RateLimit-Policy",
            header("The quota (q) and its window (w, seconds). Where requests are limited.", text()),
        ),
        (
            "X-Request-Id",
            schemas::always(header("Names the request.", text().pattern(Some(r"^[A-Za-z0-9\-_.:]{1,128}$")))),
        ),
        ("traceparent", header("Names the trace (W3C Trace Context).", text())),
    ]
}

fn bearer() -> SecurityScheme {
    SecurityScheme::Http(
        HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("The `accessToken` of `POST /api/auth/login` or `POST /api/auth/refresh`."))
            .build(),
    )
}

fn method(method: &Method) -> Option<HttpMethod> {
    Some(match method.as_str() {
        "GET" => HttpMethod::Get,
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "PATCH" => HttpMethod::Patch,
        "DELETE" => HttpMethod::Delete,
        _ => return None,
    })
}
