//! A private PostgreSQL.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::local::{Home, SharedInstance, Started, await_ready, lock};
use super::server::Server;
use crate::error::{Error, Result};
use crate::process::{self, Managed, Mark, Signal};
use crate::{wait, workspace};

/// The superuser and the database of every private instance.
const NAME: &str = "techsupport";
const LOG: &str = "postgresql.log";
const START_LIMIT: Duration = Duration::from_mins(1);
const STOP_GRACE: Duration = Duration::from_secs(20);

/// A PostgreSQL that we started.
pub(crate) struct Postgres {
    programs: PathBuf,
    home: Home,
    port: u16,
    url: String,
    durable: bool,
    settings: Vec<(String, String)>,
    instance: SharedInstance,
    process: Option<Managed>,
}

impl Postgres {
    /// Makes the data directory if there is none yet, and starts the server.
    pub(crate) fn start(
        programs: PathBuf,
        home: Home,
        port: u16,
        durable: bool,
        settings: &[(String, String)],
        instance: SharedInstance,
    ) -> Result<Self> {
        let url = format!("postgres://{NAME}@127.0.0.1:{port}/{NAME}?sslmode=disable");
        let settings = settings.to_vec();
        let mut server = Self { programs, home, port, url, durable, settings, instance, process: None };
        if !server.data().exists() {
            server.initialise()?;
        }
        server.restart()?;
        Ok(server)
    }

    fn data(&self) -> PathBuf {
        self.home.folder.join("data")
    }

    /// Into a draft that is renamed at the end, so that an interrupted attempt is not taken for a database.
    fn initialise(&self) -> Result<()> {
        let draft = self.home.folder.join("data.new");
        let initialise = |locale: &str| {
            if draft.exists() {
                fs::remove_dir_all(&draft).map_err(Error::io(format!("removing {}", draft.display())))?;
            }
            let mut command = self.home.command(&self.programs.join("initdb"));
            command.arg("-D").arg(&draft).args(["-U", NAME, "--auth=trust", "-E", "UTF8", locale]);
            if !self.durable {
                command.arg("--no-sync");
            }
            workspace::output(&mut command, "initdb")
        };
        // Systems without this locale have "C", which sorts in the same way.
        initialise("--locale=C.UTF-8").or_else(|_| initialise("--locale=C"))?;
        self.create_database(&draft)?;
        fs::rename(&draft, self.data()).map_err(Error::io(format!("renaming {}", draft.display())))
    }

    /// In single-user mode: it needs no client programs and no running server.
    fn create_database(&self, data: &Path) -> Result<()> {
        let mut command = self.home.command(&self.programs.join("postgres"));
        command.arg("--single").arg("-D").arg(data).arg("postgres").stdin(Stdio::piped());
        if !self.durable {
            command.args(["-c", "fsync=off"]);
        }
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(Error::io("starting postgres --single"))?;
        let written = child.stdin.take().map(|mut input| writeln!(input, "CREATE DATABASE {NAME}"));
        written.transpose().map_err(Error::io("creating the database"))?;
        let done = child.wait_with_output().map_err(Error::io("creating the database"))?;
        if done.status.success() {
            return Ok(());
        }
        let output = String::from_utf8_lossy(&done.stderr).into_owned();
        Err(Error::Program { program: "postgres --single".into(), status: done.status, output })
    }

    fn command(&self) -> Command {
        let mut command = self.home.command(&self.programs.join("postgres"));
        command.arg("-D").arg(self.data()).arg("-p").arg(self.port.to_string());
        let mut set = |name: &str, value: &str| {
            command.arg("-c").arg(format!("{name}={value}"));
        };
        set("listen_addresses", "127.0.0.1");
        set("unix_socket_directories", "");
        set("max_connections", "400");
        set("lc_messages", "C");
        set("timezone", "UTC");
        set("log_timezone", "UTC");
        if !self.durable {
            // Safe over `kill -9`, because the system still has what was written. `synchronous_commit = off` would not be:
            // it leaves committed rows in the server's own memory.
            set("fsync", "off");
            set("full_page_writes", "off");
        }
        for (name, value) in &self.settings {
            set(name, value);
        }
        command
    }

    /// A lock file of a server that is gone may name an id that some other process has by now, and would then block the start
    /// for ever. We hold the instance's lock, so only a server on this very directory counts: such a one is stopped.
    fn clear_lock_file(&self) {
        let file = self.data().join("postmaster.pid");
        let Some(pid) = pid_in(&file) else { return };
        let Some(mark) = Mark::of(pid) else { return };
        if process::command_line(pid).contains(&self.data().display().to_string()) {
            mark.signal(Signal::INT);
            wait::until_done(STOP_GRACE, || !mark.is_alive());
        } else {
            fs::remove_file(&file).ok();
        }
    }

    /// What `pg_ctl -w` looks at: the eighth line of the lock file, once it is that of our process.
    fn is_ready(&self, pid: i32) -> bool {
        let file = self.data().join("postmaster.pid");
        pid_in(&file) == Some(pid)
            && fs::read_to_string(&file)
                .is_ok_and(|text| text.lines().nth(7).is_some_and(|status| status.trim() == "ready"))
    }
}

impl Server for Postgres {
    fn name(&self) -> &'static str {
        "PostgreSQL"
    }

    fn url(&self) -> &str {
        &self.url
    }

    fn is_running(&mut self) -> bool {
        self.process.as_mut().is_some_and(|process| process.ended().is_none())
    }

    /// Kills the postmaster first, as a crash would, and then those of its children that have not noticed.
    fn kill(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            let children = process::children(process.mark().pid());
            process.kill();
            let gone = || children.iter().all(|child| !child.is_alive());
            if !wait::until_done(Duration::from_millis(500), gone) {
                for child in &children {
                    child.signal(Signal::KILL);
                }
                wait::until_done(Duration::from_secs(5), gone);
            }
        }
        Ok(())
    }

    fn restart(&mut self) -> Result<()> {
        if self.is_running() {
            return Ok(());
        }
        self.clear_lock_file();
        // Orphaned backends hold the old shared memory until they notice; until then every start ends at once.
        let deadline = Instant::now() + START_LIMIT;
        while Instant::now() < deadline {
            let process = self.home.spawn(&mut self.command(), LOG, "postgres")?;
            let mark = process.mark().clone();
            lock(&self.instance).record("postgresql", mark.clone())?;
            match await_ready(process, "PostgreSQL", START_LIMIT, || Ok(self.is_ready(mark.pid())))? {
                Started::Ready(process) => {
                    self.process = Some(process);
                    return Ok(());
                }
                Started::Ended => {
                    let log = self.home.log_tail(LOG);
                    if !log.contains("pre-existing shared memory") && !log.contains("already exists") {
                        break;
                    }
                    wait::pause(Duration::from_millis(200));
                }
            }
        }
        let what = format!("PostgreSQL did not start on port {}", self.port);
        Err(Error::NotReady { what, log: self.home.log_tail(LOG) })
    }

    fn rabbitmqctl(&self, _arguments: &[&str]) -> Result<String> {
        Err(Error::Refused("PostgreSQL is no RabbitMQ".into()))
    }

    fn stop(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            // Fast shutdown for data that stays; the immediate one, which also ends the backends, for data that goes.
            process.stop(if self.durable { Signal::INT } else { Signal::QUIT }, STOP_GRACE);
        }
        Ok(())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Stopping reports nothing; see above.
        self.stop().ok();
    }
}

fn pid_in(file: &Path) -> Option<i32> {
    fs::read_to_string(file).ok()?.lines().next()?.trim().parse().ok()
}
