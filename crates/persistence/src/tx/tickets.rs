//! Locking tickets, finding the ones that are due, recording what came of them.

use std::collections::HashMap;
use std::time::Duration;

use diesel::{prelude::*, sql_types};
use techsupport_application::{
    AppError, Extent, TicketChange,
    ports::{CommentRow, DueBatch, Opening, SetAside, TicketTx},
};
use techsupport_domain::{
    ClientId, ClientTier, CommentId, TicketId,
    sla::Policy,
    ticket::{Priority, Status, Ticket},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{PgTx, clock_timestamp, record, texts};
use crate::{
    read::comments,
    rows::{ClockRow, ClockWithPolicy, Corrupt, TicketRow},
    schema::{clients, sla_clocks, tickets},
};

type Loaded = (OffsetDateTime, Vec<(TicketId, Result<Ticket, Corrupt>)>);

impl PgTx<'_> {
    /// Locks these tickets, then reads the rest of them and the clock: in a statement of its own, because
    /// one that waits for a lock sees the locked rows anew and every other table as it was before.
    fn lock(&mut self, ids: &[Uuid]) -> Result<Option<Loaded>, AppError> {
        let rows: Vec<TicketRow> = self.exec(|conn| {
            tickets::table
                .filter(tickets::id.eq_any(ids).and(tickets::deleted_at.is_null()))
                .select(TicketRow::as_select())
                .for_update()
                .load(conn)
        })?;
        self.complete(rows, ids)
    }

    /// The same for tickets that may be deleted, in the order of their ids.
    fn lock_any(&mut self, ids: &[Uuid]) -> Result<Option<Loaded>, AppError> {
        let rows: Vec<TicketRow> = self.exec(|conn| {
            tickets::table
                .filter(tickets::id.eq_any(ids))
                .order(tickets::id)
                .select(TicketRow::as_select())
                .for_update()
                .load(conn)
        })?;
        self.complete(rows, ids)
    }

    fn complete(&mut self, rows: Vec<TicketRow>, ids: &[Uuid]) -> Result<Option<Loaded>, AppError> {
        if rows.is_empty() {
            return Ok(None);
        }
        let found: Vec<(OffsetDateTime, Uuid, String, Option<ClockRow>)> = self.exec(|conn| {
            tickets::table
                .inner_join(clients::table)
                .left_join(sla_clocks::table)
                .filter(tickets::id.eq_any(ids))
                .select((clock_timestamp(), tickets::id, clients::tier, Option::<ClockRow>::as_select()))
                .load(conn)
        })?;
        let now = found
            .iter()
            .map(|row| row.0)
            .max()
            .ok_or_else(|| AppError::internal("a ticket without a client"))?;
        let mut rest: HashMap<Uuid, (String, Vec<ClockWithPolicy>)> = HashMap::with_capacity(rows.len());
        for (_, ticket, tier, clock) in found {
            let (_, clocks) = rest.entry(ticket).or_insert_with(|| (tier, Vec::with_capacity(2)));
            if let Some(clock) = clock {
                let version = clock.policy_version_id;
                let cache = self.database.policies();
                let policy = self.exec(|conn| cache.get(conn, version))?;
                clocks.push((clock, policy));
            }
        }
        let loaded = rows.into_iter().map(|row| {
            let id = row.id;
            let ticket = match rest.remove(&id) {
                Some((tier, clocks)) => row.into_ticket(&tier, clocks),
                None => Err("no client".to_owned()),
            };
            (TicketId::new(id), ticket)
        });
        Ok(Some((now, loaded.collect())))
    }
}

