//! Hears what other processes commit: that a deadline appeared which is nearer than a sweep sleeps, or that a login
//! ended.
//!
//! `NOTIFY` is only a hint: what is missed while the connection is down is found by the listener's own next
//! look.

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

/// Calls `ring` whenever something was committed on the topic, by whichever process, and once after each
/// (re)connection, because something may have been missed.
pub fn listen(
    topic: Topic,
    settings: &DatabaseSettings,
    application_name: &str,
    ring: impl Fn() + Send + 'static,
) -> std::io::Result<Listener> {
    let manager = LinkManager::new(settings, application_name, Arc::default());
    let (stop, stopped) = channel();
    let (at_the_end, ended) = channel::<()>();
    std::thread::Builder::new().name(topic.channel().to_owned()).spawn(move || {
        let _at_the_end = at_the_end;
        let mut wait = RECONNECT.0;
        // An outage is worth one line, not one for each attempt.
        let mut told = false;
        loop {
            match connect(&manager, topic) {
                Ok(conn) => {
                    (wait, told) = (RECONNECT.0, false);
                    ring();
                    if hear(conn, &ring, &stopped) == Listened::Stopped {
                        return;
                    }
                    tracing::warn!(?topic, "lost the connection that listens to the database");
                }
                Err(error) if !told => {
                    told = true;
                    tracing::warn!(?topic, error, "cannot listen to the database; trying again");
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

fn connect(manager: &LinkManager, topic: Topic) -> Result<PgConnection, String> {
    let mut conn = manager.open().map_err(|error| error.to_string())?;
    conn.batch_execute(&format!("LISTEN {}", topic.channel())).map_err(|error| error.to_string())?;
    Ok(conn)
}

#[derive(PartialEq, Eq)]
enum Listened {
    Stopped,
    Lost,
}

fn hear(mut conn: PgConnection, ring: &impl Fn(), stopped: &Receiver<()>) -> Listened {
    loop {
        let mut heard = false;
        for notification in conn.notifications_iter() {
            match notification {
                Ok(_) => heard = true,
                Err(_) => return Listened::Lost,
            }
        }
        if heard {
            ring();
        }
        if stopped.recv_timeout(LOOK_EVERY) != Err(RecvTimeoutError::Timeout) {
            return Listened::Stopped;
        }
    }
}
