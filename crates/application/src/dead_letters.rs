//! Dead letters: collected from the broker, listed, put back, thrown away.
//!
//! Each dying of a message is one row, whatever is delivered twice: its key is the message's id with the number of times
//! it had been put back, a number that travels with the message. Putting back is decided by the state of that row,
//! under its lock. So however often it is asked for, the message goes back once; and should a crash publish it twice
//! all the same, the inbox and the delivery's row make one effect of it.

use std::time::Duration;

use serde::Deserialize;
use techsupport_domain::EventId;
use uuid::Uuid;

use crate::{
    AppError, Budget, Ctx, Entity, Page, Paged,
    ports::{
        AuditAction, AuditEntry, AuditTarget, BrokerFigures, BrokerQueue, DeadLetterFilter,
        DeadLetterPublisher, DeadLetterReplays, DeadLetterRow, DeadLetterState, FoundDeadLetter, GivenUp,
        QueueFigures, QueuedDeadLetter, QueuedDeadLetters, ReplayBatch, ReplayedAll, UnitOfWork,
        UnitOfWorkExt,
    },
};

/// Every subscription that has dead letters, by name.
pub const QUEUES: [&str; 3] = ["sla-events", "webhook-events", "ticket-imports"];

/// Stores a message that was found in a dead-letter queue; says whether it was new. May be repeated. After it the
/// message may be forgotten there.
pub fn collect_dead_letter(
    work: &dyn UnitOfWork,
    budget: &Budget,
    new_id: fn() -> Uuid,
    found: &FoundDeadLetter,
) -> Result<bool, AppError> {
    let (id, event) = (new_id(), event_of(&found.message));
    work.run_for(budget, |tx| {
        let kept = tx.keep_dead_letter(id, event, found)?;
        if kept || !found.distinct {
            return Ok(kept);
        }
        let mut twin = found.clone();
        twin.message.key = format!("{}.{id}", twin.message.key);
        tx.keep_dead_letter(id, event, &twin)
    })
}

/// The event of a CloudEvents document, or of a message that has its id. Deliveries go by the former.
fn event_of(message: &GivenUp) -> Option<EventId> {
    #[derive(Deserialize)]
    struct Identified {
        id: Uuid,
    }
    let in_body = serde_json::from_slice(&message.body).ok().map(|document: Identified| document.id);
    in_body.or_else(|| message.key.parse().ok()).map(EventId::new)
}

/// A page of the dead letters that nobody has decided about, latest first, with those that could not be put back.
pub fn list_dead_letters(
    ctx: Ctx<'_>,
    filter: &DeadLetterFilter,
    page: Page,
) -> Result<Paged<DeadLetterRow>, AppError> {
    ctx.ports.reader.dead_letters(&ctx.call.budget, filter, page)
}

/// Has one put back into the queue it died in, and writes down who did. Asked for again, it is the same replay: nothing
/// more happens. One that was discarded is not found, like one that never was.
pub fn replay_dead_letter(ctx: Ctx<'_>, id: Uuid) -> Result<(), AppError> {
    let by = ctx.call.actor.user();
    let entry = ctx.entry(AuditAction::DeadLetterReplayed, AuditTarget::DeadLetter(id));
    ctx.work.run_for(&ctx.call.budget, |tx| {
        // Without the lock first: the pass holds what it is publishing.
        let mut state = tx.dead_letter_state(id)?;
        if state == Some(DeadLetterState::Dead) {
            let letter = tx.lock_dead_letter(id, true)?.ok_or(AppError::NotFound(Entity::DeadLetter))?;
            if letter.state == DeadLetterState::Dead {
                tx.queue_dead_letter(id, by)?;
                return tx.audit(&telling(entry.clone(), letter.queue, letter.event));
            }
            state = Some(letter.state);
        }
        match state {
            Some(DeadLetterState::Dead | DeadLetterState::Queued | DeadLetterState::Replayed) => Ok(()),
            Some(DeadLetterState::Discarded) | None => Err(AppError::NotFound(Entity::DeadLetter)),
        }
    })
}

