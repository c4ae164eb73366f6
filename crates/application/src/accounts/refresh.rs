//! Rotation of refresh tokens (RFC 9700, section 4.14.2): each works once; presenting a spent one ends the
//! whole login, because one of its two holders is not the user.

use std::time::Duration;

use techsupport_domain::SessionId;

use super::{RefreshToken, SignedIn, login::new_refresh_token};
use crate::{
    AppError, Ctx, Unauthenticated,
    ports::{TokenState, UnitOfWorkExt},
};

/// Exchanges a refresh token for a new pair. The slow comparison happens before anything is locked; what
/// counts is the state seen under the lock of the session.
pub fn refresh(ctx: Ctx<'_>, presented: &str, lifetime: Duration) -> Result<SignedIn, AppError> {
    let unusable = || AppError::Unauthenticated(Unauthenticated::UnusableRefreshToken);
    let token = RefreshToken::parse(presented).ok_or_else(unusable)?;
    let stored = authentic(ctx, &token)?.ok_or_else(unusable)?;
    let (next_token, next) = new_refresh_token(ctx, stored, lifetime)?;
    let user = ctx.work.run_for(&ctx.call.budget, |tx| {
        let Some(locked) = tx.lock_refresh_token(token.lookup())? else { return Ok(None) };
        match locked.state {
            TokenState::Usable => {
                tx.rotate(locked.id, &next)?;
                Ok(Some(locked.user))
            }
            TokenState::Spent => {
                tx.revoke_session(locked.session, "REUSE")?;
                Ok(None)
            }
            TokenState::Dead => Ok(None),
        }
    })?;
    // The revocation above is committed: refusing is the outcome of that transaction, not a failure in it.
    Ok(SignedIn { user: user.ok_or_else(unusable)?, session: next.session, refresh_token: next_token })
}

/// Ends the login a refresh token belongs to. Whatever is presented, the answer is the same: what cannot be
/// used needs no ending.
pub fn log_out(ctx: Ctx<'_>, presented: &str) -> Result<(), AppError> {
    let Some(token) = RefreshToken::parse(presented) else { return Ok(()) };
    match authentic(ctx, &token)? {
        Some(session) => ctx.work.run_for(&ctx.call.budget, |tx| tx.revoke_session(session, "LOGOUT")),
        None => Ok(()),
    }
}

/// The session of a token whose both halves are right. Nobody can end a login by guessing the first.
///
/// An unknown first half is refused without the slow comparison: it is 128 random bits, so that the time it
/// takes tells nobody anything, and whoever sends made-up tokens costs no more than a look into an index.
fn authentic(ctx: Ctx<'_>, token: &RefreshToken) -> Result<Option<SessionId>, AppError> {
    let Some(stored) = ctx.ports.reader.refresh_token(&ctx.call.budget, token.lookup())? else {
        return Ok(None);
    };
    let right = ctx.ports.passwords.verify(token.secret(), Some(&stored.secret_hash))?;
    Ok(right.then_some(stored.session))
}
