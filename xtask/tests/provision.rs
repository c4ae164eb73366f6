//! Starts real servers, kills them, and looks for what stays behind.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::Write;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use xtask::Error;
use xtask::provision::{Plan, Servers};

#[test]
fn postgres_keeps_its_address_and_its_data_over_kill_and_restart() {
    let mut servers =
        Servers::start(&Plan::fresh("test-postgres").private().without_broker().quiet()).unwrap();
    let url = servers.database_url().unwrap().to_owned();
    query(&url, "CREATE TABLE kept AS SELECT 42 AS answer");
    for _ in 0..3 {
        let mut client = in_transaction(&url);
        let database = servers.database().unwrap();
        database.kill().unwrap();
        assert!(!database.is_running());
        assert!(TcpStream::connect(address(&url)).is_err());
        database.restart().unwrap();
        assert!(database.is_running());
        drop(client.stdin.take());
        client.wait().unwrap();
        assert_eq!(query(&url, "SELECT answer FROM kept"), "42");
    }
    assert_eq!(servers.database_url(), Some(url.as_str()));
    assert!(matches!(servers.broker().map(|_| ()), Err(Error::Refused(_))));
    let folder = servers.folder();
    servers.stop().unwrap();
    assert!(!folder.exists());
    assert!(TcpStream::connect(address(&url)).is_err());
}

#[test]
fn rabbitmq_comes_back_after_kill_and_leaves_nothing_when_dropped() {
    let mut servers =
        Servers::start(&Plan::fresh("test-rabbitmq").private().without_database().quiet()).unwrap();
    let url = servers.amqp_url().unwrap().to_owned();
    let folder = servers.folder();
    let broker = servers.broker().unwrap();
    broker.kill().unwrap();
    assert!(TcpStream::connect(address(&url)).is_err());
    broker.restart().unwrap();
    TcpStream::connect(address(&url)).unwrap();
    drop(servers);
    assert!(TcpStream::connect(address(&url)).is_err());
    assert!(!folder.exists());
}

#[test]
fn two_fresh_instances_of_one_name_do_not_collide() {
    let plan = Plan::fresh("test-twice").private().without_broker().quiet();
    let (first, second) = (Servers::start(&plan).unwrap(), Servers::start(&plan).unwrap());
    assert_ne!(first.folder(), second.folder());
    assert_ne!(first.database_url(), second.database_url());
}

#[test]
fn a_kept_instance_has_one_holder_and_finds_its_data_again() {
    let plan = Plan::kept("test-kept").private().without_broker().quiet();
    let servers = Servers::start(&plan).unwrap();
    let folder = servers.folder();
    query(servers.database_url().unwrap(), "CREATE TABLE IF NOT EXISTS kept AS SELECT 42 AS answer");
    assert!(matches!(Servers::start(&plan), Err(Error::Refused(_))));
    servers.stop().unwrap();
    assert!(folder.exists());

    let servers = Servers::start(&plan).unwrap();
    assert_eq!(query(servers.database_url().unwrap(), "SELECT answer FROM kept"), "42");
    servers.stop().unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}

/// A client in the middle of a transaction, so that there is a backend to be orphaned.
fn in_transaction(url: &str) -> Child {
    let mut command = psql(url);
    let mut client =
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    writeln!(client.stdin.as_mut().unwrap(), "BEGIN; UPDATE kept SET answer = 7;").unwrap();
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'";
    while query(url, waiting) != "1" {}
    client
}

fn query(url: &str, sql: &str) -> String {
    let done = psql(url).args(["-c", sql]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).trim().to_owned()
}

fn psql(url: &str) -> Command {
    let mut command = Command::new("psql");
    command.args([url, "--no-psqlrc", "--quiet", "--tuples-only", "--no-align"]);
    command
}

/// `host:port` of a URL.
fn address(url: &str) -> String {
    let place = url.split_once('@').unwrap().1;
    place.split(['/', '?']).next().unwrap().to_owned()
}