impl TicketTx for PgTx<'_> {
    fn now(&mut self) -> Result<OffsetDateTime, AppError> {
        self.exec(|conn| diesel::select(clock_timestamp()).get_result(conn))
    }

    fn lock_ticket(&mut self, id: TicketId) -> Result<Option<(Ticket, OffsetDateTime)>, AppError> {
        let loaded = self.lock(&[id.uuid()])?;
        only(loaded)
    }

    fn lock_any_ticket(&mut self, id: TicketId) -> Result<Option<(Ticket, OffsetDateTime)>, AppError> {
        let loaded = self.lock_any(&[id.uuid()])?;
        only(loaded)
    }

    fn lock_unresolved(
        &mut self,
        client: ClientId,
        after: Option<TicketId>,
        limit: u32,
    ) -> Result<(Vec<Ticket>, OffsetDateTime), AppError> {
        let ids: Vec<Uuid> = self.exec(|conn| {
            // Stronger than what the change of another column takes: it clashes with `opening`.
            clients::table.find(client.uuid()).select(clients::id).for_update().first::<Uuid>(conn)?;
            tickets::table
                .filter(tickets::client_id.eq(client.uuid()).and(tickets::deleted_at.is_null()))
                .filter(tickets::status.ne_all(ANSWERED.map(Status::name)))
                .filter(tickets::id.gt(after.map_or(Uuid::nil(), TicketId::uuid)))
                .order(tickets::id)
                .limit(i64::from(limit))
                .select(tickets::id)
                .load(conn)
        })?;
        let Some((now, loaded)) = self.lock_any(&ids)? else { return Ok((Vec::new(), self.now()?)) };
        let sane = |(ticket, row): (TicketId, Result<Ticket, Corrupt>)| {
            row.map_err(|reason| AppError::Corrupt { ticket, reason })
        };
        Ok((loaded.into_iter().map(sane).collect::<Result<_, _>>()?, now))
    }

    fn hold_tier(&mut self, client: ClientId) -> Result<ClientTier, AppError> {
        self.held_tier(client)?.ok_or_else(|| AppError::internal("a ticket without a client"))
    }

    fn told_tier(&mut self, id: TicketId) -> Result<Option<ClientTier>, AppError> {
        self.last_told_tier(id)
    }

    fn policy_in_force(&mut self, tier: ClientTier, priority: Priority) -> Result<Policy, AppError> {
        self.policy_for(tier, priority)
    }

    fn hold_tickets(&mut self, ids: &[TicketId]) -> Result<(), AppError> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
        // Rows are locked in the order in which they leave the sort.
        self.exec(|conn| {
            tickets::table
                .filter(tickets::id.eq_any(ids))
                .order(tickets::id)
                .select(tickets::id)
                .for_update()
                .load::<Uuid>(conn)
        })
        .map(drop)
    }

    fn opening(&mut self, client: ClientId, priority: Priority) -> Result<Option<Opening>, AppError> {
        self.prepare_opening(client, priority)
    }

    fn comment(&mut self, id: CommentId) -> Result<Option<CommentRow>, AppError> {
        let row = self.exec(|conn| comments::one(conn, id))?;
        row.transpose().map_err(AppError::internal)
    }

    fn claim_due(&mut self, limit: u32) -> Result<DueBatch, AppError> {
        let mut ids: Vec<Uuid> = self.exec(|conn| claim_due(conn, limit))?;
        // A ticket with two due clocks is found twice.
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(DueBatch { now: self.now()?, tickets: Vec::new(), corrupt: Vec::new() });
        }
        let Some((now, loaded)) = self.lock(&ids)? else {
            return Err(AppError::internal("tickets that were locked are gone"));
        };
        let mut batch = DueBatch { now, tickets: Vec::with_capacity(loaded.len()), corrupt: Vec::new() };
        for (ticket, outcome) in loaded {
            match outcome {
                Ok(ticket) => batch.tickets.push(ticket),
                Err(reason) => batch.corrupt.push(SetAside { ticket, reason }),
            }
        }
        Ok(batch)
    }

    fn record(&mut self, changes: &[TicketChange]) -> Result<(), AppError> {
        if changes.is_empty() {
            return Ok(());
        }
        let horizon = self.database.settings().notify_horizon_ms;
        let (written, _woken): (i64, i64) =
            self.exec(|conn| record::Record::of(changes, horizon).get_result(conn))?;
        let meant = changes.iter().filter(|change| change.extent() != Extent::Untouched).count();
        if usize::try_from(written) != Ok(meant) {
            return Err(AppError::internal(format!(
                "{written} of {meant} tickets were written: stale versions"
            )));
        }
        for change in changes {
            for edited in change.edits() {
                self.exec(|conn| texts::rewrite(conn, change.ticket(), edited))?;
            }
            for comment in change.comments() {
                self.exec(|conn| texts::say(conn, change, comment))?;
            }
        }
        Ok(())
    }

    fn set_aside(&mut self, asides: &[SetAside], at_first: Duration) -> Result<Vec<SetAside>, AppError> {
        let mut hidden = Vec::new();
        let first_us = i64::try_from(at_first.as_micros()).unwrap_or(i64::MAX);
        for aside in asides {
            let clocks = self.exec(|conn| {
                // The ticket first, as everybody does who changes a clock.
                let ticket = tickets::table.find(aside.ticket.uuid()).select(tickets::id);
                ticket.for_update().first::<Uuid>(conn).optional()?;
                diesel::sql_query(
                    "UPDATE sla_clocks SET set_aside_count = set_aside_count + 1, set_aside_reason = $2, \
                     set_aside_until = clock_timestamp() \
                       + make_interval(secs => $3 / 1e6 * power(2, least(set_aside_count, 10))) \
                     WHERE ticket_id = $1 AND next_step_at <= clock_timestamp()",
                )
                .bind::<sql_types::Uuid, _>(aside.ticket.uuid())
                .bind::<sql_types::Text, _>(&aside.reason)
                .bind::<sql_types::BigInt, _>(first_us)
                .execute(conn)
            })?;
            if clocks > 0 {
                hidden.push(aside.clone());
            }
        }
        Ok(hidden)
    }
}

/// What stands for a ticket that is resolved, for now or for good.
const ANSWERED: [Status; 2] = [Status::Resolved, Status::Closed];

/// The one ticket that was locked.
fn only(loaded: Option<Loaded>) -> Result<Option<(Ticket, OffsetDateTime)>, AppError> {
    let Some((now, tickets)) = loaded else { return Ok(None) };
    match tickets.into_iter().next() {
        Some((_, Ok(ticket))) => Ok(Some((ticket, now))),
        Some((ticket, Err(reason))) => Err(AppError::Corrupt { ticket, reason }),
        None => Ok(None),
    }
}

#[derive(QueryableByName)]
struct Claimed {
    #[diesel(sql_type = sql_types::Uuid)]
    id: Uuid,
}

/// Finds and locks tickets with a due step. `now()` and not `clock_timestamp()`: only a stable function can
/// be looked up in the index, and the beginning of the transaction is at most too early.
///
/// Planned anew each time (diesel does not cache `sql_query`): a plan made while the tables were empty would
/// read all of them once they are not.
fn claim_due(conn: &mut PgConnection, limit: u32) -> QueryResult<Vec<Uuid>> {
    let claimed: Vec<Claimed> = diesel::sql_query(format!(
        "SELECT t.id FROM sla_clocks k JOIN tickets t ON t.id = k.ticket_id \
         WHERE k.wake_at <= now() AND t.deleted_at IS NULL ORDER BY k.wake_at LIMIT {limit} \
         FOR UPDATE OF t SKIP LOCKED"
    ))
    .load(conn)?;
    Ok(claimed.into_iter().map(|row| row.id).collect())
}
