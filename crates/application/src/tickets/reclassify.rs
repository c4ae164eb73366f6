//! What a client's new type means for the client's tickets.

use std::collections::{HashMap, hash_map::Entry};

use techsupport_domain::{
    ClientId, ClientTier, TicketId,
    sla::Policy,
    ticket::{Decision, Priority, Ticket, TicketEvent},
};
use time::OffsetDateTime;

use crate::{Actor, AppError, Ctx, TicketChange, ports::Tx};

/// How many tickets are locked and written at once. One transaction holds them all in the end; this bounds
/// what one statement carries.
const BATCH: u32 = 200;

/// Puts the unresolved tickets of a client, whose type changes in this transaction, under the policies in force for
/// the new one. To be called after the client's row was written.
///
/// A ticket that is resolved or deleted comes under them when it is reopened or restored. One that is being
/// opened at this moment is waited for: opening holds the client's row.
pub fn reclassify(
    ctx: Ctx<'_>,
    tx: &mut dyn Tx,
    client: ClientId,
    from: ClientTier,
    to: ClientTier,
) -> Result<(), AppError> {
    let mut policies: HashMap<Priority, Policy> = HashMap::new();
    let mut after: Option<TicketId> = None;
    loop {
        let (mut tickets, now) = tx.lock_unresolved(client, after, BATCH)?;
        let Some(last) = tickets.last().map(|ticket| ticket.id) else { return Ok(()) };
        // Resolved or deleted while this one waited for the lock.
        tickets.retain(|ticket| ticket.deleted_at.is_none() && !ticket.status.is_answered());
        for ticket in &mut tickets {
            // The row of the client says otherwise already; what is overdue was promised before.
            ticket.tier = from;
            if let Entry::Vacant(unknown) = policies.entry(ticket.priority) {
                unknown.insert(tx.policy_in_force(to, ticket.priority)?);
            }
        }
        let noticed = due_steps(ctx, tx, tickets, now)?;
        let decide = |ticket: Ticket| {
            let policy = policies.get(&ticket.priority);
            let policy = policy.ok_or_else(|| AppError::internal("a priority without a policy"))?;
            Ok(ticket.reclassify(to, policy, now))
        };
        let decisions = noticed.into_iter().map(decide).collect::<Result<Vec<_>, AppError>>()?;
        let reclassified = record_all(ctx, tx, decisions, ctx.call.actor, now)?;
        due_steps(ctx, tx, reclassified, now)?;
        after = Some(last);
    }
}

/// Runs what is due of each ticket and hands all of them back.
fn due_steps(
    ctx: Ctx<'_>,
    tx: &mut dyn Tx,
    tickets: Vec<Ticket>,
    now: OffsetDateTime,
) -> Result<Vec<Ticket>, AppError> {
    let (mut calm, mut due) = (Vec::with_capacity(tickets.len()), Vec::new());
    for ticket in tickets {
        match ticket.clone().run_due_steps(now) {
            Some(decision) => due.push(decision),
            None => calm.push(ticket),
        }
    }
    calm.extend(record_all(ctx, tx, due, Actor::System, now)?);
    Ok(calm)
}

fn record_all(
    ctx: Ctx<'_>,
    tx: &mut dyn Tx,
    decisions: Vec<Decision<Ticket, TicketEvent>>,
    actor: Actor,
    now: OffsetDateTime,
) -> Result<Vec<Ticket>, AppError> {
    let mut changes = Vec::with_capacity(decisions.len());
    for decision in decisions {
        changes.extend(TicketChange::of(ctx, decision, actor, now)?);
    }
    tx.record(&changes)?;
    Ok(changes.into_iter().map(TicketChange::into_ticket).collect())
}
