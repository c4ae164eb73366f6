//! How long it takes to resolve tickets: by the clients' type, and by agent.

use serde::Serialize;
use techsupport_application::{
    ports::{AgentSpeed, AverageResolution},
    reports,
};
use techsupport_domain::ClientTier;
use utoipa::ToSchema;

use super::{
    query::{ReportQuery, TopQuery},
    table::{self, Row, or_empty},
};
use crate::{
    csv,
    handlers::rules,
    inbound::Inbound,
    openapi::{Operation, Tag, samples, terms},
    routes::Answer,
};

/// How many agents are told of when nobody says how many.
const TOP: u16 = 5;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AverageResolution)]
struct AverageDto {
    #[schema(required, schema_with = terms::client_type_told)]
    client_type: &'static str,
    #[schema(required, schema_with = terms::minutes_mean)]
    avg_resolution_minutes: i64,
    #[schema(required, schema_with = terms::minutes_p50)]
    p50: i64,
    #[schema(required, schema_with = terms::minutes_p90)]
    p90: i64,
    #[schema(required, schema_with = terms::tickets_resolved)]
    tickets: i64,
    #[serde(rename = "_id")]
    #[schema(required, schema_with = terms::old_key_client_type)]
    old_key: &'static str,
}

impl From<AverageResolution> for AverageDto {
    fn from(row: AverageResolution) -> Self {
        Self {
            client_type: row.tier.name(),
            avg_resolution_minutes: row.mean_minutes,
            p50: row.p50_minutes,
            p90: row.p90_minutes,
            tickets: row.tickets,
            old_key: row.tier.name(),
        }
    }
}

impl Row for AverageDto {
    const COLUMNS: &'static [&'static str] = &["clientType", "avgResolutionMinutes", "p50", "p90", "tickets"];

    fn cells(&self) -> Vec<String> {
        let numbers = [self.avg_resolution_minutes, self.p50, self.p90, self.tickets];
        [self.client_type.to_owned()].into_iter().chain(numbers.map(|number| number.to_string())).collect()
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AgentResolution)]
struct AgentDto {
    #[schema(required, schema_with = terms::reported_agent)]
    agent_id: String,
    #[schema(required, schema_with = terms::or_null::reported_agent_name)]
    name: Option<String>,
    #[schema(required, schema_with = terms::minutes_mean)]
    avg_resolution: i64,
    #[schema(required, schema_with = terms::tickets_resolved)]
    tickets: i64,
    #[serde(rename = "_id")]
    #[schema(required, schema_with = terms::old_key_agent)]
    old_key: String,
}

impl From<AgentSpeed> for AgentDto {
    fn from(row: AgentSpeed) -> Self {
        Self {
            agent_id: row.agent.clone(),
            name: row.name,
            avg_resolution: row.mean_minutes,
            tickets: row.tickets,
            old_key: row.agent,
        }
    }
}

impl Row for AgentDto {
    const COLUMNS: &'static [&'static str] = &["agentId", "name", "avgResolution", "tickets"];

    fn cells(&self) -> Vec<String> {
        let name = or_empty(self.name.as_ref());
        vec![self.agent_id.clone(), name, self.avg_resolution.to_string(), self.tickets.to_string()]
    }
}

/// `GET /api/reports/avg-resolution`
pub(crate) async fn average_resolution(inbound: Inbound) -> Answer {
    table::report::<_, AverageDto>(inbound, "avg-resolution", reports::average_resolution).await
}

/// `GET /api/reports/top-agents`
pub(crate) async fn top_agents(inbound: Inbound) -> Answer {
    let query: TopQuery = inbound.query()?;
    let (filter, limit) = (query.filter()?, query.limit.take_optional(rules::page_size)?.unwrap_or(TOP));
    let rows = inbound.run(move |ctx| reports::top_agents(ctx, &filter, limit)).await?;
    table::answer(&inbound, "top-agents", rows.into_iter().map(AgentDto::from))
}

pub(crate) fn average_resolution_docs() -> Operation {
    let sample = AverageResolution {
        tier: ClientTier::Vip,
        mean_minutes: 143,
        p50_minutes: 95,
        p90_minutes: 388,
        tickets: 1_204,
    };
    Operation::new("reportAverageResolution", Tag::Reports, "Report how long it takes to resolve tickets")
        .about(
            "By the clients' type, ordered by its name: from creation to resolution, of tickets that have been resolved. A \
             type without any is left out.",
        )
        .asks::<ReportQuery>()
        .answers_rows("A row for each type.", Some(ClientTier::ALL.len()), Some(AverageDto::from(sample)))
        .or_sends(csv::MEDIA_TYPE)
}

pub(crate) fn top_agents_docs() -> Operation {
    let sample = AgentSpeed {
        agent: samples::id(3).to_string(),
        name: Some("Ana Pérez".to_owned()),
        mean_minutes: 87,
        tickets: 311,
    };
    Operation::new("reportTopAgents", Tag::Reports, "Report who resolves tickets fastest")
        .about(
            "Ordered by the exact mean, then by who resolved more, then by id. An agent of the desk and one of an imported \
             file are the same when their ids are; the letter case of a UUID does not matter. Tickets of nobody are left out.",
        )
        .asks::<TopQuery>()
        .answers_rows("A row for each agent.", Some(100), Some(AgentDto::from(sample)))
        .or_sends(csv::MEDIA_TYPE)
}
