//! The audit log.

use garde::Validate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use techsupport_application::{
    SortedBy, audit,
    ports::{AuditAction, AuditActor, AuditFilter, AuditOutcome, AuditRow},
    wire_time,
};
use techsupport_domain::{UnknownName, UserId};
use utoipa::ToSchema;

use super::{list::List, rules};
use crate::{
    inbound::{Inbound, Member, Parameters, optional},
    openapi::{Operation, Tag, samples, terms},
    routes::Answer,
};

#[derive(Deserialize, Validate, Default, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct AuditQuery {
    #[garde(custom(optional(actions)))]
    #[schema(schema_with = terms::audit_actions)]
    action: Member<Vec<String>>,
    #[garde(custom(optional(rules::id)))]
    #[schema(schema_with = terms::audit_actor_id)]
    actor: Member<String>,
    #[garde(custom(optional(rules::id)))]
    #[schema(schema_with = terms::audit_target_id)]
    target: Member<String>,
    #[garde(custom(optional(AuditOutcome::parse)))]
    #[schema(schema_with = terms::audit_outcome)]
    outcome: Member<String>,
    #[garde(custom(optional(rules::moment_from)))]
    #[schema(schema_with = terms::since)]
    from: Member<String>,
    #[garde(custom(optional(rules::moment_to)))]
    #[schema(schema_with = terms::until)]
    to: Member<String>,
    #[garde(custom(optional(rules::page_number)))]
    #[schema(schema_with = terms::page)]
    page: Member<String>,
    #[garde(custom(optional(rules::page_size)))]
    #[schema(schema_with = terms::page_size)]
    page_size: Member<String>,
    #[garde(custom(optional(rules::cursor)))]
    #[schema(schema_with = terms::cursor)]
    cursor: Member<String>,
}

impl Parameters for AuditQuery {
    const LISTS: &'static [&'static str] = &["action"];
}

fn actions(names: &[String]) -> Result<Vec<AuditAction>, UnknownName> {
    names.iter().map(|name| AuditAction::parse(name)).collect()
}

#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
struct EntryDto {
    #[schema(required, schema_with = terms::id)]
    id: String,
    #[schema(required, schema_with = terms::moment)]
    at: String,
    actor: ActorDto,
    #[schema(required, schema_with = terms::audit_action_told)]
    action: String,
    #[schema(required)]
    target: Option<TargetDto>,
    #[schema(required, schema_with = terms::or_null::ip)]
    ip: Option<String>,
    #[schema(required, schema_with = terms::audit_outcome)]
    outcome: String,
    #[schema(required, schema_with = terms::any_object)]
    detail: Value,
}

#[derive(Serialize, ToSchema)]
#[schema(as = AuditActor)]
struct ActorDto {
    #[schema(required, schema_with = terms::audit_actor_kind)]
    kind: &'static str,
    #[schema(required, schema_with = terms::or_null::id)]
    id: Option<String>,
    #[schema(required, schema_with = terms::or_null::email)]
    email: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = AuditTarget)]
struct TargetDto {
    #[schema(required, schema_with = terms::any_text)]
    kind: String,
    #[schema(required, schema_with = terms::any_text)]
    id: String,
}

impl From<AuditRow> for EntryDto {
    fn from(row: AuditRow) -> Self {
        let (kind, id) = match row.actor {
            AuditActor::System => ("SYSTEM", None),
            AuditActor::Anonymous => ("ANONYMOUS", None),
            AuditActor::User(id) => ("USER", Some(id.to_string())),
        };
        Self {
            id: row.id.to_string(),
            at: wire_time::format(row.at),
            actor: ActorDto { kind, id, email: row.actor_email },
            action: row.action,
            target: row.target.map(|(kind, id)| TargetDto { kind, id }),
            ip: row.ip,
            outcome: row.outcome,
            detail: row.detail,
        }
    }
}

/// `GET /api/audit`
pub(crate) async fn list(inbound: Inbound) -> Answer {
    let query: AuditQuery = inbound.query()?;
    let (from, to) = rules::in_order(
        query.from.take_optional(rules::moment_from)?,
        query.to.take_optional(rules::moment_to)?,
    )?;
    let filter = AuditFilter {
        actions: query.action.take_optional(actions)?.unwrap_or_default(),
        actor: query.actor.take_optional(rules::id)?.map(UserId::new),
        target: query.target.take_optional(rules::id)?,
        outcome: query.outcome.take_optional(AuditOutcome::parse)?,
        from,
        to,
    };
    let list = List::asked(&inbound, &query.page, &query.page_size, &query.cursor, SortedBy::Time)?;
    let paged = inbound.run(move |ctx| audit::list_audit(ctx, &filter, list.page)).await?;
    Ok(list.answer(paged, EntryDto::from))
}

pub(crate) fn list_docs() -> Operation {
    let user = samples::id(1).to_string();
    let sample = EntryDto {
        id: samples::id(9).to_string(),
        at: wire_time::format(samples::AT),
        actor: ActorDto { kind: "USER", id: Some(user.clone()), email: Some("ana@example.org".to_owned()) },
        action: AuditAction::RoleChanged.name().to_owned(),
        target: Some(TargetDto { kind: "USER".to_owned(), id: user }),
        ip: Some("192.0.2.7".to_owned()),
        outcome: AuditOutcome::Success.name().to_owned(),
        detail: json!({"before": {"role": "AGENT"}, "after": {"role": "SUPERVISOR"}}),
    };
    Operation::new("listAuditLog", Tag::Audit, "Who did what that matters to security")
        .about(
            "Newest first. Nothing in it is ever changed or removed. The actor is ANONYMOUS where somebody had not shown \
             who they are, as at a failed login; its `target` is the user then whose address was given, if there is one. \
             `from` and `to` are inclusive; a bare date is its whole day in UTC.",
        )
        .asks::<AuditQuery>()
        .lists(Some(sample))
}
