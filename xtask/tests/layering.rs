//! The layering check passes on this workspace and fails when a forbidden edge is added to it.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use xtask::layering::violations;

#[test]
fn this_workspace_keeps_the_layers() {
    assert_eq!(violations(&metadata(root())), Vec::<String>::new());
}

#[test]
fn every_forbidden_edge_is_found() {
    let real = metadata(root());
    for (from, to, kind) in [
        ("techsupport-domain", "techsupport-application", Value::Null),
        ("techsupport-domain", "serde", Value::Null),
        ("techsupport-domain", "techsupport-persistence", json!("dev")),
        ("techsupport-application", "tokio", Value::Null),
        ("techsupport-application", "techsupport-messaging", Value::Null),
        ("techsupport-persistence", "techsupport-http", Value::Null),
        ("techsupport-http", "techsupport-persistence", Value::Null),
        ("techsupport-http", "diesel_migrations", Value::Null),
        ("techsupport-api", "diesel", Value::Null),
        ("techsupport-api", "actix-web", Value::Null),
        ("techsupport-sla-worker", "lapin", json!("build")),
        ("techsupport-bootstrap", "techsupport-domain", Value::Null),
        ("techsupport-persistence", "xtask", json!("dev")),
    ] {
        let changed = with_edge(real.clone(), from, to, &kind);
        let found = violations(&changed);
        assert!(
            found.len() == 1 && found[0].contains(from) && found[0].contains(to),
            "{from} -> {to}: {found:?}"
        );
    }
}

#[test]
fn what_only_tests_use_is_not_counted_and_a_new_crate_needs_a_row() {
    let real = metadata(root());
    assert!(violations(&with_edge(real.clone(), "techsupport-domain", "proptest", &json!("dev"))).is_empty());
    let mut changed = real;
    changed["packages"].as_array_mut().unwrap().push(json!({"name": "techsupport-new", "dependencies": []}));
    assert_eq!(violations(&changed).len(), 1);
}

/// The same through cargo: a copy of the real manifests with one line more.
#[test]
fn an_edge_in_a_manifest_is_found() {
    let copy = std::env::temp_dir().join(format!("xtask-layering-{}", std::process::id()));
    copy_manifests(root(), &copy);
    assert!(violations(&metadata(&copy)).is_empty());

    let manifest = copy.join("crates/domain/Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    let forbidden = "[dependencies]\ntechsupport-persistence.workspace = true\n";
    fs::write(&manifest, text.replacen("[dependencies]\n", forbidden, 1)).unwrap();
    let found = violations(&metadata(&copy));
    fs::remove_dir_all(&copy).unwrap();
    assert_eq!(found, ["techsupport-domain may not depend on techsupport-persistence"]);
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn metadata(folder: &Path) -> Value {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(folder).args(["metadata", "--no-deps", "--format-version", "1"]);
    let done = cargo.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

fn with_edge(mut metadata: Value, from: &str, to: &str, kind: &Value) -> Value {
    let packages = metadata["packages"].as_array_mut().unwrap();
    let package = packages.iter_mut().find(|package| package["name"] == from).unwrap();
    package["dependencies"].as_array_mut().unwrap().push(json!({"name": to, "kind": kind}));
    metadata
}

/// Manifests, and an empty library and program for each so that cargo accepts them.
fn copy_manifests(from: &Path, to: &Path) {
    let members = fs::read_dir(from.join("crates")).unwrap().map(|entry| entry.unwrap().path());
    let folders: Vec<PathBuf> = members.chain(["", "xtask", "tests"].map(|name| from.join(name))).collect();
    for folder in folders {
        let target = to.join(folder.strip_prefix(from).unwrap());
        fs::create_dir_all(target.join("src")).unwrap();
        fs::copy(folder.join("Cargo.toml"), target.join("Cargo.toml")).unwrap();
        for source in ["src/lib.rs", "src/main.rs"].into_iter().filter(|source| folder.join(source).exists())
        {
            fs::write(target.join(source), "").unwrap();
        }
    }
}
