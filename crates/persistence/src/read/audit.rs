//! The audit log.

use diesel::{pg::Pg, prelude::*};
use serde_json::Value;
use techsupport_application::{
    Page, Paged, Position,
    ports::{AuditAction, AuditActor, AuditFilter, AuditRow},
};
use techsupport_domain::UserId;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    behind_time,
    beyond::{Direction, beyond},
    total,
};
use crate::{
    rows::Corrupt,
    schema::{audit_log, users},
};

/// A row of `audit_log`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = audit_log)]
pub(super) struct EntryRow {
    id: Uuid,
    at: OffsetDateTime,
    actor_kind: String,
    actor_id: Option<Uuid>,
    action: String,
    target_kind: Option<String>,
    target_id: Option<String>,
    ip: Option<String>,
    outcome: String,
    detail: Value,
}

/// An entry, and the address of the user who did it.
type Entry = (EntryRow, Option<String>);

pub(super) fn entries(
    conn: &mut PgConnection,
    filter: &AuditFilter,
    page: Page,
) -> QueryResult<Paged<Entry>> {
    let total = total(page, || wanted(filter).count().get_result(conn))?;
    let mut query = wanted(filter);
    if let Some(last) = behind_time(page)? {
        query = query.filter(beyond((audit_log::at, audit_log::id), Direction::Down, last));
    }
    let rows: Vec<EntryRow> = query
        .order((audit_log::at.desc(), audit_log::id.desc()))
        .limit(page.reach())
        .offset(page.offset())
        .select(EntryRow::as_select())
        .load(conn)?;
    let page = Paged::of(page, total, rows, |row: &EntryRow| Position::at(row.at, row.id));
    let actors: Vec<Uuid> = page.rows.iter().filter_map(|row| row.actor_id).collect();
    let emails: std::collections::HashMap<Uuid, String> = users::table
        .filter(users::id.eq_any(actors))
        .select((users::id, users::email))
        .load(conn)?
        .into_iter()
        .collect();
    page.try_map(|row| {
        let email = row.actor_id.and_then(|actor| emails.get(&actor).cloned());
        Ok((row, email))
    })
}

fn wanted(filter: &AuditFilter) -> audit_log::BoxedQuery<'_, Pg> {
    let mut query = audit_log::table.into_boxed();
    if !filter.actions.is_empty() {
        let names: Vec<&str> = filter.actions.iter().copied().map(AuditAction::name).collect();
        query = query.filter(audit_log::action.eq_any(names));
    }
    if let Some(actor) = filter.actor {
        query = query.filter(audit_log::actor_id.eq(actor.uuid()));
    }
    if let Some(target) = filter.target {
        query = query.filter(audit_log::target_id.eq(target.to_string()));
    }
    if let Some(outcome) = filter.outcome {
        query = query.filter(audit_log::outcome.eq(outcome.name()));
    }
    if let Some(from) = filter.from {
        query = query.filter(audit_log::at.ge(from));
    }
    if let Some(to) = filter.to {
        query = query.filter(audit_log::at.le(to));
    }
    query
}

pub(super) fn into_entry((row, actor_email): Entry) -> Result<AuditRow, Corrupt> {
    let actor = match (row.actor_kind.as_str(), row.actor_id) {
        ("USER", Some(user)) => AuditActor::User(UserId::new(user)),
        ("SYSTEM", None) => AuditActor::System,
        ("ANONYMOUS", None) => AuditActor::Anonymous,
        (other, _) => return Err(format!("actor kind {other:?}")),
    };
    Ok(AuditRow {
        id: row.id,
        at: row.at,
        actor,
        actor_email,
        action: row.action,
        target: row.target_kind.zip(row.target_id),
        ip: row.ip,
        outcome: row.outcome,
        detail: row.detail,
    })
}
