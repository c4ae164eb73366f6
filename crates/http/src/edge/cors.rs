//! Which web pages may call.

use actix_cors::Cors;

use crate::CorsSettings;

/// Lets the configured origins in and nobody else. Credentials are tokens in a header, never cookies, so
/// none are allowed to be sent along.
pub(crate) fn cors(settings: &CorsSettings) -> Cors {
    let cors = Cors::default()
        .allowed_methods(["GET", "HEAD", "POST", "PATCH", "DELETE"])
        .allowed_headers([
            "authorization",
            "content-type",
            "if-match",
            "if-none-match",
            "idempotency-key",
            "x-request-id",
            "traceparent",
        ])
        .expose_headers([
            "location",
            "link",
            "etag",
            "idempotency-replayed",
            "ratelimit",
            "ratelimit-policy",
            "retry-after",
            "www-authenticate",
            "x-request-id",
            "traceparent",
        ])
        .max_age(settings.max_age_s);
    settings.allowed_origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}
