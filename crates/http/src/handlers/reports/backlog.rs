//! What waits to be resolved.

use serde::Serialize;
use techsupport_application::{
    ports::{AgeBucket, BacklogCount},
    reports,
};
use techsupport_domain::{ClientTier, ticket::Status};
use utoipa::ToSchema;

use super::{
    query::ListQuery,
    table::{self, Row},
};
use crate::{
    csv,
    inbound::Inbound,
    openapi::{Operation, Tag, terms},
    routes::Answer,
};

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = BacklogCount)]
struct BacklogDto {
    #[schema(required, schema_with = terms::status_unresolved)]
    status: &'static str,
    #[schema(required, schema_with = terms::client_type_told)]
    client_type: &'static str,
    #[schema(required, schema_with = terms::age_bucket)]
    age: &'static str,
    #[schema(required, schema_with = terms::tickets_counted)]
    tickets: i64,
}

impl From<BacklogCount> for BacklogDto {
    fn from(row: BacklogCount) -> Self {
        Self {
            status: row.status.name(),
            client_type: row.tier.name(),
            age: row.age.name(),
            tickets: row.tickets,
        }
    }
}

impl Row for BacklogDto {
    const COLUMNS: &'static [&'static str] = &["status", "clientType", "age", "tickets"];

    fn cells(&self) -> Vec<String> {
        [self.status, self.client_type, self.age]
            .into_iter()
            .map(str::to_owned)
            .chain([self.tickets.to_string()])
            .collect()
    }
}

/// `GET /api/reports/backlog`
pub(crate) async fn backlog(inbound: Inbound) -> Answer {
    table::list::<_, BacklogDto>(inbound, "backlog", reports::backlog).await
}

pub(crate) fn backlog_docs() -> Operation {
    let sample = BacklogCount {
        status: Status::Waiting,
        tier: ClientTier::Normal,
        age: AgeBucket::Under7Days,
        tickets: 9,
    };
    Operation::new("reportBacklog", Tag::Reports, "Report what waits to be resolved")
        .about(
            "Tickets that are neither RESOLVED nor CLOSED, by status in the order of a ticket's life, then by the client's type, VIP first, \
             then by age, the youngest first. What has no tickets is left out. With `Accept: text/csv` all of it.",
        )
        .asks::<ListQuery>()
        .lists(Some(BacklogDto::from(sample)))
        .or_sends(csv::MEDIA_TYPE)
}
