//! Around every request: its identity, its line in the log, the headers of its answer. Outside of
//! everything else, so that nothing gets past it.

mod access_log;
mod cors;
mod identity;
pub(crate) mod security_headers;

use std::sync::{Arc, atomic::Ordering};

use actix_web::{
    Error, HttpMessage, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        ConnectionType, Method, StatusCode,
        header::{self, HeaderValue},
    },
    middleware::Next,
};
use tracing::Instrument;

pub(crate) use access_log::{Note, milliseconds};
pub(crate) use cors::cors;

use crate::{
    connection::Connection,
    problem::{Kind, Problem, render},
    state::State,
};

/// The middleware.
pub(crate) async fn edge(
    state: Arc<State>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let identity = identity::identify(request.headers(), &state);
    let mut line = access_log::AccessLog::begin(identity.clone(), request.method().as_str(), request.path());
    let connection = request.conn_data::<Connection>().cloned().unwrap_or_default();
    let _in_flight = connection.begin(has_body(&request));
    let to_head = request.method() == Method::HEAD;
    request.extensions_mut().insert(identity.clone());
    let span = tracing::info_span!(
        "request",
        requestId = &*identity.request_id,
        traceId = identity.trace.trace_id()
    );

    let answer = next.call(request).instrument(span).await?.map_into_boxed_body();

    let note = answer.request().extensions().get::<Note>().copied().unwrap_or_default();
    line.answered(answer.status().as_u16(), answer.request().match_pattern(), note);
    let mut answer = only_problems(answer, &identity.request_id, state.settings.retry_after_s);
    let headers = answer.headers_mut();
    security_headers::add(headers);
    if let Ok(id) = HeaderValue::from_str(&identity.request_id) {
        headers.insert(identity::REQUEST_ID, id);
    }
    if let Ok(trace) = HeaderValue::from_str(&identity.trace.to_string()) {
        headers.insert(identity::TRACEPARENT, trace);
    }
    if state.leaving.load(Ordering::Relaxed) {
        answer.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    let closing = matches!(answer.response().head().connection_type(), ConnectionType::Close);
    connection.answered(to_head, closing);
    Ok(answer)
}

fn has_body(request: &ServiceRequest) -> bool {
    let length = request.headers().get(header::CONTENT_LENGTH).map(|length| length.as_bytes() != b"0");
    length.unwrap_or(false) || request.headers().contains_key(header::TRANSFER_ENCODING)
}

/// An error that somebody else made, such as a preflight request that was refused, becomes a problem too.
fn only_problems(answer: ServiceResponse, request_id: &str, retry_after_s: u64) -> ServiceResponse {
    let status = answer.status();
    let is_problem = answer
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/problem+json"));
    if is_problem || !(status.is_client_error() || status.is_server_error()) {
        return answer;
    }
    let problem = match status {
        StatusCode::NOT_FOUND => Problem::new(Kind::UnknownRoute, "there is nothing here"),
        _ if status.is_server_error() => Problem::internal(),
        _ if answer.request().method() == Method::OPTIONS => {
            let detail = "pages of this origin may not call, or not with this method or these headers";
            Problem::new(Kind::PreflightRefused, detail)
        }
        _ => Problem::new(Kind::MalformedRequest, "the request cannot be served"),
    };
    let (request, former) = answer.into_parts();
    let mut better = render(&problem, request.path(), request_id, retry_after_s);
    for (name, value) in former.headers() {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            better.headers_mut().append(name.clone(), value.clone());
        }
    }
    ServiceResponse::new(request, HttpResponse::map_into_boxed_body(better))
}
