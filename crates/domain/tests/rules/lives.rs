//! Random lives of tickets, each lived twice: by the domain and by the model.

mod ledger;
mod strategy;
mod tell;

use proptest::prelude::*;
use techsupport_domain::{
    ClientTier,
    sla::Run,
    text::Title,
    ticket::{Edit, Priority, Status, Tags, Ticket, TicketEvent},
};

use self::strategy::{Command, Jump, Life};
use crate::{
    build::{self, START, TICK},
    model::{ClockModel, TicketModel, Us},
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(768))]

    /// After every command the ticket is what the model says, refusals included, and so are its clocks.
    #[test]
    fn a_ticket_lives_as_the_documents_say(life in strategy::life()) {
        let mut ticket = build::open(life.policy(0));
        let mut model = TicketModel::open(life.promises(0));
        let mut now: Us = 0;
        let mut history = Vec::new();
        check_same(&ticket, &model, now);
        for (jump, command) in &life.commands {
            now = arrive(*jump, now, &model);
            let (swept, events) = sweep(ticket, &mut model, now);
            ledger::remember(&mut history, &events, now, false);
            ticket = swept;
            if model.deleted.is_none() || matches!(command, Command::Restore(..)) {
                let (obeyed, events) = obey(ticket, &mut model, &life, *command, now);
                ledger::remember(&mut history, &events, now, true);
                ticket = obeyed;
            }
            check_same(&ticket, &model, now);
            ledger::check(&ticket, &history, now);
        }
    }
}

fn arrive(jump: Jump, now: Us, model: &TicketModel) -> Us {
    match jump {
        Jump::By(gap) => now + gap,
        Jump::NextStep(offset) => next_step(model).map_or(now, |next| (next + offset).max(now)),
    }
}

fn next_step(model: &TicketModel) -> Option<Us> {
    model.clocks.iter().flat_map(ClockModel::to_come).map(|(when, _)| when).min()
}

/// Both run what is due: `None` from the domain exactly when the model has nothing to tell.
fn sweep(ticket: Ticket, model: &mut TicketModel, now: Us) -> (Ticket, Vec<TicketEvent>) {
    let expected = model.sweep(now);
    match ticket.clone().run_due_steps(tell::instant(now)) {
        None => {
            assert!(expected.is_empty(), "not run: {expected:#?}");
            (ticket, Vec::new())
        }
        Some(decision) => {
            assert_eq!(tell::events(&decision.events), expected);
            (decision.state, decision.events)
        }
    }
}

fn obey(
    ticket: Ticket,
    model: &mut TicketModel,
    life: &Life,
    command: Command,
    now: Us,
) -> (Ticket, Vec<TicketEvent>) {
    let (before, at) = (ticket.clone(), tell::instant(now));
    let (decided, expected) = match command {
        Command::Move(to) => (ticket.transition(Status::parse(to).unwrap(), at), model.transition(to, now)),
        Command::Assign(who) => {
            let agent = who.map(|a| build::agent(a.id, i64::from(a.level), a.active));
            (ticket.assign(agent.as_ref(), at), model.assign(who, now))
        }
        Command::Delete => (Ok(ticket.delete(at)), Ok(model.delete(now))),
        Command::Restore(tier, policy) => (
            Ok(ticket.restore(named(tier), &life.policy(policy), at)),
            Ok(model.restore(tier, life.promises(policy), now)),
        ),
        Command::Reopen(tier, policy) => (
            ticket.reopen(named(tier), &life.policy(policy), at),
            model.reopen(tier, life.promises(policy), now),
        ),
        Command::Prioritise(number, policy) => {
            let urgency = (Priority::parse(i64::from(number)).unwrap(), life.policy(policy));
            let edit = Edit { priority: Some(urgency), ..Edit::default() };
            (Ok(ticket.edit(edit, at)), Ok(model.prioritise(number, life.promises(policy), now)))
        }
        Command::Reclassify(tier, policy) => (
            Ok(ticket.reclassify(named(tier), &life.policy(policy), at)),
            Ok(model.reclassify(tier, life.promises(policy), now)),
        ),
        Command::Comment(visibility) => {
            (Ok(ticket.comment(build::comment(visibility), at)), Ok(model.comment(visibility, now)))
        }
        Command::Rename(title, tags) => {
            let edit = Edit {
                title: Some(Title::parse(title).unwrap()),
                tags: Some(Tags::parse(tags.iter().copied()).unwrap()),
                ..Edit::default()
            };
            (Ok(ticket.edit(edit, at)), Ok(model.rename(title, tags, now)))
        }
        Command::Watch => return (ticket, Vec::new()),
    };
    match decided {
        Ok(decision) => {
            assert_eq!(Ok(tell::events(&decision.events)), expected);
            if decision.events.is_empty() {
                assert_eq!(decision.state, before, "nothing happened, so nothing may differ");
            }
            (decision.state, decision.events)
        }
        Err(refusal) => {
            assert_eq!(Err(tell::refusal(&refusal)), expected);
            (before, Vec::new())
        }
    }
}

fn named(tier: &str) -> ClientTier {
    ClientTier::parse(tier).unwrap()
}

fn check_same(ticket: &Ticket, model: &TicketModel, now: Us) {
    assert_eq!(ticket.title.as_str(), model.title);
    assert_eq!(ticket.priority.get(), model.priority);
    assert!(ticket.tags.iter().eq(&model.tags));
    assert_eq!(ticket.tier.name(), model.tier);
    assert_eq!(ticket.status.name(), model.status);
    assert_eq!(ticket.level.get(), model.level);
    assert_eq!(ticket.version, model.version);
    assert_eq!(ticket.agent.map(|agent| agent.uuid().as_u128()), model.agent);
    assert_eq!(ticket.created_at, START);
    assert_eq!(tell::us(ticket.updated_at), model.updated);
    assert_eq!(ticket.resolved_at.map(tell::us), model.resolved);
    assert_eq!(ticket.deleted_at.map(tell::us), model.deleted);
    // Whole minutes, half up.
    let minutes = model.resolved.map(|at| (at + 30_000_000).div_euclid(60_000_000));
    assert_eq!(ticket.resolution_minutes(), minutes);
    assert_eq!(ticket.clocks.len(), model.clocks.len());
    for (clock, expected) in ticket.clocks.iter().zip(&model.clocks) {
        assert_eq!(clock.metric.name(), expected.promise.metric);
        assert_eq!(clock.state().name(), expected.state());
        assert_eq!(clock.cycle, expected.cycle);
        assert_eq!(tell::us(clock.started_at), expected.started);
        assert_eq!(tell::us(clock.due_at), expected.deadline());
        assert_eq!(clock.stopped_at().map(tell::us), expected.answered);
        assert_eq!(tell::lasted(clock.elapsed(tell::instant(now))), expected.counted(now));
        assert_eq!(matches!(clock.run, Run::Running { .. }), expected.is_running());
    }
    check_next_step(ticket, next_step(model));
}

/// The sweep sleeps until `next_step_at`: it must be the first instant at which there is something to do.
fn check_next_step(ticket: &Ticket, expected: Option<Us>) {
    let next = ticket.next_step_at();
    assert_eq!(next.map(tell::us), expected);
    match next {
        Some(at) => {
            assert!(ticket.clone().run_due_steps(at).is_some());
            assert!(ticket.clone().run_due_steps(at - TICK).is_none());
        }
        None => assert!(ticket.clone().run_due_steps(build::minute(10_000_000)).is_none()),
    }
}
