//! Who has an account.

use techsupport_domain::{Role, User, UserId, text::Email};

use super::Secret;
use crate::{
    AppError, Ctx, FieldError,
    ports::{AuditAction, AuditEntry, AuditTarget, NewUser, UnitOfWorkExt},
};

/// Register a user.
#[derive(Debug, Clone)]
pub struct Register {
    /// Unique whatever its letter case.
    pub email: Email,
    /// 8 to 128 characters, any Unicode, not one that is tried first.
    pub password: Secret,
    /// What the user may do.
    pub role: Role,
    /// Whether the user may sign in.
    pub active: bool,
}

/// Registers a user. A taken e-mail address is a conflict.
pub fn register(ctx: Ctx<'_>, command: &Register) -> Result<User, AppError> {
    check_password(ctx, &command.password, "/password")?;
    let user = NewUser {
        id: UserId::new(ctx.new_id()),
        email: command.email.clone(),
        role: command.role,
        active: command.active,
        password_hash: ctx.ports.passwords.hash(command.password.reveal())?,
    };
    let entry = registered(ctx, &user);
    ctx.work.run_for(&ctx.call.budget, |tx| {
        tx.insert_user(&user)?;
        tx.audit(&entry)
    })?;
    Ok(User { id: user.id, email: user.email, role: user.role, active: user.active })
}

pub(super) fn registered(ctx: Ctx<'_>, user: &NewUser) -> AuditEntry {
    let entry = ctx.entry(AuditAction::UserRegistered, AuditTarget::User(user.id));
    entry.with("role", user.role.name()).with("active", user.active)
}

/// Refuses passwords that are too short, too long, or among those that are tried first (NIST SP 800-63B,
/// section 5.1.1.2). `pointer` names the member in the error.
pub fn check_password(ctx: Ctx<'_>, password: &Secret, pointer: &str) -> Result<(), AppError> {
    let length = password.reveal().chars().count();
    let wrong = if password.reveal().contains('\0') {
        "must not contain the NUL character"
    } else if !(8..=128).contains(&length) {
        "must have 8 to 128 characters"
    } else if password.reveal().trim().is_empty() {
        "must not be blank"
    } else if ctx.ports.passwords.is_common(password.reveal()) {
        "is among the most common passwords"
    } else {
        return Ok(());
    };
    Err(AppError::Invalid(vec![FieldError::new(pointer, wrong)]))
}
