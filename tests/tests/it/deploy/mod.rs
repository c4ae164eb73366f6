//! The files in `deploy/`, held against the programs they are about. They are read as Docker, Kubernetes and
//! Prometheus read them; none of these has to be there.

mod compose;
mod image;
mod kubernetes;
mod metrics;
mod probes;
mod promql;

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use secrecy::ExposeSecret;
use serde_json::Value;
use techsupport_api::{ApiSettings, refuse_weak_secrets};
use techsupport_bootstrap::{
    servers::refuse_weak_passwords,
    settings::{Sources, load_from},
};
use techsupport_import_worker::ImportWorkerSettings;
use techsupport_sla_worker::SlaWorkerSettings;
use techsupport_tests::program;

type Variables = Vec<(String, String)>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn text(path: &str) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every document of a file.
fn yaml(path: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(&text(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|item| item.as_str().unwrap().to_owned()).collect()
}

/// Every program, by the name of its binary.
const PROGRAMS: [&str; 3] = ["techsupport-api", "sla-worker", "import-worker"];

/// The version that the programs say they have.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Lines such as `NAME=value`.
fn env_file(text: &str) -> Variables {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| line.split_once('=').unwrap_or_else(|| panic!("no variable: {line}")))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Fails unless the program starts with these variables and, in production, thinks its secrets good.
fn accepted_by(program: &str, variables: &[(String, String)]) {
    let profile =
        variables.iter().find(|(name, _)| name == "TECHSUPPORT_PROFILE").map(|(_, value)| value.as_str());
    assert_eq!(profile, Some("production"), "{program}");
    let servers = match program {
        "techsupport-api" => return refuse_weak_secrets(&api_settings(variables)).unwrap(),
        "sla-worker" => {
            let settings = worker_settings(variables);
            (settings.profile, settings.database, settings.broker)
        }
        "import-worker" => {
            let settings = importer_settings(variables);
            (settings.profile, settings.database, settings.broker)
        }
        other => panic!("{other} is no program of ours"),
    };
    let (profile, database, broker) = servers;
    refuse_weak_passwords(profile, database.url.expose_secret(), broker.url.expose_secret()).unwrap();
}

/// The port on which a program with these variables can be asked how it is.
fn port_of(program: &str, variables: &[(String, String)]) -> u16 {
    match program {
        "techsupport-api" => api_settings(variables).http.port,
        "sla-worker" => worker_settings(variables).monitor.port,
        "import-worker" => importer_settings(variables).monitor.port,
        other => panic!("{other} is no program of ours"),
    }
}

/// What of an API ends after its requests, one after the other: background passes, the consumers of dead letters
/// together, and the connection that listens.
const PASSES: u64 = 8;
const LISTENER_S: u64 = 1;
/// What the server, the broker's goodbye and the last threads may take beyond their limits.
const MARGINS_S: u64 = 5 + 2;

/// How long a program may take to stop.
fn stop_s(program: &str) -> u64 {
    let drain_ms = match program {
        "techsupport-api" => {
            let settings = api_settings(&[]);
            let passes = PASSES * settings.process.stop_wait_ms.div_ceil(1_000);
            let requests = settings.http.leave_ms.div_ceil(1_000) + settings.http.shutdown_timeout_s;
            return requests + passes + LISTENER_S + MARGINS_S;
        }
        "sla-worker" => worker_settings(&[]).worker.drain_timeout_ms,
        "import-worker" => importer_settings(&[]).imports.drain_timeout_ms,
        other => panic!("{other} is no program of ours"),
    };
    drain_ms.div_ceil(1_000) + MARGINS_S
}

/// systemd kills what takes longer to stop.
#[test]
fn the_manual_gives_every_program_the_time_to_finish() {
    let manual = text("docs/operations.md");
    let (_, limit) = manual.split_once("`TimeoutStopSec=").unwrap();
    let limit: u64 = limit.split_once('`').unwrap().0.parse().unwrap();
    assert!(PROGRAMS.map(stop_s).iter().all(|needed| limit >= *needed), "{:?}", PROGRAMS.map(stop_s));
}

fn api_settings(variables: &[(String, String)]) -> ApiSettings {
    let sources = Sources { folder: None, variables: variables.to_vec() };
    load_from(&sources).unwrap_or_else(|error| panic!("{error}"))
}

fn worker_settings(variables: &[(String, String)]) -> SlaWorkerSettings {
    let sources = Sources { folder: None, variables: variables.to_vec() };
    load_from(&sources).unwrap_or_else(|error| panic!("{error}"))
}

fn importer_settings(variables: &[(String, String)]) -> ImportWorkerSettings {
    let sources = Sources { folder: None, variables: variables.to_vec() };
    load_from(&sources).unwrap_or_else(|error| panic!("{error}"))
}

/// Fails unless this is a command line of one of our programs, by its name or by its place in the image. Returns the
/// program.
fn command_of_ours(command: &[String]) -> String {
    let (first, arguments) = command.split_first().expect("a command");
    let name = first.strip_prefix("/usr/local/bin/").unwrap_or(first);
    let asked = Command::new(program(name)).args(arguments).arg("--help").output().unwrap();
    assert!(asked.status.success(), "{command:?}: {}", String::from_utf8_lossy(&asked.stderr));
    name.to_owned()
}

/// What `deploy/make-secrets` makes: `.env` and `api.env`.
fn secrets() -> (Variables, Variables) {
    let folder = Scratch::new();
    // No copy: a program cannot be run while anybody has it open for writing, as children that other tests fork have
    // for a moment.
    symlink(root().join("deploy/make-secrets"), folder.0.join("make-secrets")).unwrap();
    let run = || Command::new(folder.0.join("make-secrets")).output().unwrap();
    let first_run = run();
    assert!(first_run.status.success(), "{}", String::from_utf8_lossy(&first_run.stderr));
    let read = |name: &str| fs::read_to_string(folder.0.join(name)).unwrap();
    let first = (read(".env"), read("api.env"));
    for name in [".env", "api.env"] {
        let mode = fs::metadata(folder.0.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name} is for its owner alone");
    }
    assert!(!run().status.success(), "what is there is kept");
    assert_eq!((read(".env"), read("api.env")), first);
    (env_file(&first.0), env_file(&first.1))
}

/// A folder that goes with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        let folder =
            std::env::temp_dir().join(format!("techsupport-{}", techsupport_bootstrap::ids::new_id()));
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}
