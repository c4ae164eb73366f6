//! The ledger of each clock, held against the clock.

use techsupport_domain::{
    sla::{Clock, Happening, Run, Segment, StepKey, Stretch, What},
    ticket::{Ticket, TicketEvent, Visibility},
};
use time::Duration;

use super::tell;
use crate::model::Us;

/// Adds what happened to the history that the ledger is told from.
pub fn remember(history: &mut Vec<Happening>, events: &[TicketEvent], now: Us, by_person: bool) {
    let whats = events.iter().filter_map(|event| match event {
        TicketEvent::StatusChanged { from, to, .. } => Some(What::Moved { from: *from, to: *to, by_person }),
        TicketEvent::Commented(comment) if comment.visibility == Visibility::Public => Some(What::Answered),
        TicketEvent::Deleted => Some(What::Deleted),
        TicketEvent::Restored => Some(What::Restored),
        TicketEvent::SlaBreached { due, .. } if due.step.key == StepKey::BREACH => {
            Some(What::Breached { metric: due.metric })
        }
        TicketEvent::Created
        | TicketEvent::Assigned { .. }
        | TicketEvent::Edited(_)
        | TicketEvent::Commented(_)
        | TicketEvent::SlaWarned(_)
        | TicketEvent::SlaBreached { .. } => None,
    });
    history.extend(whats.map(|what| Happening { at: tell::instant(now), what }));
}

/// The stretches that ran add up to what the clock has counted, they follow one another, and the last one is
/// what the clock is doing.
pub fn check(ticket: &Ticket, history: &[Happening], now: Us) {
    let at = tell::instant(now);
    // Of a promise and what else happened in the same microsecond the ledger cannot tell which came first.
    let unclear = |clock: &&Clock| history.iter().any(|happening| happening.at == clock.started_at);
    for clock in ticket.clocks.iter().filter(|clock| !unclear(clock)) {
        let cycles = clock.ledger(ticket.created_at, history);
        assert_eq!(cycles.last().map(|cycle| cycle.number), Some(clock.cycle));
        assert!(cycles.iter().map(|cycle| cycle.number).eq(1..=clock.cycle));
        let segments: Vec<Segment> = cycles.into_iter().flat_map(|cycle| cycle.segments).collect();
        let counted: Duration = segments
            .iter()
            .filter(|segment| segment.stretch == Stretch::Running)
            .map(|segment| segment.to.unwrap_or(at) - segment.from)
            .sum();
        assert_eq!(counted, clock.elapsed(at), "{segments:#?}");
        for pair in segments.windows(2) {
            assert!(pair[0].to.is_some_and(|to| pair[0].from < to && to <= pair[1].from), "{segments:#?}");
        }
        check_end(clock, segments.last());
    }
}

fn check_end(clock: &Clock, last: Option<&Segment>) {
    match clock.run {
        Run::Running { since } => {
            assert!(last.is_some_and(|last| last.stretch == Stretch::Running && last.to.is_none()));
            assert!(last.is_some_and(|last| last.from <= since));
        }
        Run::Paused { since } => {
            assert!(last.is_some_and(|last| last.stretch == Stretch::Paused && last.to.is_none()));
            assert_eq!(last.map(|last| last.from), Some(since));
        }
        // What took no time is left out, and with it perhaps the end.
        Run::Stopped { at } => assert!(last.is_none_or(|last| last.to.is_some_and(|to| to <= at))),
    }
}
