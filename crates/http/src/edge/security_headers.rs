//! Headers that keep browsers from doing more with an answer than they should.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

/// On every answer, unless the route says something else about itself.
pub(crate) const ALL: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    // Answers hold personal data, and most of them belong to one caller.
    ("cache-control", "no-store"),
];

/// Adds those that are missing.
pub(super) fn add(headers: &mut HeaderMap) {
    for (name, value) in ALL {
        let name = HeaderName::from_static(name);
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
}
