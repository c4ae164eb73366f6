//! Real things to show, made by the same code that answers requests. `None` where a rule forbids what is written
//! here; a test holds that none of them is.

use std::time::Duration;

use techsupport_application::{AppError, Conflict, Entity, FieldError, Unauthenticated};
use techsupport_domain::{
    Agent, AgentId, AgentLevel, Client, ClientId, ClientTier, PolicyVersionId, Role, TicketId, User, UserId,
    sla::default_policy,
    text::{Company, Description, Email, PersonName, Title},
    ticket::{NewTicket, Priority, Refusal, Status, Tags, Ticket, TicketNumber},
};
use time::{OffsetDateTime, macros::datetime};
use uuid::Uuid;

use crate::{
    inbound::check_json,
    problem::{InputError, Kind, Place, Problem},
};

/// When everything here happened.
pub(crate) const AT: OffsetDateTime = datetime!(2026-02-12 20:45:23.123 UTC);
/// The request id of every problem shown.
pub(crate) const REQUEST_ID: &str = "019c5391-5f53-7a10-8d1c-2f9a6f0e4b77";

/// An id like those that are made here. The same number always gives the same one.
pub(crate) const fn id(number: u16) -> Uuid {
    Uuid::from_u128(0x019c_5391_5f53_7a10_8d1c_2f9a_6f0e_0000 | number as u128)
}

/// An agent's level.
const LEVEL: i64 = 2;

/// A user.
pub(crate) fn user() -> Option<User> {
    let email = Email::parse("ana@example.org").ok()?;
    Some(User { id: UserId::new(id(1)), email, role: Role::Agent, active: true })
}

/// A client.
pub(crate) fn client() -> Option<Client> {
    Some(Client {
        id: ClientId::new(id(2)),
        name: PersonName::parse("Carla Gómez").ok()?,
        email: Email::parse("carla@acme.example").ok()?,
        tier: ClientTier::Vip,
        company: Company::parse("ACME").ok()?,
        created_at: AT,
    })
}

/// An agent.
pub(crate) fn agent() -> Option<Agent> {
    Some(Agent {
        id: AgentId::new(id(3)),
        name: PersonName::parse("Ana Pérez").ok()?,
        email: Email::parse("ana@example.org").ok()?,
        level: AgentLevel::parse(LEVEL).ok()?,
        active: true,
        user: Some(UserId::new(id(1))),
    })
}

/// A new ticket.
pub(crate) fn ticket() -> Option<Ticket> {
    let new = NewTicket {
        id: TicketId::new(id(4)),
        number: TicketNumber::new(42),
        title: Title::parse("Printer on fire").ok()?,
        description: Description::parse("It burns, and it is not warm enough to be left alone.").ok()?,
        priority: Priority::default(),
        tags: Tags::parse(["printer"]).ok()?,
        client: ClientId::new(id(2)),
        tier: ClientTier::Vip,
        policy: default_policy(PolicyVersionId::new(id(5)), ClientTier::Vip),
    };
    Some(Ticket::open(new, AT).state)
}

/// The same ticket after a step.
pub(crate) fn ticket_in(status: Status) -> Option<Ticket> {
    ticket()?.transition(status, AT + Duration::from_mins(5)).ok().map(|moved| moved.state)
}

/// A problem of each kind, as it could happen anywhere.
pub(super) fn problem(kind: Kind) -> Problem {
    match kind {
        Kind::MalformedRequest => Problem::new(kind, "the body broke off or is not properly framed"),
        Kind::PreflightRefused => {
            let detail = "pages of this origin may not call, or not with this method or these headers";
            Problem::new(kind, detail)
        }
        Kind::MalformedBody => check_json(b"{\"title\": }").err().unwrap_or_else(Problem::internal),
        Kind::InvalidInput => Problem::invalid(vec![InputError {
            place: Place::Parameter("colour".to_owned()),
            detail: "is not known here".to_owned(),
        }]),
        Kind::Unauthenticated => Problem::unauthenticated("an access token is needed"),
        Kind::BadCredentials => AppError::Unauthenticated(Unauthenticated::BadCredentials).into(),
        Kind::UnusableRefreshToken => AppError::Unauthenticated(Unauthenticated::UnusableRefreshToken).into(),
        Kind::Forbidden => Problem::new(kind, format!("the role {} may not do this", Role::Agent.name())),
        Kind::AgentLevelTooLow => AppError::Refused(Refusal::AgentLevelTooLow {
            agent: AgentId::new(id(3)),
            required: AgentLevel::FOR_ESCALATED,
        })
        .into(),
        Kind::UnknownRoute => Problem::new(kind, "there is nothing here"),
        Kind::NotFound => AppError::NotFound(Entity::Ticket).into(),
        Kind::MethodNotAllowed => Problem {
            allow: Some("GET, POST, HEAD, OPTIONS".to_owned()),
            ..Problem::new(kind, "this path knows GET, POST, HEAD, OPTIONS")
        },
        Kind::SlowRequest => Problem::new(kind, "the body took too long to arrive"),
        Kind::IllegalTransition => AppError::Refused(Refusal::IllegalTransition {
            from: Status::Open,
            to: Status::Closed,
            allowed: vec![Status::InProgress, Status::Escalated],
        })
        .into(),
        Kind::NotAssignable => AppError::Refused(Refusal::NotAssignable { status: Status::Closed }).into(),
        Kind::EmailTaken => AppError::Conflict(Conflict::EmailTaken(Entity::User)).into(),
        Kind::LastAdmin => AppError::Conflict(Conflict::LastAdmin).into(),
        Kind::RepeatInFlight => AppError::Conflict(Conflict::RepeatInFlight).into(),
        Kind::PreconditionFailed => AppError::Stale.into(),
        Kind::BodyTooLarge => Problem::new(kind, "the body must not have more than 1048576 bytes"),
        Kind::UriTooLong => Problem::new(kind, "the address is too long"),
        Kind::UnsupportedMediaType => Problem::new(kind, "the body must be application/json"),
        Kind::UnusableReference => {
            AppError::Unprocessable(vec![FieldError::new("/clientId", "there is no such client")]).into()
        }
        Kind::RepeatDiffers => AppError::RepeatDiffers.into(),
        Kind::RateLimited => {
            Problem::new(kind, "too many requests; wait a little").retry_after(Duration::from_secs(1))
        }
        Kind::TooManyAttempts => Problem::new(kind, "too many attempts to sign in; wait a little")
            .retry_after(Duration::from_secs(6)),
        Kind::HeadTooLarge => {
            Problem::new(kind, "the head of the request is too large or has too many fields")
        }
        Kind::Internal => Problem::internal(),
        Kind::TimedOut => Problem::timed_out(),
        Kind::Overloaded => Problem::new(kind, "too many requests are waiting already"),
        Kind::Unavailable => Problem::unavailable(Duration::from_secs(1)),
        Kind::Contention => Problem::contention(),
        Kind::NotReady => {
            Problem { failing: Some("broker"), ..Problem::new(kind, "the broker cannot be reached") }
        }
    }
}
