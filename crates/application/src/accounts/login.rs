//! Signing in.

use std::time::Duration;

use techsupport_domain::{RefreshTokenId, SessionId, User, text::Email};

use super::{RefreshToken, Secret};
use crate::{
    AppError, Ctx, Unauthenticated,
    ports::{NewRefreshToken, NewSession, UnitOfWorkExt},
};

/// Sign in.
#[derive(Debug, Clone)]
pub struct Login {
    /// As it was typed; one that cannot be an address is answered like an unknown one.
    pub email: String,
    /// As it was typed.
    pub password: Secret,
    /// The caller's address, as far as it is known.
    pub ip: Option<String>,
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

/// Signs in. Unknown address, wrong password and inactive user are one error, and take the same time.
pub fn login(ctx: Ctx<'_>, command: &Login, refresh_lifetime: Duration) -> Result<SignedIn, AppError> {
    let budget = &ctx.call.budget;
    let found = match Email::parse(command.email.as_str()) {
        Ok(email) => ctx.ports.reader.credentials(budget, &email.folded())?,
        Err(_) => None,
    };
    let hash = found.as_ref().map(|found| found.password_hash.as_str());
    let right = ctx.ports.passwords.verify(command.password.reveal(), hash)?;
    let user = match found {
        Some(found) if right && found.user.active => found.user,
        Some(_) | None => return Err(AppError::Unauthenticated(Unauthenticated::BadCredentials)),
    };
    let session = NewSession {
        id: SessionId::new(ctx.new_id()),
        user: user.id,
        ip: command.ip.clone(),
        user_agent: command.user_agent.as_deref().map(|agent| agent.chars().take(400).collect()),
    };
    let (refresh_token, stored) = new_refresh_token(ctx, session.id, refresh_lifetime)?;
    ctx.work.run_for(budget, |tx| tx.open_session(&session, &stored))?;
    Ok(SignedIn { user, session: session.id, refresh_token })
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
