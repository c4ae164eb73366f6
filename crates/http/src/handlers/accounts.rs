//! Signing in and out, and who may.

use std::time::Duration;

use actix_web::{HttpResponse, http::header};
use garde::Validate;
use serde::{Deserialize, Serialize};
use serde_json::json;
use techsupport_application::{
    AppError, Unauthenticated,
    accounts::{self, Login, RefreshToken, Refreshed, Register, Secret, SignedIn},
};
use techsupport_domain::{Role, User};
use utoipa::ToSchema;

use super::rules;
use crate::{
    inbound::{Inbound, Member, optional, required},
    openapi::{Operation, Tag, samples, terms},
    problem::{Kind, Problem},
    routes::Answer,
    state::State,
};

#[derive(Deserialize, Validate, Default, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schema(as = Credentials)]
struct LoginBody {
    #[garde(custom(required(rules::something)))]
    #[schema(required, schema_with = terms::something)]
    email: Member<String>,
    #[garde(custom(required(rules::something)))]
    #[schema(required, schema_with = terms::password)]
    password: Member<String>,
}

#[derive(Deserialize, Validate, Default, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schema(as = PresentedRefreshToken)]
struct RefreshTokenBody {
    // Any text: one that cannot be a token is answered like any other that cannot be used.
    #[garde(custom(required(rules::any_text)))]
    #[schema(required, schema_with = terms::presented_refresh_token)]
    refresh_token: Member<String>,
}

#[derive(Deserialize, Validate, Default, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schema(as = NewUser)]
struct RegisterBody {
    #[garde(custom(required(rules::email)))]
    #[schema(required, schema_with = terms::email)]
    email: Member<String>,
    #[garde(custom(required(rules::new_password)))]
    #[schema(required, schema_with = terms::new_password)]
    password: Member<String>,
    #[garde(custom(required(Role::parse)))]
    #[schema(required, schema_with = terms::role_given)]
    role: Member<String>,
    #[garde(custom(optional(rules::flag)))]
    #[schema(schema_with = terms::or_null::active)]
    active: Member<bool>,
}

/// No `Debug`: it holds two secrets.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TokenPair)]
struct TokenPairDto {
    #[schema(required, schema_with = terms::access_token)]
    access_token: String,
    #[schema(required, schema_with = terms::refresh_token)]
    refresh_token: String,
    #[schema(required, schema_with = terms::token_type)]
    token_type: &'static str,
    #[schema(required, schema_with = terms::expires_in)]
    expires_in: u64,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = User)]
pub(super) struct UserDto {
    #[schema(required, schema_with = terms::id)]
    id: String,
    #[schema(required, schema_with = terms::email)]
    email: String,
    #[schema(required, schema_with = terms::role)]
    role: &'static str,
    #[schema(required, schema_with = terms::active)]
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
        user_agent: inbound.user_agent(),
    };
    if let Err(wait) = attempt(&inbound, &command.email).await? {
        tell_of_throttling(&inbound, command.email).await;
        return Err(too_many_attempts(wait));
    }
    let lifetime = inbound.state().refresh_lifetime;
    let who = inbound.run_hashing(move |ctx| accounts::login(ctx, &command, lifetime)).await?;
    pair(inbound.state(), &who)
}

/// Counts an attempt to sign in; the inner error says how long to wait.
async fn attempt(inbound: &Inbound, email: &str) -> Result<Result<(), Duration>, Problem> {
    let (throttle, account) = (&inbound.state().throttle, email.to_lowercase());
    let counted = throttle.attempt(inbound.address(), &account);
    let Err(wait) = counted.and_then(|()| throttle.attempt_from_anywhere(&account)) else {
        return Ok(Ok(()));
    };
    if counted.is_err() {
        return Ok(Err(wait));
    }
    let email = email.to_owned();
    let familiar = inbound.run(move |ctx| accounts::is_familiar(ctx, &email)).await?;
    Ok(if familiar { Ok(()) } else { Err(wait) })
}

/// Counts a use of a refresh token. What is no token costs nothing, and is not counted here.
fn count_use(inbound: &Inbound, presented: &Secret) -> Result<(), Problem> {
    let Some(token) = RefreshToken::parse(presented.reveal()) else { return Ok(()) };
    inbound.state().throttle.token(token.lookup()).map_err(too_many_attempts)
}

/// `POST /api/auth/refresh`
pub(crate) async fn refresh(mut inbound: Inbound) -> Answer {
    let body: RefreshTokenBody = inbound.json().await?;
    let presented = Secret::new(body.refresh_token.take(rules::any_text)?);
    count_use(&inbound, &presented)?;
    let lifetime = inbound.state().refresh_lifetime;
    match inbound.run_hashing(move |ctx| accounts::refresh(ctx, presented.reveal(), lifetime)).await? {
        Refreshed::Pair(who) => pair(inbound.state(), &who),
        Refreshed::Reused(session) => {
            inbound.state().revocations.add([session]);
            Err(AppError::Unauthenticated(Unauthenticated::UnusableRefreshToken).into())
        }
    }
}

