//! The binaries, as an operator meets them.

use std::{
    io::{BufRead, BufReader},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Output, Stdio},
    sync::mpsc,
    thread,
    time::Instant,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use techsupport_tests::{Desk, ImportWorker, LIMIT, TestDatabase, WorkerProcess, eventually, program, until};

fn api(arguments: &[&str], environment: &[(String, String)]) -> Command {
    let mut command = Command::new(program("techsupport-api"));
    command.args(arguments).env_clear().envs(environment.iter().map(|(name, value)| (name, value)));
    command
}

fn migrate(step: &str, url: &str) -> Output {
    let environment = [("DATABASE_URL".to_owned(), url.to_owned())];
    api(&["migrate", step], &environment).output().unwrap()
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What went wrong, in one line.
fn complained(output: &Output) -> String {
    assert!(!output.status.success());
    let errors = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(errors.trim_end().lines().count(), 1, "{errors}");
    errors
}

#[test]
fn migrating_by_hand() {
    let database = TestDatabase::empty();
    let steps = said(&migrate("up", database.url())).lines().count();
    assert!(steps >= 5);
    assert_eq!(said(&migrate("up", database.url())), "the schema is up to date\n");
    let status = said(&migrate("status", database.url()));
    assert_eq!(status.lines().filter(|line| line.starts_with("applied ")).count(), steps, "{status}");
    assert!(said(&migrate("redo", database.url())).starts_with("reverted and applied "));
    for _ in 0..steps {
        assert!(said(&migrate("down", database.url())).starts_with("reverted "));
    }
    complained(&migrate("down", database.url()));
    assert!(
        complained(&migrate("up", "postgres://nobody@127.0.0.1:1/none")).starts_with("techsupport-api: ")
    );
}

#[test]
fn it_says_in_one_line_why_it_does_not_start() {
    let database = TestDatabase::empty();
    let with = |name: &str, value: &str| {
        let mut environment = vec![("DATABASE_URL".to_owned(), database.url().to_owned())];
        environment.push((name.to_owned(), value.to_owned()));
        complained(&api(&[], &environment).output().unwrap())
    };
    assert!(with("TECHSUPPORT__HTTP__PORT", "0").contains("techsupport-api migrate up"));
    assert!(with("TECHSUPPORT__HTTP__PORTS", "0").contains("TECHSUPPORT__HTTP__PORTS"));
    assert!(with("TECHSUPPORT_PROFILE", "production").starts_with("techsupport-api: "));
}

/// What had been started by then is ended again, in order.
#[test]
fn it_says_in_one_line_that_its_port_is_taken_and_ends() {
    let desk = Desk::start();
    let mut environment = desk.variables().to_vec();
    environment.retain(|(name, _)| name != "TECHSUPPORT__HTTP__PORT");
    environment.push(("TECHSUPPORT__HTTP__PORT".to_owned(), desk.address().port().to_string()));
    let output = api(&[], &environment).output().unwrap();
    assert!(complained(&output).contains("cannot listen on"), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains(r#""msg":"stopped""#), "{output:?}");
}

/// A running API with the lines it writes.
pub(crate) struct Running {
    child: Child,
    lines: mpsc::Receiver<Value>,
}

impl Running {
    pub(crate) fn start(desk: &Desk) -> Self {
        Self::start_with(desk.variables())
    }

    pub(crate) fn start_with(environment: &[(String, String)]) -> Self {
        let mut child = api(&["serve"], environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (sender, lines) = mpsc::channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // Every line is JSON; nobody may listen any more.
                drop(sender.send(serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line}"))));
            }
        });
        Self { child, lines }
    }

    /// As soon as it is there: who waits for it may have no moment to lose.
    fn await_line(&self, message: &str) -> Value {
        let deadline = Instant::now() + LIMIT;
        loop {
            let line = self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now()));
            let line = line.unwrap_or_else(|error| panic!("no line that says {message}: {error}"));
            if line["msg"].as_str().is_some_and(|msg| msg.ends_with(message)) {
                return line;
            }
        }
    }

    /// Where it listens, once it does.
    pub(crate) fn address(&self) -> String {
        self.await_line("listening")["address"].as_str().unwrap().to_owned()
    }

    /// As the kernel does when memory is short.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn terminate(&mut self) -> std::process::ExitStatus {
        kill_process(Pid::from_raw(self.child.id().cast_signed()).unwrap(), Signal::TERM).unwrap();
        until("it ends after SIGTERM", || self.child.try_wait().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The first process of a container gets no signal it has no handler for, and would wait until it is killed.
#[test]
fn sigterm_ends_who_still_waits_for_the_database() {
    for arguments in [&["serve"][..], &["migrate", "up"], &["migrate", "wait"]] {
        let mute = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("postgres://desk@{}/desk", mute.local_addr().unwrap());
        let mut command = api(arguments, &[("DATABASE_URL".to_owned(), url)]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let _connection = mute.accept().unwrap();
        kill_process(Pid::from_raw(child.id().cast_signed()).unwrap(), Signal::TERM).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}, {said}", output.status);
        assert_eq!(said, "techsupport-api: interrupted before it was done\n");
    }
}

/// A request that is under way when SIGTERM comes is answered; the process ends well.
#[test]
fn sigterm_finishes_what_is_under_way() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let ticket = desk.ticket(&admin, "NORMAL");
    let mut running = Running::start(&desk);
    let address = running.address();
    let mut other = desk.database().connect();
    let mut holding = other.transaction().unwrap();
    holding.execute("SELECT 1 FROM tickets WHERE id = $1 FOR UPDATE", &[&ticket]).unwrap();
    let asking = thread::spawn({
        let caller = admin.at(&address);
        move || caller.patch(&format!("/api/tickets/{ticket}/status"), &json!({"status": "IN_PROGRESS"}))
    });
    let waiting = "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually("the request is under way", || desk.database().count(waiting) == 1);
    let ending = thread::spawn(move || {
        let status = running.terminate();
        (status, running)
    });
    eventually("nobody new is let in", || TcpStream::connect(&address).is_err());
    holding.rollback().unwrap();
    assert_eq!(asking.join().unwrap().expect(200).json()["status"], "IN_PROGRESS");
    let (status, running) = ending.join().unwrap();
    assert!(status.success(), "{status}");
    running.await_line("stopped");
    desk.await_published();
}

/// A goodbye that trips over itself does so only now and then: hence several.
#[test]
fn whoever_is_stopped_reports_no_error() {
    let desk = Desk::start();
    desk.await_topology();
    let consumes = |lines: &[String], queues| {
        lines.iter().filter(|line| line.contains("\"consuming\"")).count() == queues
    };
    for _ in 0..5 {
        let mut api = Running::start(&desk);
        let (mut worker, mut importer) = (WorkerProcess::start(&desk), ImportWorker::start(&desk));
        api.await_line("connected to the broker");
        eventually("both consume", || consumes(&worker.lines(), 2) && consumes(&importer.lines(), 1));
        worker.send_sigterm();
        assert!(worker.wait().success());
        importer.stop();
        assert!(api.terminate().success());
        let errors: Vec<_> = api.lines.iter().filter(|line| line["level"] == 50).collect();
        assert!(errors.is_empty(), "{errors:?}");
        assert_eq!((worker.errors(), importer.errors()), (vec![], vec![]));
    }
}

/// From the moment it listens somebody may have been let in. What it starts then takes it less than a moment: hence several.
#[test]
fn whoever_is_stopped_as_soon_as_it_listens_ends_in_order() {
    let desk = Desk::start();
    for _ in 0..5 {
        let mut api = Running::start(&desk);
        api.address();
        assert!(api.terminate().success());
        api.await_line("stopped");
    }
}

/// Killed with -9 in the middle of everything: what was answered is there, and what was not published is
/// published by the next one.
#[test]
fn a_killed_api_loses_nothing_it_has_answered() {
    let desk = Desk::with().without_sweep().without_relay().start();
    let admin = desk.admin();
    let client = desk.client_of(&admin, "NORMAL");
    let mut publishing = desk.variables().to_vec();
    publishing.retain(|(name, _)| name != "TECHSUPPORT__RELAY__ENABLED");
    let mut answered = Vec::new();
    for _ in 0..3 {
        let mut running = Running::start_with(&publishing);
        let address = running.address();
        let caller = admin.at(&address);
        answered.extend((0..20).map(|_| desk.ticket_for(&caller, client)));
        running.kill();
    }
    let mut stored: Vec<uuid::Uuid> = desk.database().all("SELECT id FROM tickets", &[]);
    stored.sort();
    answered.sort();
    assert_eq!(stored, answered);
    let _last = Running::start_with(&publishing);
    desk.await_published();
    let queue = format!("{}.webhook-events", desk.broker().prefix());
    eventually("every event has arrived", || desk.broker().ready(&queue).is_some_and(|ready| ready >= 60));
}