/// Has all put back, `most` at most, oldest first, and writes down for each of them who did.
pub fn replay_all_dead_letters(ctx: Ctx<'_>, most: u32) -> Result<ReplayedAll, AppError> {
    let by = ctx.call.actor.user();
    let told = |letter: QueuedDeadLetter| {
        let entry = ctx.entry(AuditAction::DeadLetterReplayed, AuditTarget::DeadLetter(letter.id));
        telling(entry, letter.queue, letter.event)
    };
    ctx.work.run_for(&ctx.call.budget, |tx| {
        let QueuedDeadLetters { letters, remaining } = tx.queue_dead_letters(most, by)?;
        let entries: Vec<AuditEntry> = letters.into_iter().map(told).collect();
        tx.audit_all(&entries)?;
        let queued = u32::try_from(entries.len()).map_err(AppError::internal)?;
        Ok(ReplayedAll { queued, remaining })
    })
}

/// What was decided about outlives its row in the audit log alone: so an entry says what it was.
fn telling(entry: AuditEntry, queue: String, event: Option<EventId>) -> AuditEntry {
    entry.with("queue", queue).with("eventId", event.map(|event| event.to_string()))
}

/// Throws one away that is not back in its queue, and writes down who did. One that is being published at this moment is
/// not found, like one that is back.
pub fn discard_dead_letter(ctx: Ctx<'_>, id: Uuid) -> Result<(), AppError> {
    let by = ctx.call.actor.user();
    let entry = ctx.entry(AuditAction::DeadLetterDiscarded, AuditTarget::DeadLetter(id));
    ctx.work.run_for(&ctx.call.budget, |tx| {
        let unknown = || AppError::NotFound(Entity::DeadLetter);
        // Whoever holds one that nobody has decided about is deciding; whoever holds another is publishing it.
        let state = tx.dead_letter_state(id)?;
        let letter = tx.lock_dead_letter(id, state == Some(DeadLetterState::Dead))?.ok_or_else(unknown)?;
        match letter.state {
            DeadLetterState::Dead | DeadLetterState::Queued => {}
            DeadLetterState::Replayed | DeadLetterState::Discarded => return Err(unknown()),
        }
        tx.discard_dead_letter(id, by)?;
        tx.audit(&telling(entry.clone(), letter.queue, letter.event))
    })
}

/// What database and broker know of the queues, in this order.
pub fn queue_figures(
    ctx: Ctx<'_>,
    broker: &dyn BrokerFigures,
) -> Result<(QueueFigures, Vec<BrokerQueue>), AppError> {
    let queues = broker.queues(&ctx.call.budget)?;
    Ok((ctx.ports.reader.queue_figures(&ctx.call.budget)?, queues))
}

/// Removes rows that were settled at least so long ago, `limit` at most. Returns how many.
pub fn forget_dead_letters(ctx: Ctx<'_>, settled_before: Duration, limit: u32) -> Result<u32, AppError> {
    ctx.work.run_for(&ctx.call.budget, |tx| tx.forget_dead_letters(settled_before, limit))
}

/// What a pass of the replay did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayPass {
    /// How many are in their queue again.
    pub replayed: usize,
    /// How many are not, and the reason of the first.
    pub failed: Option<(usize, String)>,
    /// Whether some of it got through, so that going on at once makes sense.
    pub more: bool,
}

/// Puts one batch back. Safe to run in any number of processes at once and to be killed at any point.
pub fn put_dead_letters_back(
    replays: &dyn DeadLetterReplays,
    publisher: &dyn DeadLetterPublisher,
    batch: ReplayBatch,
) -> Result<ReplayPass, AppError> {
    let report = replays.replay(batch, &mut |messages| publisher.put_back(messages))?;
    let failures = report.failed.len() + report.refused.len();
    let first = report.failed.into_iter().chain(report.refused).next();
    Ok(ReplayPass {
        replayed: report.replayed.len(),
        failed: first.map(|(_, reason)| (failures, reason)),
        more: !report.replayed.is_empty(),
    })
}
