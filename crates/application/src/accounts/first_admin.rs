//! The administrator of a new installation.

use techsupport_domain::{Role, UserId, text::Email};

use super::{Secret, register::registered};
use crate::{
    AppError, Ctx,
    ports::{NewUser, UnitOfWorkExt},
};

/// Whether the first administrator was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstAdmin {
    /// There is one; nothing was done, and the password was not looked at.
    Existed,
    /// It was created with the password.
    Created,
}

/// Creates the administrator when there is none. Of several first boots at once, one creates it.
pub fn ensure_first_admin(ctx: Ctx<'_>, email: &Email, password: &Secret) -> Result<FirstAdmin, AppError> {
    let budget = &ctx.call.budget;
    if ctx.work.run_for(budget, |tx| tx.any_admin())? {
        return Ok(FirstAdmin::Existed);
    }
    let admin = NewUser {
        id: UserId::new(ctx.new_id()),
        email: email.clone(),
        role: Role::Admin,
        active: true,
        password_hash: ctx.ports.passwords.hash(password.reveal())?,
    };
    let entry = registered(ctx, &admin);
    ctx.work.run_for(budget, |tx| {
        if tx.any_admin()? {
            return Ok(FirstAdmin::Existed);
        }
        tx.insert_user(&admin)?;
        tx.audit(&entry)?;
        Ok(FirstAdmin::Created)
    })
}
