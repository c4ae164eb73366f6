//! Keeps everything running, and shows what happens.

use std::io::Write;
use std::time::{Duration, Instant};

use super::tail::{self, Tail};
use crate::error::{Error, Result};
use crate::provision::{Server, Servers};
use crate::service::{Service, await_ready};
use crate::{signals, wait};

const TURN: Duration = Duration::from_millis(100);
const FIRST_DELAY: Duration = Duration::from_millis(500);
const LONGEST_DELAY: Duration = Duration::from_secs(30);
/// Whoever ran this long did not die of its start.
const GOOD_RUN: Duration = Duration::from_mins(1);

/// The servers and the services. Dropping it stops them, services first.
pub(crate) struct Supervisor {
    api: Service,
    workers: [Service; 2],
    api_tail: Tail,
    worker_tails: [Tail; 2],
    backoffs: [Backoff; 5],
    servers: Servers,
}

impl Supervisor {
    /// Starts the API.
    pub(crate) fn start(servers: Servers, api: Service, workers: [Service; 2]) -> Result<Self> {
        let api_tail = Tail::from_end(api.log());
        let worker_tails = workers.each_ref().map(|worker| Tail::from_end(worker.log()));
        let backoffs = [(); 5].map(|()| Backoff::new());
        let mut supervisor = Self { api, workers, api_tail, worker_tails, backoffs, servers };
        start(&mut supervisor.api, &supervisor.servers)?;
        Ok(supervisor)
    }

    /// Waits until requests are answered, and starts the workers. By then the queues are there: programs that declare
    /// the same ones at once get into each other's way at the broker, which they log as errors.
    pub(crate) fn await_ready(&mut self, port: u16) -> Result<()> {
        await_ready(port, &mut [&mut self.api])?;
        self.workers.iter_mut().try_for_each(|worker| start(worker, &self.servers))
    }

    pub(crate) fn database_url(&self) -> &str {
        self.servers.database_url().unwrap_or_default()
    }

    /// Shows log lines and restarts what dies, until a signal asks to stop.
    pub(crate) fn watch(&mut self) -> Result<()> {
        while !signals::stop_requested() {
            if self.show().is_err() {
                // Nobody reads any more (`up | head`): the same as Ctrl-C.
                return Ok(());
            }
            self.revive()?;
            wait::pause(TURN);
        }
        Ok(())
    }

    /// Stops services, broker and database, in this order, and shows the last lines.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.stop_services();
        // The terminal may be gone.
        self.show().ok();
        self.servers.release()
    }

    fn stop_services(&mut self) {
        self.api.stop();
        self.workers.iter_mut().for_each(Service::stop);
    }

    fn show(&mut self) -> Result<()> {
        let mut out = std::io::stdout().lock();
        for tail in &mut self.worker_tails {
            for line in tail.lines()? {
                writeln!(out, "{line}").map_err(Error::io("writing to the terminal"))?;
            }
        }
        for line in self.api_tail.lines()?.into_iter().filter(|line| tail::is_alarming(line)) {
            writeln!(out, "{line}").map_err(Error::io("writing to the terminal"))?;
        }
        out.flush().map_err(Error::io("writing to the terminal"))
    }

    /// Services first: a server takes seconds, and a service that comes up before it waits for it.
    fn revive(&mut self) -> Result<()> {
        let [database, broker, api, workers @ ..] = &mut self.backoffs;
        revive_service(&mut self.api, &self.servers, api);
        for (worker, backoff) in self.workers.iter_mut().zip(workers) {
            revive_service(worker, &self.servers, backoff);
        }
        revive_server(self.servers.database()?, database);
        revive_server(self.servers.broker()?, broker);
        Ok(())
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.stop_services();
    }
}

fn start(service: &mut Service, servers: &Servers) -> Result<()> {
    let mark = service.start()?;
    servers.recorder().record(service.name(), mark)
}

fn revive_server(server: &mut dyn Server, backoff: &mut Backoff) {
    if server.is_running() {
        return;
    }
    match backoff.turn() {
        Turn::JustDied(delay) => announce(server.name(), "is gone", delay),
        Turn::Wait => {}
        Turn::Start => match server.restart() {
            Ok(()) => eprintln!("xtask: {} runs again", server.name()),
            Err(error) => eprintln!("xtask: {error}"),
        },
    }
}

fn revive_service(service: &mut Service, servers: &Servers, backoff: &mut Backoff) {
    let Some(status) = service.ended() else { return };
    match backoff.turn() {
        Turn::JustDied(delay) => announce(service.name(), &format!("ended ({status})"), delay),
        Turn::Wait => {}
        Turn::Start => {
            if let Err(error) = start(service, servers) {
                eprintln!("xtask: {error}");
            }
        }
    }
}

fn announce(name: &str, what: &str, delay: Duration) {
    eprintln!("xtask: {name} {what}; starting it again in {:.1} s", delay.as_secs_f32());
}

/// Doubling delays between starts, back to the first after a good run.
#[derive(Debug)]
struct Backoff {
    delay: Duration,
    started: Instant,
    due: Option<Instant>,
}

#[derive(Debug, PartialEq, Eq)]
enum Turn {
    JustDied(Duration),
    Wait,
    Start,
}

impl Backoff {
    fn new() -> Self {
        Self { delay: FIRST_DELAY, started: Instant::now(), due: None }
    }

    /// What to do about something that is found dead now.
    fn turn(&mut self) -> Turn {
        let now = Instant::now();
        match self.due {
            None => {
                if now.duration_since(self.started) >= GOOD_RUN {
                    self.delay = FIRST_DELAY;
                }
                self.due = Some(now + self.delay);
                Turn::JustDied(self.delay)
            }
            Some(due) if now < due => Turn::Wait,
            Some(_) => {
                self.due = None;
                self.started = now;
                self.delay = (self.delay * 2).min(LONGEST_DELAY);
                Turn::Start
            }
        }
    }
}
