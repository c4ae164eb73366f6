//! Demo data: clients, agents and tickets with a plausible past, made through the same decisions and the same
//! recording as real ones, so that every one of them has its timeline and its events.
//!
//! Nothing here breaches by itself: what would be overdue was answered in time. The one ticket to watch is
//! made by [`add_ticket_to_watch`].

mod cast;
mod history;

use std::time::Duration;

use techsupport_domain::{
    Agent, Client, ClientTier, TicketId,
    text::{Description, Title},
    ticket::{Decision, NewTicket, Priority, Tags, Ticket, TicketEvent},
};
use time::OffsetDateTime;

pub use cast::Chance;

use crate::{
    Actor, AppError, Call, Ctx, Entity, Page, TicketChange, ports::ClientFilter, ports::Tx,
    ports::UnitOfWorkExt,
};

/// How many tickets are recorded in one transaction.
const BATCH: u32 = 500;

/// How much demo data to make.
#[derive(Debug, Clone, Copy)]
pub struct DemoSize {
    /// Tickets. There is a client for every twenty of them and an agent for every hundred, five at least.
    pub tickets: u32,
}

/// What was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DemoReport {
    /// Clients.
    pub clients: u32,
    /// Agents.
    pub agents: u32,
    /// Tickets.
    pub tickets: u32,
}

/// Makes demo data. The same `chance` makes the same names, texts, states and ages; identifiers and the
/// moment that ages are counted from differ. `progress` hears how many tickets there are so far.
///
/// A second run with the same chance is refused as a conflict, because the e-mail addresses are taken.
pub fn seed_demo(
    ctx: Ctx<'_>,
    size: DemoSize,
    chance: &mut Chance<'_>,
    progress: &mut dyn FnMut(u32),
) -> Result<DemoReport, AppError> {
    let clients = cast::enter_clients(ctx, chance, (size.tickets / 20).clamp(5, 5_000))?;
    let agents = cast::enter_agents(ctx, chance, (size.tickets / 100).clamp(5, 500))?;
    let mut made = 0;
    while made < size.tickets {
        let count = BATCH.min(size.tickets - made);
        let draw = |_| history::Plan::draw(chance, &clients, &agents);
        let plans = (0..count).map(draw).collect::<Result<Vec<_>, _>>()?;
        record_batch(ctx, &plans, &agents)?;
        made += count;
        progress(made);
    }
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Ok(DemoReport { clients: count(clients.len()), agents: count(agents.len()), tickets: made })
}

/// Opens a ticket for a VIP client that breaches after `left`. Needs demo data, for a client.
pub fn add_ticket_to_watch(ctx: Ctx<'_>, left: Duration) -> Result<Ticket, AppError> {
    let filter = ClientFilter { tier: Some(ClientTier::Vip), search: None };
    let page = Page::new(1, 1).ok_or(AppError::NotFound(Entity::Client))?;
    let client = ctx.ports.reader.clients(&ctx.call.budget, &filter, page)?.rows.pop();
    let client = client.ok_or(AppError::NotFound(Entity::Client))?;
    let tickets = open_about_to_breach(ctx, &client, 1, left)?;
    tickets.into_iter().next().ok_or_else(|| AppError::internal("no ticket was opened"))
}

/// Opens tickets for one client whose first step is due after `left`, all at the same moment.
pub fn open_about_to_breach(
    ctx: Ctx<'_>,
    client: &Client,
    count: u32,
    left: Duration,
) -> Result<Vec<Ticket>, AppError> {
    let call = Call { actor: ctx.call.actor, origin: None, trace: ctx.call.trace, budget: fresh_budget() };
    let ctx = Ctx { call: &call, ..ctx };
    let mut tickets = Vec::new();
    let mut opened = 0;
    while opened < count {
        let size = BATCH.min(count - opened);
        let batch = ctx.work.run_for(&call.budget, |tx| {
            let mut decisions = Vec::new();
            for _ in 0..size {
                let title = Title::parse("Payment gateway rejects every card").map_err(AppError::internal)?;
                let (new, now) = new_ticket(ctx, tx, client, Priority::default(), (title, Tags::default()))?;
                let fresh = Ticket::open(new.clone(), now).state;
                let due =
                    fresh.next_step_at().ok_or_else(|| AppError::internal("the policy promises nothing"))?;
                decisions.push((Ticket::open(new, now - (due - now) + left), now));
            }
            record_all(ctx, tx, decisions)
        })?;
        tickets.extend(batch);
        opened += size;
    }
    Ok(tickets)
}

fn record_batch(ctx: Ctx<'_>, plans: &[history::Plan], agents: &[Agent]) -> Result<(), AppError> {
    let budget = fresh_budget();
    ctx.work.run_for(&budget, |tx| {
        let mut openings = Vec::with_capacity(plans.len());
        for plan in plans {
            let subject = (plan.title.clone(), plan.tags.clone());
            let (new, now) = new_ticket(ctx, tx, &plan.client, plan.priority, subject)?;
            let at = plan.opened_at(&new.policy, now);
            openings.push((Ticket::open(new, at), at));
        }
        // Each act of every ticket is one wave: a ticket appears once in a recording.
        let mut tickets = record_all(ctx, tx, openings)?;
        let longest = plans.iter().map(|plan| plan.acts.len()).max().unwrap_or(0);
        for wave in 0..longest {
            let mut decisions = Vec::new();
            let mut kept = Vec::new();
            for (ticket, plan) in tickets.into_iter().zip(plans) {
                match plan.acts.get(wave) {
                    Some(act) => {
                        let at = plan.act_at(&ticket, wave);
                        decisions.push((act.perform(ticket, agents, at)?, at));
                        kept.push(None);
                    }
                    None => kept.push(Some(ticket)),
                }
            }
            let mut moved = record_all(ctx, tx, decisions)?.into_iter();
            tickets = kept.into_iter().filter_map(|ticket| ticket.or_else(|| moved.next())).collect();
        }
        Ok(())
    })
}

fn new_ticket(
    ctx: Ctx<'_>,
    tx: &mut dyn Tx,
    client: &Client,
    priority: Priority,
    (title, tags): (Title, Tags),
) -> Result<(NewTicket, OffsetDateTime), AppError> {
    let opening = tx.opening(client.id, priority)?.ok_or(AppError::NotFound(Entity::Client))?;
    let description = format!("{title}. Reported by {} of {}.", client.name, client.company);
    let new = NewTicket {
        id: TicketId::new(ctx.new_id()),
        number: opening.number,
        title,
        description: Description::parse(description).map_err(AppError::internal)?,
        priority,
        tags,
        client: client.id,
        tier: opening.tier,
        policy: opening.policy,
    };
    Ok((new, opening.now))
}

/// Records decisions about different tickets, each at its own time; hands the tickets back in order.
fn record_all(
    ctx: Ctx<'_>,
    tx: &mut dyn Tx,
    decisions: Vec<(Decision<Ticket, TicketEvent>, OffsetDateTime)>,
) -> Result<Vec<Ticket>, AppError> {
    let mut changes = Vec::with_capacity(decisions.len());
    let actor: Actor = ctx.call.actor;
    for (decision, at) in decisions {
        let change = TicketChange::of(ctx, decision, actor, at)?;
        changes.push(change.ok_or_else(|| AppError::internal("a demo act changed nothing"))?);
    }
    tx.record(&changes)?;
    Ok(changes.into_iter().map(TicketChange::into_ticket).collect())
}

fn fresh_budget() -> std::sync::Arc<crate::Budget> {
    std::sync::Arc::new(crate::Budget::lasting(Duration::from_mins(1)))
}
