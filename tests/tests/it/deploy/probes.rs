//! What health checks and init containers call.

use std::{process::Output, thread};

use techsupport_persistence::migrate;
use techsupport_tests::{Desk, TestDatabase, WorkerProcess, eventually};

use super::*;

fn ran(name: &str, arguments: &[&str], variables: &[(String, String)]) -> Output {
    let mut command = Command::new(program(name));
    command.args(arguments).env_clear().envs(variables.iter().map(|(name, value)| (name, value)));
    command.output().unwrap()
}

fn complaint(output: &Output) -> String {
    assert!(!output.status.success());
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Whether it fails with these words.
fn complains(output: &Output, words: &str) -> bool {
    !output.status.success() && complaint(output).contains(words)
}

/// Without its broker an API still answers requests: a balancer must go on sending them.
#[test]
fn an_api_without_its_broker_serves_but_is_not_ready() {
    let desk = Desk::with().cuttable_broker().start();
    desk.await_topology();
    let mut variables = desk.variables().to_vec();
    variables.retain(|(name, _)| name != "TECHSUPPORT__HTTP__PORT");
    variables.push(("TECHSUPPORT__HTTP__PORT".to_owned(), desk.address().port().to_string()));
    let is = |wanted: &str| ran("techsupport-api", &["health", wanted], &variables);
    assert!(is("live").status.success() && is("serving").status.success() && is("ready").status.success());
    desk.broker_way().cut();
    eventually("it notices", || complains(&is("ready"), "broker"));
    assert!(is("serving").status.success() && is("live").status.success());
    assert!(
        ran("techsupport-api", &["health"], &variables).status.success(),
        "which is what is asked by default"
    );
}

#[test]
fn nobody_who_is_not_there_is_well() {
    let nowhere = |name: &str| vec![(name.to_owned(), "1".to_owned())];
    let api = ran("techsupport-api", &["health", "live"], &nowhere("TECHSUPPORT__HTTP__PORT"));
    assert!(complaint(&api).contains("does not answer"), "{}", complaint(&api));
    let worker = ran("sla-worker", &["health"], &nowhere("TECHSUPPORT__MONITOR__PORT"));
    assert!(complaint(&worker).contains("does not answer"));
}

#[test]
fn a_worker_says_what_it_lacks() {
    let desk = Desk::with().cuttable_broker().start();
    desk.await_topology();
    let worker = WorkerProcess::start_with(&desk, &metrics::MONITORED);
    let mut variables = desk.variables().to_vec();
    let port = metrics::monitor_of(&|| worker.lines()).port();
    variables.push(("TECHSUPPORT__MONITOR__PORT".to_owned(), port.to_string()));
    let asked = || ran("sla-worker", &["health"], &variables);
    eventually("it has everything", || asked().status.success());
    desk.broker_way().cut();
    eventually("it notices", || complains(&asked(), "the broker is missing"));
}

#[test]
fn waiting_for_the_schema_ends_when_somebody_else_has_migrated_and_not_before() {
    let database = TestDatabase::empty();
    let variables = vec![("DATABASE_URL".to_owned(), database.url().to_owned())];
    let in_vain = || ran("techsupport-api", &["migrate", "wait", "--seconds", "0"], &variables);
    // There is a second for its only look. Where the server is slower than that, it rightly says so instead.
    eventually("it finds the schema behind", || complaint(&in_vain()).contains("behind"));
    let waiting = thread::spawn({
        let variables = variables.clone();
        move || ran("techsupport-api", &["migrate", "wait", "--seconds", "300"], &variables)
    });
    let watching =
        "pg_stat_activity WHERE datname = current_database() AND application_name = 'techsupport-migrate'";
    eventually("it waits", || database.count(watching) > 0);
    assert!(!waiting.is_finished());
    migrate::up(&database.settings()).unwrap();
    assert!(waiting.join().unwrap().status.success());
}
