//! Signing in.

use std::time::Duration;

use serde_json::Map;
use techsupport_domain::{RefreshTokenId, SessionId, User, UserId, text::Email};

use super::{RefreshToken, Secret};
use crate::{
    AppError, Ctx, Unauthenticated,
    ports::{
        AuditAction, AuditActor, AuditEntry, AuditOutcome, AuditTarget, Credentials, NewRefreshToken,
        NewSession, UnitOfWorkExt,
    },
};

/// Sign in.
#[derive(Debug, Clone)]
pub struct Login {
    /// As it was typed; one that cannot be an address is answered like an unknown one.
    pub email: String,
    /// As it was typed.
    pub password: Secret,
    /// The caller's `User-Agent`.
    pub user_agent: Option<String>,
}

/// Somebody who has just shown who they are. The access token is made of this by the caller.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Who.
    pub user: User,
    /// In which login.
    pub session: SessionId,
    /// Works once, for the next pair.
    pub refresh_token: RefreshToken,
}

/// Signs in. Unknown address, wrong password and inactive user are one error, and take the same time: one look
/// for the user, one slow comparison, one entry in the audit log.
pub fn login(ctx: Ctx<'_>, command: &Login, refresh_lifetime: Duration) -> Result<SignedIn, AppError> {
    let found = user_of(ctx, &command.email)?;
    let hash = found.as_ref().map(|found| found.password_hash.as_str());
    let right = ctx.ports.passwords.verify(command.password.reveal(), hash)?;
    let known = match found {
        None => return refuse(ctx, None, "UNKNOWN_ADDRESS"),
        Some(found) if !right => return refuse(ctx, Some(found.user.id), "WRONG_PASSWORD"),
        Some(found) if !found.user.active => return refuse(ctx, Some(found.user.id), "INACTIVE"),
        Some(found) => found,
    };
    let session = NewSession {
        id: SessionId::new(ctx.new_id()),
        user: known.user.id,
        ip: ctx.call.origin.map(|address| address.to_string()),
        user_agent: command.user_agent.as_deref().map(|agent| agent.chars().take(400).collect()),
    };
    let (refresh_token, stored) = new_refresh_token(ctx, session.id, refresh_lifetime)?;
    let entry = AuditEntry {
        actor: AuditActor::User(session.user),
        ..ctx.entry(AuditAction::Login, AuditTarget::User(session.user))
    }
    .with("sessionId", session.id.to_string());
    // The comparison took its time. What counts is what holds now: a user who was deactivated, or got another
    // password, in between must not get in any more.
    let user = ctx.work.run_for(&ctx.call.budget, |tx| {
        let unchanged = |now: &Credentials| now.user.active && now.password_hash == known.password_hash;
        let Some(now) = tx.hold_user(session.user)?.filter(unchanged) else { return Ok(None) };
        tx.open_session(&session, &stored)?;
        tx.audit(&entry)?;
        Ok(Some(now.user))
    })?;
    match user {
        Some(user) => Ok(SignedIn { user, session: session.id, refresh_token }),
        None => refuse(ctx, Some(session.user), "CHANGED_MEANWHILE"),
    }
}

/// Writes down that somebody tries to sign in too often. Callers bound how often.
pub fn login_throttled(ctx: Ctx<'_>, email: &str) -> Result<(), AppError> {
    let user = user_of(ctx, email)?.map(|found| found.user.id);
    tell(ctx, &refusal(ctx, AuditAction::LoginThrottled, user))
}

/// How long an address is remembered from which somebody has signed in.
const FAMILIAR_FOR: Duration = Duration::from_hours(24 * 90);

/// Whether somebody has signed in to the account before from where the call comes from: guessing that goes on
/// elsewhere must not keep them out. Of IPv6 the network counts, because its owner may take any address of it.
pub fn is_familiar(ctx: Ctx<'_>, email: &str) -> Result<bool, AppError> {
    let (Ok(email), Some(origin)) = (Email::parse(email), ctx.call.origin) else { return Ok(false) };
    let prefix = if origin.is_ipv4() { 32 } else { 64 };
    ctx.ports.reader.has_signed_in_from(&ctx.call.budget, &email.folded(), (origin, prefix), FAMILIAR_FOR)
}

fn user_of(ctx: Ctx<'_>, email: &str) -> Result<Option<Credentials>, AppError> {
    match Email::parse(email) {
        Ok(email) => ctx.ports.reader.credentials(&ctx.call.budget, &email.folded()),
        Err(_) => Ok(None),
    }
}

fn refuse<T>(ctx: Ctx<'_>, user: Option<UserId>, reason: &str) -> Result<T, AppError> {
    tell(ctx, &refusal(ctx, AuditAction::Login, user).with("reason", reason))?;
    Err(AppError::Unauthenticated(Unauthenticated::BadCredentials))
}

fn tell(ctx: Ctx<'_>, entry: &AuditEntry) -> Result<(), AppError> {
    ctx.work.run(&ctx.call.budget, &mut |tx| tx.audit(entry))
}

/// The address that was typed is not kept: where no user has it, it may well be a password in the wrong field.
fn refusal(ctx: Ctx<'_>, action: AuditAction, user: Option<UserId>) -> AuditEntry {
    AuditEntry {
        id: ctx.new_id(),
        actor: AuditActor::Anonymous,
        action,
        target: user.map(AuditTarget::User),
        ip: ctx.call.origin,
        outcome: AuditOutcome::Failure,
        detail: Map::new(),
    }
}

/// A fresh token and what is kept of it.
pub(super) fn new_refresh_token(
    ctx: Ctx<'_>,
    session: SessionId,
    lifetime: Duration,
) -> Result<(RefreshToken, NewRefreshToken), AppError> {
    let mut bytes = [0_u8; 32];
    (ctx.ports.random)(&mut bytes);
    let token = RefreshToken::from_bytes(bytes);
    let stored = NewRefreshToken {
        id: RefreshTokenId::new(ctx.new_id()),
        session,
        lookup: token.lookup().to_owned(),
        secret_hash: ctx.ports.passwords.hash(token.secret())?,
        lifetime,
    };
    Ok((token, stored))
}
