//! `/api/openapi.json`, and `/docs`: pages that show it and let one try it out. Everything they need is in the program.

use std::sync::{Arc, LazyLock};

use actix_web::{
    HttpResponse,
    http::header::{self, HeaderName, HeaderValue},
    web::Bytes,
};
use utoipa_swagger_ui::Config;

use crate::{
    inbound::Inbound,
    openapi::{Operation, Tag, document, terms},
    problem::{Kind, Problem},
    routes::Answer,
};

const PAGE: &str = include_str!("page.html");
const START: &str = include_str!("start.js");
const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const PNG: &str = "image/png";

/// What the page loads, and as what.
const FILES: [(&str, &str); 4] = [
    ("favicon-32x32.png", PNG),
    (START_NAME, SCRIPT),
    ("swagger-ui-bundle.js", SCRIPT),
    ("swagger-ui.css", CSS),
];
const START_NAME: &str = "start.js";

/// Scripts and requests of our own origin and nothing else. Swagger UI sets styles on its elements, and its style sheet
/// has its icons in it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'";
/// They change with the program only.
const KEEP: HeaderValue = HeaderValue::from_static("public, max-age=3600");

/// `GET /api/openapi.json`
pub(crate) async fn openapi(_: Inbound) -> Answer {
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(HttpResponse::Ok().insert_header(kind).body(Bytes::from_static(document().as_bytes())))
}

/// `GET /docs`: what it loads lies one level deeper.
pub(crate) async fn page(_: Inbound) -> Answer {
    Ok(html("docs/"))
}

/// `GET /docs/`
pub(crate) async fn page_in_folder(_: Inbound) -> Answer {
    Ok(html("./"))
}

fn html(base: &str) -> HttpResponse {
    let policy = (HeaderName::from_static("content-security-policy"), HeaderValue::from_static(POLICY));
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static(HTML));
    HttpResponse::Ok().insert_header(kind).insert_header(policy).body(PAGE.replace("{base}", base))
}

/// `GET /docs/{file}`
pub(crate) async fn file(inbound: Inbound) -> Answer {
    let wanted = inbound.segment("file");
    let known = FILES.into_iter().find(|(name, _)| *name == wanted);
    let Some((name, kind)) = known else {
        return Err(Problem::new(Kind::NotFound, "there is no such file"));
    };
    let body = if name == START_NAME { Bytes::from_static(START.as_bytes()) } else { bundled(name)? };
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static(kind));
    Ok(HttpResponse::Ok().insert_header(kind).insert_header((header::CACHE_CONTROL, KEEP)).body(body))
}

/// A file of Swagger UI's.
fn bundled(name: &str) -> Result<Bytes, Problem> {
    static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(Arc::default);
    let found = utoipa_swagger_ui::serve(name, Arc::clone(&CONFIG)).ok().flatten();
    found.map(|file| Bytes::from(file.bytes.into_owned())).ok_or_else(Problem::internal)
}

pub(crate) fn openapi_docs() -> Operation {
    Operation::new("openapi", Tag::Documentation, "This document").about("OpenAPI 3.1.").sends(
        200,
        "The document.",
        &["application/json"],
    )
}

pub(crate) fn page_docs() -> Operation {
    Operation::new("explore", Tag::Documentation, "The explorer")
        .about("For browsers. Nothing is loaded from elsewhere.")
        .sends(200, "A page.", &[HTML])
}

pub(crate) fn page_in_folder_docs() -> Operation {
    Operation::new("exploreFolder", Tag::Documentation, "The explorer again").sends(
        200,
        "The same page.",
        &[HTML],
    )
}

pub(crate) fn file_docs() -> Operation {
    Operation::new("exploreFile", Tag::Documentation, "What the explorer loads")
        .at("file", terms::names(&FILES.map(|(name, _)| name)))
        .sends(200, "The file.", &[CSS, SCRIPT, PNG])
        .refuses_with(Problem::new(Kind::NotFound, "there is no such file"))
}
