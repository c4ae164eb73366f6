//! What reports are asked for.

use garde::Validate;
use serde::Deserialize;
use techsupport_application::ports::{ReportFilter, Source};
use techsupport_domain::{ClientTier, Zone};
use utoipa::ToSchema;

use crate::{
    handlers::rules,
    inbound::{Member, Parameters, optional},
    openapi::terms,
    problem::Problem,
};

/// A query with the filter that reports have in common, and what else there is.
macro_rules! queries {
    ($($(#[$doc:meta])* $name:ident { $($(#[$attribute:meta])* $member:ident,)* })+) => {$(
        $(#[$doc])*
        #[derive(Deserialize, Validate, Default, ToSchema)]
        #[serde(rename_all = "camelCase", default, deny_unknown_fields)]
        pub(super) struct $name {
            #[garde(custom(optional(Source::parse)))]
            #[schema(schema_with = terms::report_source)]
            source: Member<String>,
            #[garde(custom(optional(rules::moment_from)))]
            #[schema(schema_with = terms::since)]
            from: Member<String>,
            #[garde(custom(optional(rules::moment_to)))]
            #[schema(schema_with = terms::until)]
            to: Member<String>,
            #[garde(custom(optional(ClientTier::parse)))]
            #[schema(schema_with = terms::client_type_wanted)]
            client_type: Member<String>,
            #[garde(custom(optional(Zone::parse)))]
            #[schema(schema_with = terms::time_zone)]
            time_zone: Member<String>,
            $($(#[$attribute])* pub(super) $member: Member<String>,)*
        }

        impl Parameters for $name {}

        impl $name {
            /// Which tickets the report is to be about.
            pub(super) fn filter(&self) -> Result<ReportFilter, Problem> {
                let (from, to) = rules::in_order(
                    self.from.take_optional(rules::moment_from)?,
                    self.to.take_optional(rules::moment_to)?,
                )?;
                Ok(ReportFilter {
                    source: self.source.take_optional(Source::parse)?,
                    from,
                    to,
                    tier: self.client_type.take_optional(ClientTier::parse)?,
                    zone: self.time_zone.take_optional(Zone::parse)?.unwrap_or_default(),
                })
            }
        }
    )+};
}

queries! {
    /// The filter alone.
    ReportQuery {}
    /// The filter and how many rows.
    TopQuery {
        #[garde(custom(optional(rules::page_size)))]
        #[schema(schema_with = terms::top_limit)]
        limit,
    }
    /// The filter and which part of the list.
    ListQuery {
        #[garde(custom(optional(rules::page_number)))]
        #[schema(schema_with = terms::page)]
        page,
        #[garde(custom(optional(rules::page_size)))]
        #[schema(schema_with = terms::page_size)]
        page_size,
        #[garde(custom(optional(rules::cursor)))]
        #[schema(schema_with = terms::cursor)]
        cursor,
    }
}
