//! The audit log: only ever added to.

use diesel::prelude::*;
use serde_json::Value;
use techsupport_application::{
    AppError,
    ports::{AuditActor, AuditEntry, AuditTarget, AuditTx},
};

use super::PgTx;
use crate::schema::audit_log;

impl AuditTx for PgTx<'_> {
    fn audit(&mut self, entry: &AuditEntry) -> Result<(), AppError> {
        let (kind, actor) = match entry.actor {
            AuditActor::System => ("SYSTEM", None),
            AuditActor::Anonymous => ("ANONYMOUS", None),
            AuditActor::User(user) => ("USER", Some(user.uuid())),
        };
        self.exec(|conn| {
            diesel::insert_into(audit_log::table)
                .values((
                    audit_log::id.eq(entry.id),
                    audit_log::actor_kind.eq(kind),
                    audit_log::actor_id.eq(actor),
                    audit_log::action.eq(entry.action.name()),
                    audit_log::target_kind.eq(entry.target.map(AuditTarget::kind)),
                    audit_log::target_id.eq(entry.target.map(|target| target.id().to_string())),
                    audit_log::ip.eq(entry.ip.map(|ip| ip.to_string())),
                    audit_log::outcome.eq(entry.outcome.name()),
                    audit_log::detail.eq(Value::Object(entry.detail.clone())),
                ))
                .execute(conn)
        })
        .map(drop)
    }
}
