//! A user's own logins.

use techsupport_domain::{SessionId, UserId};

use crate::{
    AppError, Ctx, Entity, Page, Paged,
    ports::{AuditAction, AuditTarget, SessionEnd, SessionRow, Sessions, UnitOfWorkExt},
};

/// A page of the user's logins that are not ended, newest first.
pub fn list_sessions(ctx: Ctx<'_>, user: UserId, page: Page) -> Result<Paged<SessionRow>, AppError> {
    ctx.ports.reader.sessions(&ctx.call.budget, user, page)
}

/// Ends one of the user's logins. Somebody else's is as unknown as one that never was, or is ended already.
pub fn end_session(ctx: Ctx<'_>, user: UserId, session: SessionId) -> Result<(), AppError> {
    let entry = ctx
        .entry(AuditAction::SessionRevoked, AuditTarget::User(user))
        .with("sessionId", session.to_string());
    ctx.work.run_for(&ctx.call.budget, |tx| {
        if tx.end_sessions(Sessions::OneOf(user, session), SessionEnd::Revoked)?.is_empty() {
            return Err(AppError::NotFound(Entity::Session));
        }
        tx.audit(&entry)
    })
}
