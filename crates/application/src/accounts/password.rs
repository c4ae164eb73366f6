//! Another password.

use techsupport_domain::{SessionId, UserId};

use super::{Secret, check_password};
use crate::{
    AppError, Ctx, Unauthenticated,
    ports::{AuditAction, AuditEntry, AuditOutcome, AuditTarget, SessionEnd, Sessions, UnitOfWorkExt},
};

/// Change the own password.
#[derive(Debug, Clone)]
pub struct ChangePassword {
    /// Who.
    pub user: UserId,
    /// In which login: the one that goes on.
    pub session: SessionId,
    /// As it was typed.
    pub current: Secret,
    /// 8 to 128 characters, any Unicode, not one that is tried first.
    pub new: Secret,
}

/// Changes the password and ends every other login of the user; returns those. A wrong current password is
/// unprocessable.
pub fn change_password(ctx: Ctx<'_>, command: &ChangePassword) -> Result<Vec<SessionId>, AppError> {
    check_password(ctx, &command.new, "/newPassword")?;
    let gone = || AppError::Unauthenticated(Unauthenticated::SessionEnded);
    let known = ctx.ports.reader.credentials_of(&ctx.call.budget, command.user)?.ok_or_else(gone)?;
    if !ctx.ports.passwords.verify(command.current.reveal(), Some(&known.password_hash))? {
        return refuse(ctx, command.user);
    }
    let hash = ctx.ports.passwords.hash(command.new.reveal())?;
    let entry = ctx.entry(AuditAction::PasswordChanged, AuditTarget::User(command.user));
    let ended = ctx.work.run_for(&ctx.call.budget, |tx| {
        let now = tx.lock_user(command.user)?.filter(|now| now.user.active).ok_or_else(gone)?;
        // Somebody else was faster: the password that was compared is not the current one any more.
        if now.password_hash != known.password_hash {
            return Ok(None);
        }
        tx.set_password(command.user, &hash)?;
        let others = Sessions::OthersOf(command.user, command.session);
        let ended = tx.end_sessions(others, SessionEnd::PasswordChanged)?;
        tx.audit(&entry.clone().with("sessionsEnded", ended.len()))?;
        Ok(Some(ended))
    })?;
    ended.map_or_else(|| refuse(ctx, command.user), Ok)
}

fn refuse<T>(ctx: Ctx<'_>, user: UserId) -> Result<T, AppError> {
    let entry = AuditEntry {
        outcome: AuditOutcome::Failure,
        ..ctx.entry(AuditAction::PasswordChanged, AuditTarget::User(user))
    };
    ctx.work.run_for(&ctx.call.budget, |tx| tx.audit(&entry))?;
    Err(AppError::unprocessable("/currentPassword", "is not the current password"))
}
