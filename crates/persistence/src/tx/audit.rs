//! The audit log: only ever added to.

use diesel::prelude::*;
use serde_json::Value;
use techsupport_application::{
    AppError,
    ports::{AuditActor, AuditEntry, AuditTarget, AuditTx},
};
use uuid::Uuid;

use super::PgTx;
use crate::schema::audit_log;

/// Entries of one statement. Each has nine parameters, and a statement has 65,535 at most.
const TOGETHER: usize = 1_000;

#[derive(Insertable)]
#[diesel(table_name = audit_log)]
struct NewEntry {
    id: Uuid,
    actor_kind: &'static str,
    actor_id: Option<Uuid>,
    action: &'static str,
    target_kind: Option<&'static str>,
    target_id: Option<String>,
    ip: Option<String>,
    outcome: &'static str,
    detail: Value,
}

impl NewEntry {
    fn of(entry: &AuditEntry) -> Self {
        let (actor_kind, actor_id) = match entry.actor {
            AuditActor::System => ("SYSTEM", None),
            AuditActor::Anonymous => ("ANONYMOUS", None),
            AuditActor::User(user) => ("USER", Some(user.uuid())),
        };
        Self {
            id: entry.id,
            actor_kind,
            actor_id,
            action: entry.action.name(),
            target_kind: entry.target.map(AuditTarget::kind),
            target_id: entry.target.map(|target| target.id().to_string()),
            ip: entry.ip.map(|ip| ip.to_string()),
            outcome: entry.outcome.name(),
            detail: Value::Object(entry.detail.clone()),
        }
    }
}

impl AuditTx for PgTx<'_> {
    fn audit(&mut self, entry: &AuditEntry) -> Result<(), AppError> {
        let entry = NewEntry::of(entry);
        self.exec(|conn| diesel::insert_into(audit_log::table).values(entry).execute(conn)).map(drop)
    }

    fn audit_all(&mut self, entries: &[AuditEntry]) -> Result<(), AppError> {
        for together in entries.chunks(TOGETHER) {
            let entries: Vec<NewEntry> = together.iter().map(NewEntry::of).collect();
            self.exec(|conn| diesel::insert_into(audit_log::table).values(entries).execute(conn))?;
        }
        Ok(())
    }
}
