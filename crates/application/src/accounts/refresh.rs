//! Rotation of refresh tokens (RFC 9700, section 4.14.2): each works once; presenting a spent one ends the
//! whole login, because one of its two holders is not the user.

use std::time::Duration;

use techsupport_domain::{SessionId, UserId};

use super::{RefreshToken, SignedIn, login::new_refresh_token};
use crate::{
    AppError, Ctx, Unauthenticated,
    ports::{
        AuditAction, AuditActor, AuditEntry, AuditOutcome, AuditTarget, SessionEnd, Sessions,
        StoredRefreshToken, TokenState, UnitOfWorkExt,
    },
};

/// What became of a refresh token that was authentic.
#[derive(Debug, Clone)]
pub enum Refreshed {
    /// It is exchanged for a new pair.
    Pair(SignedIn),
    /// It had been used before. That has ended the login; whoever presented it is refused.
    Reused(SessionId),
}

/// Exchanges a refresh token for a new pair. The slow comparison happens before anything is locked; what
/// counts is the state seen under the lock of the session.
pub fn refresh(ctx: Ctx<'_>, presented: &str, lifetime: Duration) -> Result<Refreshed, AppError> {
    let unusable = || AppError::Unauthenticated(Unauthenticated::UnusableRefreshToken);
    let token = RefreshToken::parse(presented).ok_or_else(unusable)?;
    let stored = authentic(ctx, &token)?.ok_or_else(unusable)?;
    let (next_token, next) = new_refresh_token(ctx, stored.session, lifetime)?;
    let reuse = AuditEntry {
        actor: AuditActor::Anonymous,
        outcome: AuditOutcome::Failure,
        ..of_session(ctx, AuditAction::RefreshReuse, &stored)
    };
    let turned = ctx.work.run_for(&ctx.call.budget, |tx| {
        let Some(locked) = tx.lock_refresh_token(token.lookup())? else { return Ok(None) };
        match locked.state {
            TokenState::Usable => {
                tx.rotate(locked.id, &next)?;
                Ok(Some(Some(locked.user)))
            }
            TokenState::Spent => {
                tx.end_sessions(Sessions::One(locked.session), SessionEnd::Reuse)?;
                tx.audit(&reuse)?;
                Ok(Some(None))
            }
            TokenState::Dead => Ok(None),
        }
    })?;
    // The end of the login is committed: refusing is the outcome of that transaction, not a failure in it.
    Ok(match turned.ok_or_else(unusable)? {
        Some(user) => Refreshed::Pair(SignedIn { user, session: next.session, refresh_token: next_token }),
        None => Refreshed::Reused(next.session),
    })
}

/// Ends the login a refresh token belongs to, and names it. Whatever is presented, the answer is the same: what
/// cannot be used needs no ending.
pub fn log_out(ctx: Ctx<'_>, presented: &str) -> Result<Option<SessionId>, AppError> {
    let Some(token) = RefreshToken::parse(presented) else { return Ok(None) };
    let Some(stored) = authentic(ctx, &token)? else { return Ok(None) };
    let entry = AuditEntry {
        actor: AuditActor::User(stored.user.id),
        ..of_session(ctx, AuditAction::Logout, &stored)
    };
    ctx.work.run_for(&ctx.call.budget, |tx| {
        // A second time there is nothing to tell.
        if !tx.end_sessions(Sessions::One(stored.session), SessionEnd::Logout)?.is_empty() {
            tx.audit(&entry)?;
        }
        Ok(())
    })?;
    Ok(Some(stored.session))
}

fn of_session(ctx: Ctx<'_>, action: AuditAction, token: &StoredRefreshToken) -> AuditEntry {
    let user: UserId = token.user.id;
    ctx.entry(action, AuditTarget::User(user)).with("sessionId", token.session.to_string())
}

/// A token whose both halves are right, as it is stored. Nobody can end a login by guessing the first.
///
/// An unknown first half is refused without the slow comparison: it is 128 random bits, so that the time it
/// takes tells nobody anything, and whoever sends made-up tokens costs no more than a look into an index.
fn authentic(ctx: Ctx<'_>, token: &RefreshToken) -> Result<Option<StoredRefreshToken>, AppError> {
    let Some(stored) = ctx.ports.reader.refresh_token(&ctx.call.budget, token.lookup())? else {
        return Ok(None);
    };
    let right = ctx.ports.passwords.verify(token.secret(), Some(&stored.secret_hash))?;
    Ok(right.then_some(stored))
}