/// `POST /api/auth/logout`
pub(crate) async fn log_out(mut inbound: Inbound) -> Answer {
    let body: RefreshTokenBody = inbound.json().await?;
    let presented = Secret::new(body.refresh_token.take(rules::any_text)?);
    count_use(&inbound, &presented)?;
    let ended = inbound.run_hashing(move |ctx| accounts::log_out(ctx, presented.reveal())).await?;
    inbound.state().revocations.add(ended);
    Ok(HttpResponse::NoContent().finish())
}

/// `POST /api/auth/register`
pub(crate) async fn register(mut inbound: Inbound) -> Answer {
    let body: RegisterBody = inbound.json().await?;
    let command = Register {
        email: body.email.take(rules::email)?,
        password: Secret::new(body.password.take(rules::new_password)?),
        role: body.role.take(Role::parse)?,
        active: body.active.take_optional(rules::flag)?.unwrap_or(true),
    };
    let user = inbound.run_hashing(move |ctx| accounts::register(ctx, &command)).await?;
    let location = format!("/api/auth/users/{}", user.id);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, location)).json(UserDto::from(user)))
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

/// A few of the refusals are written down. Whether that works makes no difference to the answer.
async fn tell_of_throttling(inbound: &Inbound, email: String) {
    if inbound.state().throttle.is_worth_telling(inbound.address()) {
        let told = inbound.run(move |ctx| accounts::login_throttled(ctx, &email)).await;
        if told.is_err() {
            tracing::warn!("a throttled login could not be written to the audit log");
        }
    }
}

pub(super) fn too_many_attempts(wait: Duration) -> Problem {
    metrics::counter!("login_throttled_total").increment(1);
    Problem::new(Kind::TooManyAttempts, "too many attempts to sign in; wait a little").retry_after(wait)
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

/// How tokens look. These are of nobody and open nothing.
fn sample_pair() -> TokenPairDto {
    TokenPairDto {
        access_token: "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIn0.e30.c2FtcGxl".to_owned(),
        refresh_token: "0123456789abcdef".repeat(4),
        token_type: "Bearer",
        expires_in: 900,
    }
}

pub(crate) fn login_docs() -> Operation {
    Operation::new("login", Tag::Authentication, "Sign in")
        .about(
            "Unknown address, wrong password and inactive user get one and the same answer, after the same time. \
             Attempts are limited by address, by account from one address, and by account from everywhere but the \
             addresses it was signed in to from before, so that nobody can lock the owner out.",
        )
        .takes::<LoginBody>(json!({"email": "ana@example.org", "password": "correct horse battery"}))
        .answers(200, "Signed in.", Some(sample_pair()))
        .leads_to_body("refresh", "refreshTokens", json!({"refreshToken": "$response.body#/refreshToken"}))
        .leads_to_body("logout", "logout", json!({"refreshToken": "$response.body#/refreshToken"}))
        .refuses(Kind::BadCredentials)
        .refuses(Kind::TooManyAttempts)
}

pub(crate) fn refresh_docs() -> Operation {
    Operation::new("refreshTokens", Tag::Authentication, "Trade a refresh token for a new pair")
        .about(
            "The token is spent. Presenting it again is refused, and ends every session that came from the same login. \
             An `Authorization` header, even an expired one, is ignored.",
        )
        .takes::<RefreshTokenBody>(json!({"refreshToken": "0123456789abcdef".repeat(4)}))
        .answers(200, "A new pair.", Some(sample_pair()))
        .refuses(Kind::UnusableRefreshToken)
        .refuses(Kind::TooManyAttempts)
}

pub(crate) fn log_out_docs() -> Operation {
    Operation::new("logout", Tag::Authentication, "Sign out")
        .about("Needs only the refresh token, and is done also when that cannot be used any more.")
        .takes::<RefreshTokenBody>(json!({"refreshToken": "0123456789abcdef".repeat(4)}))
        .empty(204, "Signed out.")
        .refuses(Kind::TooManyAttempts)
}

pub(crate) fn register_docs() -> Operation {
    Operation::new("registerUser", Tag::Users, "Register a user")
        .takes::<RegisterBody>(json!({
            "email": "ana@example.org", "password": "correct horse battery", "role": "AGENT"
        }))
        .answers(201, "The new user.", samples::user().map(UserDto::from))
        .with_location("/api/auth/users/{id}")
        .leads_to("show", "showUser", "id", "$response.body#/id")
        .refuses(Kind::EmailTaken)
}

pub(crate) fn me_docs() -> Operation {
    Operation::new("whoAmI", Tag::Authentication, "Who is signed in").answers(
        200,
        "The caller.",
        samples::user().map(UserDto::from),
    )
}
