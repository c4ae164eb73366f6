//! The audit log: security events and changes, for administrators.

use serde_json::Map;

use crate::{
    AppError, Ctx, Page, Paged,
    ports::{AuditAction, AuditEntry, AuditFilter, AuditOutcome, AuditRow, AuditTarget},
};

impl Ctx<'_> {
    /// An entry that tells of what the caller does successfully. Made before the transaction it is written in,
    /// which may run twice.
    pub fn entry(&self, action: AuditAction, target: AuditTarget) -> AuditEntry {
        AuditEntry {
            id: self.new_id(),
            actor: self.call.actor.into(),
            action,
            target: Some(target),
            ip: self.call.origin,
            outcome: AuditOutcome::Success,
            detail: Map::new(),
        }
    }
}

/// A page of the audit log, newest first.
pub fn list_audit(ctx: Ctx<'_>, filter: &AuditFilter, page: Page) -> Result<Paged<AuditRow>, AppError> {
    ctx.ports.reader.audit(&ctx.call.budget, filter, page)
}
