//! The audit log: what was written into it.

use techsupport_application::{
    AppError, Budget, Page, Paged,
    ports::{AuditEntry, AuditFilter, AuditReader, AuditRow, AuditTx},
};

use super::{Memory, Store, reader::absent};

impl AuditTx for Store {
    fn audit(&mut self, entry: &AuditEntry) -> Result<(), AppError> {
        self.audit.push(entry.clone());
        Ok(())
    }

    fn audit_all(&mut self, entries: &[AuditEntry]) -> Result<(), AppError> {
        self.audit.extend_from_slice(entries);
        Ok(())
    }
}

impl AuditReader for Memory {
    fn audit(&self, _: &Budget, _: &AuditFilter, _: Page) -> Result<Paged<AuditRow>, AppError> {
        absent()
    }
}
