//! Hears what other processes commit: that a deadline appeared which is nearer than a sweep sleeps, that a login
//! ended, that there are new events.
//!
//! One connection hears for the whole process. `NOTIFY` is only a hint: whoever is woken looks for himself, and what
//! is missed while the connection is down is found by the look after it is back.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use diesel::{PgConnection, connection::SimpleConnection};

use crate::{DatabaseSettings, link::LinkManager};

/// How often the socket is looked at. libpq has no blocking wait for notifications; a look is one
/// non-blocking read, and nothing goes to the server.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// The first and the longest wait before connecting again.
const RECONNECT: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// What can be heard of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// A near deadline.
    Deadlines,
    /// Logins that ended.
    EndedSessions,
    /// Events that can be read in the feed.
    Events,
}

impl Topic {
    /// The channel's name, which the statements that notify have too.
    pub(crate) const fn channel(self) -> &'static str {
        match self {
            Topic::Deadlines => "techsupport_deadlines",
            Topic::EndedSessions => "techsupport_ended_sessions",
            Topic::Events => "techsupport_events",
        }
    }
}

/// What to do when something is heard. It must not block: nothing is heard meanwhile.
type Ring = Box<dyn Fn() + Send>;

/// Who wants to hear of what.
#[derive(Default)]
pub struct Bells(Vec<(Topic, Ring)>);

impl Bells {
    /// Calls `ring` whenever something was committed on the topic, by whichever process, and once after each
    /// (re)connection, because something may have been missed. It must not block.
    #[must_use]
    pub fn on(mut self, topic: Topic, ring: impl Fn() + Send + 'static) -> Self {
        self.0.push((topic, Box::new(ring)));
        self
    }

    fn ring_all(&self) {
        self.0.iter().for_each(|(_, ring)| ring());
    }

    /// Rings once for each topic, however often it was heard of.
    fn ring_those_on(&self, heard: &[String]) {
        for (topic, ring) in &self.0 {
            if heard.iter().any(|channel| channel == topic.channel()) {
                ring();
            }
        }
    }

    /// One round trip and one transaction: either all topics are heard of or none.
    fn listen(&self) -> String {
        self.0.iter().map(|(topic, _)| format!("LISTEN {}", topic.channel())).collect::<Vec<_>>().join("; ")
    }
}

/// How long dropping the listener waits for its thread. libpq cannot be interrupted while it connects, and the
/// thread holds nothing that is worth more time.
const PATIENCE: Duration = Duration::from_secs(1);

/// A thread that listens. Dropping it stops the thread and waits for it, for a second at most.
pub struct Listener {
    stop: Option<Sender<()>>,
    ended: Receiver<()>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        drop(self.stop.take());
        if self.ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("a thread that listens to the database is busy connecting and is left behind");
        }
    }
}

/// Rings the bells from now on. One connection hears for all of them.
pub fn listen(
    settings: &DatabaseSettings,
    application_name: &str,
    bells: Bells,
) -> std::io::Result<Listener> {
    let manager = LinkManager::new(settings, application_name, Arc::default());
    let (stop, stopped) = channel();
    let (at_the_end, ended) = channel::<()>();
    std::thread::Builder::new().name("listener".to_owned()).spawn(move || {
        let _at_the_end = at_the_end;
        let mut wait = RECONNECT.0;
        // An outage is worth one line, not one for each attempt.
        let mut told = false;
        loop {
            match connect(&manager, &bells) {
                Ok(conn) => {
                    (wait, told) = (RECONNECT.0, false);
                    bells.ring_all();
                    if hear(conn, &bells, &stopped) == Listened::Stopped {
                        return;
                    }
                    tracing::warn!("lost the connection that listens to the database");
                }
                Err(error) if !told => {
                    told = true;
                    tracing::warn!(error, "cannot listen to the database; trying again");
                }
                Err(_) => {}
            }
            if stopped.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            wait = (wait * 2).min(RECONNECT.1);
        }
    })?;
    Ok(Listener { stop: Some(stop), ended })
}

fn connect(manager: &LinkManager, bells: &Bells) -> Result<PgConnection, String> {
    let mut conn = manager.open().map_err(|error| error.to_string())?;
    conn.batch_execute(&bells.listen()).map_err(|error| error.to_string())?;
    Ok(conn)
}

#[derive(PartialEq, Eq)]
enum Listened {
    Stopped,
    Lost,
}

fn hear(mut conn: PgConnection, bells: &Bells, stopped: &Receiver<()>) -> Listened {
    loop {
        let mut heard = Vec::new();
        for notification in conn.notifications_iter() {
            match notification {
                Ok(notification) => heard.push(notification.channel),
                Err(_) => return Listened::Lost,
            }
        }
        bells.ring_those_on(&heard);
        if stopped.recv_timeout(LOOK_EVERY) != Err(RecvTimeoutError::Timeout) {
            return Listened::Stopped;
        }
    }
}
