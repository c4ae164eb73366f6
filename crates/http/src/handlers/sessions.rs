//! A user's own logins, and the password that opens them.

use actix_web::HttpResponse;
use garde::Validate;
use serde::{Deserialize, Serialize};
use serde_json::json;
use techsupport_application::{
    AppError, Entity, FieldError, SortedBy,
    accounts::{self, ChangePassword, Secret},
    ports::SessionRow,
    wire_time,
};
use techsupport_domain::SessionId;
use utoipa::ToSchema;

use super::{accounts::too_many_attempts, list::List, rules};
use crate::{
    inbound::{Inbound, Member, Parameters, optional, required},
    openapi::{Operation, Tag, samples, terms},
    problem::Kind,
    routes::Answer,
};

#[derive(Deserialize, Validate, Default, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct SessionQuery {
    #[garde(custom(optional(rules::page_number)))]
    #[schema(schema_with = terms::page)]
    page: Member<String>,
    #[garde(custom(optional(rules::page_size)))]
    #[schema(schema_with = terms::page_size)]
    page_size: Member<String>,
    #[garde(custom(optional(rules::cursor)))]
    #[schema(schema_with = terms::cursor)]
    cursor: Member<String>,
}

impl Parameters for SessionQuery {}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Session)]
struct SessionDto {
    #[schema(required, schema_with = terms::id)]
    id: String,
    #[schema(required, schema_with = terms::moment)]
    created_at: String,
    #[schema(required, schema_with = terms::moment)]
    last_used_at: String,
    #[schema(required, schema_with = terms::or_null::ip)]
    ip: Option<String>,
    #[schema(required, schema_with = terms::or_null::any_text)]
    user_agent: Option<String>,
    #[schema(required, schema_with = terms::current_session)]
    current: bool,
}

impl SessionDto {
    /// `current` is the login that asks.
    fn of(row: SessionRow, current: SessionId) -> Self {
        Self {
            id: row.id.to_string(),
            created_at: wire_time::format(row.created_at),
            last_used_at: wire_time::format(row.last_used_at),
            ip: row.ip,
            user_agent: row.user_agent,
            current: row.id == current,
        }
    }
}

#[derive(Deserialize, Validate, Default, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schema(as = PasswordChange)]
struct PasswordBody {
    #[garde(custom(required(rules::something)))]
    #[schema(required, schema_with = terms::password)]
    current_password: Member<String>,
    #[garde(custom(required(rules::new_password)))]
    #[schema(required, schema_with = terms::new_password)]
    new_password: Member<String>,
}

/// `GET /api/auth/sessions`
pub(crate) async fn list(inbound: Inbound) -> Answer {
    let query: SessionQuery = inbound.query()?;
    let list = List::asked(&inbound, &query.page, &query.page_size, &query.cursor, SortedBy::Time)?;
    let (user, current) = (inbound.caller()?.user, inbound.caller()?.session);
    let paged = inbound.run(move |ctx| accounts::list_sessions(ctx, user, list.page)).await?;
    Ok(list.answer(paged, |row| SessionDto::of(row, current)))
}

/// `DELETE /api/auth/sessions/{id}`
pub(crate) async fn end(inbound: Inbound) -> Answer {
    let (user, session) = (inbound.caller()?.user, inbound.id(SessionId::new)?);
    inbound.run(move |ctx| accounts::end_session(ctx, user, session)).await?;
    inbound.state().revocations.add([session]);
    Ok(HttpResponse::NoContent().finish())
}

/// `POST /api/auth/password`
pub(crate) async fn change_password(mut inbound: Inbound) -> Answer {
    let body: PasswordBody = inbound.json().await?;
    let command = ChangePassword {
        user: inbound.caller()?.user,
        session: inbound.caller()?.session,
        current: Secret::new(body.current_password.take(rules::something)?),
        new: Secret::new(body.new_password.take(rules::new_password)?),
    };
    // Whoever has found an unlocked screen must not be able to guess here what a login would not let them guess.
    let attempt = inbound.state().throttle.attempt(inbound.address(), &command.user.to_string());
    attempt.map_err(too_many_attempts)?;
    let ended = inbound.run_hashing(move |ctx| accounts::change_password(ctx, &command)).await?;
    inbound.state().revocations.add(ended);
    Ok(HttpResponse::NoContent().finish())
}

pub(crate) fn list_docs() -> Operation {
    let sample = SessionDto {
        id: samples::id(8).to_string(),
        created_at: wire_time::format(samples::AT),
        last_used_at: wire_time::format(samples::AT),
        ip: Some("192.0.2.7".to_owned()),
        user_agent: Some("Mozilla/5.0".to_owned()),
        current: true,
    };
    Operation::new("listSessions", Tag::Authentication, "The caller's logins")
        .about("Newest first: those that are not ended and can still be refreshed.")
        .asks::<SessionQuery>()
        .lists(Some(sample))
}

pub(crate) fn end_docs() -> Operation {
    Operation::new("endSession", Tag::Authentication, "End a login")
        .about(
            "Its tokens are refused everywhere within a second. The login that asks may end itself. Somebody else's is \
             not found, nor is one that is ended already.",
        )
        .empty(204, "Ended.")
        .refuses_with(AppError::NotFound(Entity::Session))
}

pub(crate) fn change_password_docs() -> Operation {
    let wrong = FieldError::new("/currentPassword", "is not the current password");
    Operation::new("changePassword", Tag::Authentication, "Change the own password")
        .about(
            "Every other login of the caller ends; this one goes on. Attempts are limited as at the login.",
        )
        .takes::<PasswordBody>(json!({
            "currentPassword": "correct horse battery", "newPassword": "another horse, another battery"
        }))
        .empty(204, "Changed.")
        .refuses_with(AppError::Unprocessable(vec![wrong]))
        .refuses(Kind::TooManyAttempts)
}
