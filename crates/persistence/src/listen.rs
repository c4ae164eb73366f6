//! Hears when a deadline appeared that is nearer than a sweep sleeps.
//!
//! `NOTIFY` is only a hint: what is missed while the connection is down is found by the sweep's own next
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

/// How long dropping the bell waits for its thread. libpq cannot be interrupted while it connects, and the
/// thread holds nothing that is worth more time.
const PATIENCE: Duration = Duration::from_secs(1);

/// A thread that listens. Dropping it stops the thread and waits for it, for a second at most.
pub struct DeadlineBell {
    stop: Option<Sender<()>>,
    ended: Receiver<()>,
}

impl Drop for DeadlineBell {
    fn drop(&mut self) {
        drop(self.stop.take());
        if self.ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("the thread that listens for deadlines is busy connecting and is left behind");
        }
    }
}

/// Calls `ring` whenever a near deadline was written, by whichever process, and once after each
/// (re)connection, because something may have been missed.
pub fn listen_for_deadlines(
    settings: &DatabaseSettings,
    application_name: &str,
    ring: impl Fn() + Send + 'static,
) -> std::io::Result<DeadlineBell> {
    let manager = LinkManager::new(settings, application_name, Arc::default());
    let (stop, stopped) = channel();
    let (at_the_end, ended) = channel::<()>();
    std::thread::Builder::new().name("deadline-bell".to_owned()).spawn(move || {
        let _at_the_end = at_the_end;
        let mut wait = RECONNECT.0;
        // An outage is worth one line, not one for each attempt.
        let mut told = false;
        loop {
            match connect(&manager) {
                Ok(conn) => {
                    (wait, told) = (RECONNECT.0, false);
                    ring();
                    if listen(conn, &ring, &stopped) == Listened::Stopped {
                        return;
                    }
                    tracing::warn!("lost the connection that listens for deadlines");
                }
                Err(error) if !told => {
                    told = true;
                    tracing::warn!(error, "cannot listen for deadlines; trying again");
                }
                Err(_) => {}
            }
            if stopped.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            wait = (wait * 2).min(RECONNECT.1);
        }
    })?;
    Ok(DeadlineBell { stop: Some(stop), ended })
}

fn connect(manager: &LinkManager) -> Result<PgConnection, String> {
    let mut conn = manager.open().map_err(|error| error.to_string())?;
    conn.batch_execute("LISTEN techsupport_deadlines").map_err(|error| error.to_string())?;
    Ok(conn)
}

#[derive(PartialEq, Eq)]
enum Listened {
    Stopped,
    Lost,
}

fn listen(mut conn: PgConnection, ring: &impl Fn(), stopped: &Receiver<()>) -> Listened {
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
