//! Starts what runs beside the server: the background passes, and the one connection that wakes them.
//!
//! All of them have connections of their own: a flood of requests that takes every connection of the pool must
//! neither make a breach late nor keep somebody's rights alive.

use std::{io, sync::Arc};

use techsupport_application::ports::{EventPublisher, Passwords};
use techsupport_http::{EventBell, Revocations};
use techsupport_messaging::Publisher;
use techsupport_persistence::{Bells, Topic, listen};
use tokio::runtime::Handle;

use crate::{
    ApiSettings, StartError,
    background::{Background, Bell, EndedSessions, Feed, Forget, Relay, Replay, Sums, Sweep},
    collecting::Collecting,
    database::{BACKGROUND, DEAD_LETTERS, LISTENER, NAME, REPLAY, SESSIONS, SUMS, connections, ports_of},
    running::Stoppable,
    settings::ms,
};

/// The look for logins that have ended. It is run once before anybody is let in.
pub(crate) fn ended_sessions(settings: &ApiSettings, revocations: &Arc<Revocations>) -> EndedSessions {
    let reader = connections(settings, 1, SESSIONS).reader();
    EndedSessions::new(reader, Arc::clone(revocations), settings.auth.revocations)
}

/// Takes what the dead-letter queues hold. When very many come, nothing else waits for them.
pub(crate) fn collect(settings: &ApiSettings, publisher: &Publisher, threads: &Handle) -> Option<Collecting> {
    let _inside = threads.enter();
    let drain = ms(settings.process.stop_wait_ms);
    let start = || {
        let database = connections(settings, settings.dead_letters.parallelism.into(), DEAD_LETTERS);
        Collecting::start((&settings.broker, NAME), &settings.dead_letters, drain, &database, publisher)
    };
    settings.dead_letters.collect.then(start)
}

/// Starts every pass that the settings ask for.
pub(crate) fn start(
    settings: &ApiSettings,
    ended: EndedSessions,
    events: EventBell,
    passwords: &Arc<dyn Passwords>,
    publisher: &Publisher,
    stoppable: &mut Stoppable,
) -> Result<(), StartError> {
    let sessions = Arc::new(Bell::default());
    stoppable.ended_sessions =
        Some(Background::start(ended, &sessions).map_err(no_thread("learns of ended sessions"))?);
    put_back(settings, publisher, stoppable)?;
    sum_up(settings, stoppable)?;
    let sweep = watch(settings, passwords, publisher, stoppable)?;
    let bells = Bells::default()
        .on(Topic::EndedSessions, move || sessions.ring())
        .on(Topic::Events, move || events.ring());
    let bells = match sweep {
        Some(sweep) => bells.on(Topic::Deadlines, move || sweep.ring()),
        None => bells,
    };
    let listener = listen(&settings.database, LISTENER, bells);
    stoppable.listener = Some(listener.map_err(no_thread("listens to the database"))?);
    Ok(())
}

/// Not on the connections that store dead letters: those may all be in use for long.
fn put_back(
    settings: &ApiSettings,
    publisher: &Publisher,
    stoppable: &mut Stoppable,
) -> Result<(), StartError> {
    if settings.dead_letters.replay {
        let replays = connections(settings, 1, REPLAY).dead_letter_replays();
        let pass = Replay::new(replays, Arc::new(publisher.clone()), settings.dead_letters.clone());
        let started = Background::start(pass, &Arc::default());
        stoppable.replay = Some(started.map_err(no_thread("puts dead letters back"))?);
    }
    Ok(())
}

/// A batch may take seconds.
fn sum_up(settings: &ApiSettings, stoppable: &mut Stoppable) -> Result<(), StartError> {
    if settings.reports.sum_up {
        let database = connections(settings, 1, SUMS);
        let sums = database.imported_sums(ms(settings.reports.batch_timeout_ms));
        let started = Background::start(Sums::new(sums, settings.reports), &Arc::default());
        stoppable.sums = Some(started.map_err(no_thread("sums up imports"))?);
    }
    Ok(())
}

/// Relay, feed, the forgetting of what is over, and the sweep. Returns what wakes the sweep, if there is one.
fn watch(
    settings: &ApiSettings,
    passwords: &Arc<dyn Passwords>,
    publisher: &Publisher,
    stoppable: &mut Stoppable,
) -> Result<Option<Arc<Bell>>, StartError> {
    let database = connections(settings, settings.process.background_connections, BACKGROUND);
    let relay = Arc::new(Bell::default());
    let no_thread = || no_thread("runs a background pass");
    if settings.relay.enabled {
        let publisher: Arc<dyn EventPublisher> = Arc::new(publisher.clone());
        let pass = Relay::new(database.outbox(), publisher, settings.relay.clone());
        stoppable.relay = Some(Background::start(pass, &relay).map_err(no_thread())?);
    }
    if settings.feed.enabled {
        let keeper = database.feed_keeper(ms(settings.feed.batch_timeout_ms));
        let pass = Feed::new(keeper, settings.feed.clone());
        stoppable.feed = Some(Background::start(pass, &Arc::default()).map_err(no_thread())?);
    }
    if settings.idempotency.enabled || settings.dead_letters.forget {
        let ports = ports_of(&database, passwords);
        let pass = Forget::new(ports, settings.idempotency.clone(), settings.dead_letters.clone());
        stoppable.forget = Some(Background::start(pass, &Arc::default()).map_err(no_thread())?);
    }
    if !settings.sweep.enabled {
        return Ok(None);
    }
    let sweep = Arc::new(Bell::default());
    let pass = Sweep::new(ports_of(&database, passwords), settings.sweep.clone(), relay);
    stoppable.sweep = Some(Background::start(pass, &sweep).map_err(no_thread())?);
    Ok(Some(sweep))
}

fn no_thread(that: &str) -> impl FnOnce(io::Error) -> StartError + use<> {
    StartError::system(format!("no thread that {that}"))
}
