//! The Dockerfile. Its cargo commands are tried by `cargo xtask check image`.

use std::collections::BTreeMap;

use super::*;

/// An instruction and what stands behind it, in one line.
fn instructions() -> Vec<(String, String)> {
    let joined = text("deploy/Dockerfile")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect::<Vec<_>>()
        .join("\n")
        .replace("\\\n", " ");
    let lines = joined.lines().filter(|line| !line.trim().is_empty());
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    lines
        .map(words)
        .map(|line| line.split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap())
        .collect()
}

fn of(kind: &str) -> Vec<String> {
    instructions().into_iter().filter(|(name, _)| name == kind).map(|(_, rest)| rest).collect()
}

/// Those of the stage that becomes the image.
fn last(kind: &str) -> String {
    of(kind).pop().unwrap_or_else(|| panic!("no {kind}"))
}

/// In the form that needs no shell, which is not there.
fn exec_form(text: &str) -> Vec<String> {
    serde_json::from_str(text).unwrap_or_else(|_| panic!("no exec form: {text}"))
}

/// What the image sets.
pub(super) fn environment() -> Variables {
    let pairs = last("ENV");
    pairs.split(' ').map(|pair| pair.split_once('=').unwrap()).map(|(a, b)| (a.into(), b.into())).collect()
}

/// The command that runs when none is given.
pub(super) fn entrypoint() -> Vec<String> {
    exec_form(&last("ENTRYPOINT"))
}

#[test]
fn it_is_compiled_by_the_toolchain_that_the_workspace_asks_for() {
    let manifest = text("Cargo.toml");
    let wanted =
        manifest.lines().find_map(|line| line.strip_prefix("rust-version = ")).unwrap().trim_matches('"');
    let stages = of("FROM");
    assert_eq!(stages[0], format!("rust:{wanted}-bookworm AS build"));
    assert!(stages.iter().all(|stage| stage.contains(':') && !stage.contains(":latest")), "{stages:?}");
    assert!(
        text(".dockerignore").lines().all(|line| !line.contains("rust-toolchain")),
        "it would ask for more"
    );
}

#[test]
fn it_holds_every_program_and_runs_them_as_nobody_in_particular() {
    let installed = format!("install -D --target-directory=/out/bin {} ", PROGRAMS.join(" "));
    assert!(of("RUN").concat().contains(&installed), "{:?}", of("RUN"));
    assert_eq!(of("COPY").iter().filter(|copy| copy.ends_with("/out/bin/ /usr/local/bin/")).count(), 1);
    assert_eq!(last("USER"), "65532:65532");
    assert_eq!(last("STOPSIGNAL"), "SIGTERM");
    let version = format!("org.opencontainers.image.version=\"{VERSION}\"");
    assert!(last("LABEL").contains(&version), "{}", last("LABEL"));
}

#[test]
fn what_it_runs_are_commands_of_the_programs() {
    let mut command = entrypoint();
    command.extend(exec_form(&last("CMD")));
    assert_eq!(command_of_ours(&command), "techsupport-api");
    let health = last("HEALTHCHECK");
    let (_, health) = health.split_once(" CMD ").expect("a command");
    assert_eq!(command_of_ours(&exec_form(health)), "techsupport-api");
}

/// The ports it says it has are those the programs have, once told to be reachable.
#[test]
fn its_variables_are_settings_and_its_ports_those_of_the_programs() {
    let settings: BTreeMap<String, String> = environment().into_iter().collect();
    assert_eq!(
        settings["TECHSUPPORT_PROFILE"], "production",
        "no default secrets, whoever forgets to say so"
    );
    let mut variables: Variables = environment();
    variables.retain(|(name, _)| name != "TECHSUPPORT_PROFILE");
    let (api, worker) = (api_settings(&variables), worker_settings(&variables));
    assert!(api.http.bind.is_unspecified() && worker.monitor.bind.is_unspecified() && worker.monitor.enabled);
    assert_eq!(last("EXPOSE"), format!("{} {}", api.http.port, worker.monitor.port));
}

#[test]
fn everything_that_cargo_needs_is_let_in() {
    let ignored = text(".dockerignore");
    let let_in: Vec<&str> = ignored.lines().filter_map(|line| line.strip_prefix('!')).collect();
    let manifest = text("Cargo.toml");
    let members = manifest.lines().find_map(|line| line.strip_prefix("members = ")).unwrap();
    let members: Vec<String> = serde_json::from_str(members).unwrap();
    let folders = members.iter().map(|member| member.trim_end_matches("/*"));
    for needed in folders.chain(["config", "migrations", "Cargo.toml", "Cargo.lock"]) {
        assert!(let_in.contains(&needed), "{needed}");
    }
    assert!(let_in.iter().all(|path| root().join(path).exists()), "{let_in:?}");
}
