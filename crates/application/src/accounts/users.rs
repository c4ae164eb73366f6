//! Users, as administrators keep them.

use serde_json::json;
use techsupport_domain::{Role, SessionId, User, UserId};

use crate::{
    AppError, Conflict, Ctx, Entity, Page, Paged,
    ports::{AuditAction, AuditTarget, SessionEnd, Sessions, UnitOfWorkExt, UserFilter},
};

/// A user, as stored now.
pub fn who_is(ctx: Ctx<'_>, id: UserId) -> Result<User, AppError> {
    ctx.ports.reader.user(&ctx.call.budget, id)?.ok_or(AppError::NotFound(Entity::User))
}

/// A page of users, newest first.
pub fn list_users(ctx: Ctx<'_>, filter: &UserFilter, page: Page) -> Result<Paged<User>, AppError> {
    ctx.ports.reader.users(&ctx.call.budget, filter, page)
}

/// Change a user. What is `None` stays.
#[derive(Debug, Clone, Copy)]
pub struct ChangeUser {
    /// Who.
    pub id: UserId,
    /// What the user may do.
    pub role: Option<Role>,
    /// Whether the user may sign in.
    pub active: Option<bool>,
}

/// A user after a change.
#[derive(Debug, Clone)]
pub struct ChangedUser {
    /// The user.
    pub user: User,
    /// The logins that this has ended.
    pub ended: Vec<SessionId>,
}

/// Changes a user. Another role, or none any more, ends every login of the user: the access tokens tell of rights
/// that are gone. The last active administrator stays one.
pub fn change_user(ctx: Ctx<'_>, command: &ChangeUser) -> Result<ChangedUser, AppError> {
    let target = AuditTarget::User(command.id);
    let role_changed = ctx.entry(AuditAction::RoleChanged, target);
    let activity_changed = match command.active {
        Some(false) => ctx.entry(AuditAction::UserDeactivated, target),
        Some(true) | None => ctx.entry(AuditAction::UserActivated, target),
    };
    let may_cost_an_admin = command.active == Some(false) || command.role.is_some_and(|r| r != Role::Admin);
    ctx.work.run_for(&ctx.call.budget, |tx| {
        if may_cost_an_admin {
            tx.lock_admins()?;
        }
        let before = tx.lock_user(command.id)?.ok_or(AppError::NotFound(Entity::User))?.user;
        let user = User {
            role: command.role.unwrap_or(before.role),
            active: command.active.unwrap_or(before.active),
            ..before.clone()
        };
        if before.is_active_admin() && !user.is_active_admin() && !tx.has_other_admin(command.id)? {
            return Err(AppError::Conflict(Conflict::LastAdmin));
        }
        let (new_role, new_activity) = (user.role != before.role, user.active != before.active);
        if !new_role && !new_activity {
            return Ok(ChangedUser { user, ended: Vec::new() });
        }
        tx.update_user(&user)?;
        let why = if user.active { SessionEnd::RoleChanged } else { SessionEnd::Deactivated };
        let ended = tx.end_sessions(Sessions::AllOf(command.id), why)?;
        if new_role {
            let told = role_changed.clone().with("before", json!({"role": before.role.name()}));
            tx.audit(&told.with("after", json!({"role": user.role.name()})))?;
        }
        if new_activity {
            tx.audit(&activity_changed.clone().with("sessionsEnded", ended.len()))?;
        }
        Ok(ChangedUser { user, ended })
    })
}
