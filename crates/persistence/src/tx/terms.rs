//! What a ticket is opened under, or comes under: the client's tier, and the policy in force for it.

use diesel::prelude::*;
use techsupport_application::{AppError, ports::Opening};
use techsupport_domain::{
    ClientId, ClientTier, TicketId,
    sla::Policy,
    ticket::{Priority, TicketNumber},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{PgTx, clock_timestamp};
use crate::{
    rows::tier_of,
    schema::{clients, sla_policies, sla_policy_versions, ticket_timeline},
};

diesel::define_sql_function! {
    /// The next number of a sequence.
    fn nextval(sequence: diesel::sql_types::Text) -> BigInt;
}

impl PgTx<'_> {
    /// The client's tier, under the lock that the foreign key takes, only earlier: it does not change under the
    /// policy.
    pub(super) fn held_tier(&mut self, client: ClientId) -> Result<Option<ClientTier>, AppError> {
        let tier: Option<String> = self.exec(|conn| {
            clients::table.find(client.uuid()).select(clients::tier).for_key_share().first(conn).optional()
        })?;
        tier.map(|tier| tier_of(&tier).map_err(AppError::internal)).transpose()
    }

    /// As the last entry that names it says: the one in which the ticket was opened, or one of those that moved its
    /// deadlines.
    pub(super) fn last_told_tier(&mut self, ticket: TicketId) -> Result<Option<ClientTier>, AppError> {
        let told: Option<String> = self.exec(|conn| {
            ticket_timeline::table
                .filter(ticket_timeline::ticket_id.eq(ticket.uuid()))
                .filter(ticket_timeline::action.eq_any(["CREATED", "EDITED"]))
                .filter(ticket_timeline::after.has_key("clientType"))
                .order((ticket_timeline::at.desc(), ticket_timeline::id.desc()))
                .select(ticket_timeline::after.retrieve_as_text("clientType"))
                .first(conn)
                .optional()
        })?;
        let told = told.map(|tier| tier_of(&tier)).transpose();
        told.map_err(|reason| AppError::Corrupt { ticket, reason })
    }

    pub(super) fn policy_for(&mut self, tier: ClientTier, priority: Priority) -> Result<Policy, AppError> {
        let version: Uuid =
            self.exec(|conn| in_force(tier, priority).select(sla_policy_versions::id).first(conn))?;
        self.policy(version)
    }

    pub(super) fn prepare_opening(
        &mut self,
        client: ClientId,
        priority: Priority,
    ) -> Result<Option<Opening>, AppError> {
        let Some(tier) = self.held_tier(client)? else { return Ok(None) };
        let (now, number, version): (OffsetDateTime, i64, Uuid) = self.exec(|conn| {
            in_force(tier, priority)
                .select((clock_timestamp(), nextval("ticket_numbers"), sla_policy_versions::id))
                .first(conn)
        })?;
        Ok(Some(Opening { now, number: TicketNumber::new(number), tier, policy: self.policy(version)? }))
    }

    fn policy(&mut self, version: Uuid) -> Result<Policy, AppError> {
        let cache = self.database.policies();
        let policy = self.exec(|conn| cache.get(conn, version))?.map_err(AppError::internal)?;
        Ok(policy.as_ref().clone())
    }
}

/// The policy that names the priority sorts before the one that leaves it open; of one policy the latest version
/// is in force.
#[diesel::dsl::auto_type(no_type_alias)]
fn in_force(tier: ClientTier, priority: Priority) -> _ {
    let (tier, priority): (&'static str, i16) = (tier.name(), i16::from(priority.get()));
    let any: diesel::dsl::IsNull<sla_policies::priority> = sla_policies::priority.is_null();
    sla_policies::table
        .inner_join(sla_policy_versions::table)
        .filter(sla_policies::client_tier.eq(tier))
        .filter(any.or(sla_policies::priority.eq(priority)))
        .order((sla_policies::priority.asc().nulls_last(), sla_policy_versions::version.desc()))
}
