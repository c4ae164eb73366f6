//! Which part of what belongs to a ticket.

use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    handlers::rules,
    inbound::{Member, Parameters, optional},
    openapi::terms,
};

#[derive(Deserialize, Validate, Default, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct PageQuery {
    #[garde(custom(optional(rules::page_number)))]
    #[schema(schema_with = terms::page)]
    pub(super) page: Member<String>,
    #[garde(custom(optional(rules::page_size)))]
    #[schema(schema_with = terms::page_size)]
    pub(super) page_size: Member<String>,
    #[garde(custom(optional(rules::cursor)))]
    #[schema(schema_with = terms::cursor)]
    pub(super) cursor: Member<String>,
}

impl Parameters for PageQuery {}
