//! How well deadlines were kept.

use serde::Serialize;
use techsupport_application::{ports::Compliance, reports};
use techsupport_domain::{ClientTier, sla::Metric};
use utoipa::ToSchema;

use super::{
    query::ListQuery,
    table::{self, Row, or_empty},
};
use crate::{
    csv,
    inbound::Inbound,
    openapi::{Operation, Tag, terms},
    routes::Answer,
};

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Compliance)]
struct ComplianceDto {
    #[schema(required, schema_with = terms::year)]
    year: i32,
    #[schema(required, schema_with = terms::month)]
    month: u8,
    #[schema(required, schema_with = terms::client_type_told)]
    client_type: &'static str,
    #[schema(required, schema_with = terms::metric)]
    metric: &'static str,
    #[schema(required, schema_with = terms::clocks_met)]
    met: i64,
    #[schema(required, schema_with = terms::clocks_breached)]
    breached: i64,
    #[schema(required, schema_with = terms::compliance_percent)]
    compliance_percent: f64,
    #[schema(required, schema_with = terms::or_null::counted_median)]
    median_minutes: Option<i64>,
    #[schema(required, schema_with = terms::or_null::counted_p90)]
    p90_minutes: Option<i64>,
}

impl From<Compliance> for ComplianceDto {
    fn from(row: Compliance) -> Self {
        // At most 1,000: nothing is lost.
        let tenths = u16::try_from(row.tenths_of_percent()).unwrap_or(u16::MAX);
        Self {
            year: row.year,
            month: row.month,
            client_type: row.tier.name(),
            metric: row.metric.name(),
            met: row.met,
            breached: row.breached,
            compliance_percent: f64::from(tenths) / 10.0,
            median_minutes: row.median_minutes,
            p90_minutes: row.p90_minutes,
        }
    }
}

impl Row for ComplianceDto {
    const COLUMNS: &'static [&'static str] = &[
        "year",
        "month",
        "clientType",
        "metric",
        "met",
        "breached",
        "compliancePercent",
        "medianMinutes",
        "p90Minutes",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.year.to_string(),
            self.month.to_string(),
            self.client_type.to_owned(),
            self.metric.to_owned(),
            self.met.to_string(),
            self.breached.to_string(),
            format!("{:.1}", self.compliance_percent),
            or_empty(self.median_minutes.as_ref()),
            or_empty(self.p90_minutes.as_ref()),
        ]
    }
}

/// `GET /api/reports/sla-compliance`
pub(crate) async fn compliance(inbound: Inbound) -> Answer {
    table::list::<_, ComplianceDto>(inbound, "sla-compliance", reports::compliance).await
}

pub(crate) fn compliance_docs() -> Operation {
    let sample = Compliance {
        year: 2026,
        month: 2,
        tier: ClientTier::Vip,
        metric: Metric::FirstResponse,
        met: 190,
        breached: 12,
        median_minutes: Some(21),
        p90_minutes: Some(64),
    };
    Operation::new("reportCompliance", Tag::Reports, "Report how well deadlines were kept")
        .about(
            "By month of the ticket's creation in `timeZone`, the earliest first, then by the client's type, VIP first, and the deadline. A \
             clock that still runs and has not been breached counts for neither side; what has nothing on either is left \
             out. Imported tickets have no clocks: `source=imported` finds nothing. With `Accept: text/csv` all of it.",
        )
        .asks::<ListQuery>()
        .lists(Some(ComplianceDto::from(sample)))
        .or_sends(csv::MEDIA_TYPE)
}
