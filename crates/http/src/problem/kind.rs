//! Every kind of problem there is. `docs/problems.md` explains each to the people who meet them.

use actix_web::http::StatusCode;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $status:ident, $slug:literal, $title:literal;)+) => {
        /// A kind of problem. The slug never changes: clients decide by it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Kind {
            $($(#[$doc])* $name,)+
        }

        impl Kind {
            /// Every kind, in the order in which they are declared.
            pub(crate) const ALL: &'static [Kind] = &[$(Kind::$name,)+];

            /// The last part of the type URI.
            pub(crate) const fn slug(self) -> &'static str {
                match self {
                    $(Kind::$name => $slug,)+
                }
            }

            /// The type URI.
            pub(crate) fn uri(self) -> String {
                format!("urn:techsupport:problem:{}", self.slug())
            }

            /// The same for every problem of the kind (RFC 9457, section 3.1.3).
            pub(crate) const fn title(self) -> &'static str {
                match self {
                    $(Kind::$name => $title,)+
                }
            }

            /// The status of the answer.
            pub(crate) fn status(self) -> StatusCode {
                match self {
                    $(Kind::$name => StatusCode::$status,)+
                }
            }
        }
    };
}

kinds! {
    /// What arrived is no HTTP.
    MalformedRequest = BAD_REQUEST, "malformed-request", "Malformed request";
    /// A web page asked whether it may call in a way that it may not.
    PreflightRefused = BAD_REQUEST, "preflight-refused", "Preflight request refused";
    /// The body is no JSON.
    MalformedBody = BAD_REQUEST, "malformed-body", "Malformed body";
    /// Members, parameters or the path break a rule; `errors` names each.
    InvalidInput = BAD_REQUEST, "invalid-input", "Invalid input";
    /// No token, or one that is not good.
    Unauthenticated = UNAUTHORIZED, "unauthenticated", "Not signed in";
    /// Unknown address, wrong password or inactive user.
    BadCredentials = UNAUTHORIZED, "bad-credentials", "Wrong e-mail address or password";
    /// A refresh token that is unknown, malformed, expired, spent or revoked.
    UnusableRefreshToken = UNAUTHORIZED, "unusable-refresh-token", "Refresh token cannot be used";
    /// The role may not.
    Forbidden = FORBIDDEN, "forbidden", "Not allowed";
    /// The agent stands too low for an escalated ticket.
    AgentLevelTooLow = FORBIDDEN, "agent-level-too-low", "Agent level too low";
    /// No such route.
    UnknownRoute = NOT_FOUND, "unknown-route", "Unknown route";
    /// No such thing.
    NotFound = NOT_FOUND, "not-found", "Not found";
    /// The path is known, the method is not.
    MethodNotAllowed = METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed";
    /// Head or body took too long to arrive.
    SlowRequest = REQUEST_TIMEOUT, "slow-request", "Request took too long to arrive";
    /// The table of transitions has no such step.
    IllegalTransition = CONFLICT, "illegal-transition", "Illegal transition";
    /// Resolved and closed tickets have nobody to work on them.
    NotAssignable = CONFLICT, "not-assignable", "Ticket cannot be assigned";
    /// The address belongs to somebody else.
    EmailTaken = CONFLICT, "email-taken", "E-mail address taken";
    /// The last active administrator cannot go.
    LastAdmin = CONFLICT, "last-admin", "Last administrator";
    /// Another request with the same key is under way.
    RepeatInFlight = CONFLICT, "idempotency-key-in-flight", "Request with this idempotency key in flight";
    /// `If-Match` names another version.
    PreconditionFailed = PRECONDITION_FAILED, "precondition-failed", "Precondition failed";
    /// The body is too large.
    BodyTooLarge = PAYLOAD_TOO_LARGE, "body-too-large", "Body too large";
    /// The address is too long.
    UriTooLong = URI_TOO_LONG, "uri-too-long", "Address too long";
    /// The body is not what the route takes.
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "Unsupported media type";
    /// It refers to what does not exist or may not be used.
    UnusableReference = UNPROCESSABLE_ENTITY, "unusable-reference", "Unusable reference";
    /// The key was used for another request.
    RepeatDiffers = UNPROCESSABLE_ENTITY, "idempotency-key-reused", "Idempotency key used for another request";
    /// More requests than the caller may make.
    RateLimited = TOO_MANY_REQUESTS, "rate-limited", "Too many requests";
    /// Too many attempts to sign in.
    TooManyAttempts = TOO_MANY_REQUESTS, "too-many-attempts", "Too many attempts";
    /// The head is too large, or has too many fields.
    HeadTooLarge = REQUEST_HEADER_FIELDS_TOO_LARGE, "head-too-large", "Request head too large";
    /// A defect of ours.
    Internal = INTERNAL_SERVER_ERROR, "internal", "Internal error";
    /// The time for the request is over; nothing it did was kept.
    TimedOut = SERVICE_UNAVAILABLE, "timed-out", "Request timed out";
    /// Too many others wait already.
    Overloaded = SERVICE_UNAVAILABLE, "overloaded", "Overloaded";
    /// Something this needs is down.
    Unavailable = SERVICE_UNAVAILABLE, "unavailable", "Unavailable";
    /// Others kept getting in the way.
    Contention = SERVICE_UNAVAILABLE, "contention", "Contention";
    /// A part that this process cannot do without is missing; `failing` names it.
    NotReady = SERVICE_UNAVAILABLE, "not-ready", "Not ready";
}
