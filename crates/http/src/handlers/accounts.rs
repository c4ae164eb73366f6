//! Signing in and out, and who may.

use actix_web::HttpResponse;
use garde::Validate;
use serde::{Deserialize, Serialize};
use techsupport_application::{
    AppError,
    accounts::{self, Login, Register, Secret, SignedIn},
};
use techsupport_domain::{Role, User};

use super::rules;
use crate::{
    inbound::{Inbound, Member, optional, required},
    problem::{Kind, Problem},
    routes::Answer,
    state::State,
};

#[derive(Deserialize, Validate, Default)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct LoginBody {
    #[garde(custom(required(rules::something)))]
    email: Member<String>,
    #[garde(custom(required(rules::something)))]
    password: Member<String>,
}

#[derive(Deserialize, Validate, Default)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct RefreshTokenBody {
    // Any text: one that cannot be a token is answered like any other that cannot be used.
    #[garde(custom(required(rules::any_text)))]
    refresh_token: Member<String>,
}

#[derive(Deserialize, Validate, Default)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct RegisterBody {
    #[garde(custom(required(rules::email)))]
    email: Member<String>,
    #[garde(custom(required(rules::something)))]
    password: Member<String>,
    #[garde(custom(required(Role::parse)))]
    role: Member<String>,
    #[garde(custom(optional(rules::flag)))]
    active: Member<bool>,
}

/// No `Debug`: it holds two secrets.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TokenPairDto {
    access_token: String,
    refresh_token: String,
    token_type: &'static str,
    expires_in: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserDto {
    id: String,
    email: String,
    role: &'static str,
    active: bool,
}

impl From<User> for UserDto {
    fn from(user: User) -> Self {
        Self {
            id: user.id.to_string(),
            email: user.email.as_str().to_owned(),
            role: user.role.name(),
            active: user.active,
        }
    }
}

/// `POST /api/auth/login`
pub(crate) async fn login(mut inbound: Inbound) -> Answer {
    let body: LoginBody = inbound.json().await?;
    let command = Login {
        email: body.email.take(rules::something)?,
        password: Secret::new(body.password.take(rules::something)?),
        ip: inbound.address().map(|address| address.to_string()),
        user_agent: inbound.user_agent(),
    };
    let attempt = inbound.state().throttle.attempt(inbound.address(), &command.email.to_lowercase());
    attempt.map_err(|wait| {
        metrics::counter!("login_throttled_total").increment(1);
        Problem::new(Kind::TooManyAttempts, "too many attempts to sign in; wait a little").retry_after(wait)
    })?;
    let lifetime = inbound.state().refresh_lifetime;
    let who = inbound.run_hashing(move |ctx| accounts::login(ctx, &command, lifetime)).await?;
    pair(inbound.state(), &who)
}

/// `POST /api/auth/refresh`
pub(crate) async fn refresh(mut inbound: Inbound) -> Answer {
    let body: RefreshTokenBody = inbound.json().await?;
    let presented = Secret::new(body.refresh_token.take(rules::any_text)?);
    let lifetime = inbound.state().refresh_lifetime;
    let who = inbound.run_hashing(move |ctx| accounts::refresh(ctx, presented.reveal(), lifetime)).await?;
    pair(inbound.state(), &who)
}

/// `POST /api/auth/logout`
pub(crate) async fn log_out(mut inbound: Inbound) -> Answer {
    let body: RefreshTokenBody = inbound.json().await?;
    let presented = Secret::new(body.refresh_token.take(rules::any_text)?);
    inbound.run_hashing(move |ctx| accounts::log_out(ctx, presented.reveal())).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `POST /api/auth/register`
pub(crate) async fn register(mut inbound: Inbound) -> Answer {
    let body: RegisterBody = inbound.json().await?;
    let command = Register {
        email: body.email.take(rules::email)?,
        password: Secret::new(body.password.take(rules::something)?),
        role: body.role.take(Role::parse)?,
        active: body.active.take_optional(rules::flag)?.unwrap_or(true),
    };
    let user = inbound.run_hashing(move |ctx| accounts::register(ctx, &command)).await?;
    Ok(HttpResponse::Created().json(UserDto::from(user)))
}

/// `GET /api/auth/me`
pub(crate) async fn me(inbound: Inbound) -> Answer {
    let id = inbound.caller()?.user;
    let found = inbound
        .run(move |ctx| match accounts::who_is(ctx, id) {
            Ok(user) => Ok(Some(user)),
            Err(AppError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        })
        .await?;
    let user = found
        .ok_or_else(|| Problem::unauthenticated("the user of the access token is not there any more"))?;
    Ok(HttpResponse::Ok().json(UserDto::from(user)))
}

fn pair(state: &State, who: &SignedIn) -> Answer {
    let access_token = state.tokens.issue(who, (state.ports.new_id)(), (state.now)())?;
    Ok(HttpResponse::Ok().json(TokenPairDto {
        access_token,
        refresh_token: who.refresh_token.reveal().to_owned(),
        token_type: "Bearer",
        expires_in: state.tokens.lifetime_s(),
    }))
}
