//! Which crate may use which: the map of `docs/ARCHITECTURE.md` as data.
//!
//! `domain ← application ← adapters ← composition roots`, and what belongs to one adapter stays there.

use serde_json::Value;

/// What a crate of the workspace may depend on.
struct Row {
    name: &'static str,
    /// Crates of the workspace, for its dependencies of every kind.
    may_use: &'static [&'static str],
    /// Packages from elsewhere, where these are counted; its tests may use others.
    external: Option<&'static [&'static str]>,
}

const DOMAIN: &str = "techsupport-domain";
const APPLICATION: &str = "techsupport-application";
const PERSISTENCE: &str = "techsupport-persistence";
const MESSAGING: &str = "techsupport-messaging";
const NOTIFICATIONS: &str = "techsupport-notifications";
const SPREADSHEET: &str = "techsupport-spreadsheet";
const HTTP: &str = "techsupport-http";
const BOOTSTRAP: &str = "techsupport-bootstrap";
const WORKER: &str = "techsupport-worker";
const API: &str = "techsupport-api";
const SLA_WORKER: &str = "techsupport-sla-worker";
const IMPORT_WORKER: &str = "techsupport-import-worker";
const TESTS: &str = "techsupport-tests";
const XTASK: &str = "xtask";

const CORE: &[&str] = &[DOMAIN, APPLICATION];
const EVERYTHING_BELOW_A_ROOT: &[&str] =
    &[DOMAIN, APPLICATION, PERSISTENCE, MESSAGING, NOTIFICATIONS, SPREADSHEET, HTTP, BOOTSTRAP];

/// The programs that take messages from the broker share how they find their servers, which bootstrap cannot know.
const EVERYTHING_BELOW_A_WORKER: &[&str] =
    &[DOMAIN, APPLICATION, PERSISTENCE, MESSAGING, NOTIFICATIONS, SPREADSHEET, BOOTSTRAP, WORKER];

const ROWS: &[Row] = &[
    Row {
        name: DOMAIN,
        may_use: &[],
        external: Some(&["icu_properties", "jiff", "thiserror", "time", "uuid"]),
    },
    Row {
        name: APPLICATION,
        may_use: &[DOMAIN],
        external: Some(&["serde", "serde_json", "thiserror", "time", "uuid"]),
    },
    Row { name: PERSISTENCE, may_use: CORE, external: None },
    Row { name: MESSAGING, may_use: CORE, external: None },
    Row { name: NOTIFICATIONS, may_use: CORE, external: None },
    Row { name: SPREADSHEET, may_use: CORE, external: None },
    Row { name: HTTP, may_use: CORE, external: None },
    Row { name: BOOTSTRAP, may_use: &[], external: None },
    Row { name: WORKER, may_use: &[APPLICATION, PERSISTENCE, MESSAGING, BOOTSTRAP], external: None },
    Row { name: API, may_use: EVERYTHING_BELOW_A_ROOT, external: None },
    Row { name: SLA_WORKER, may_use: EVERYTHING_BELOW_A_WORKER, external: None },
    Row { name: IMPORT_WORKER, may_use: EVERYTHING_BELOW_A_WORKER, external: None },
    Row { name: XTASK, may_use: &[DOMAIN, APPLICATION, PERSISTENCE, BOOTSTRAP], external: None },
    Row {
        name: TESTS,
        may_use: &[
            DOMAIN,
            APPLICATION,
            PERSISTENCE,
            MESSAGING,
            NOTIFICATIONS,
            SPREADSHEET,
            HTTP,
            BOOTSTRAP,
            API,
            SLA_WORKER,
            IMPORT_WORKER,
            XTASK,
        ],
        external: None,
    },
];

/// A technology that one crate owns. `techsupport-tests` looks at every system from outside and may use them all.
struct Owned {
    /// Packages of these names, and those whose names go on after it with `-` or `_`.
    families: &'static [&'static str],
    owner: &'static str,
    why: &'static str,
}

const OWNED: &[Owned] = &[
    Owned {
        families: &["diesel", "pq-sys", "r2d2", "postgres", "tokio-postgres", "sqlx"],
        owner: PERSISTENCE,
        why: "no crate but persistence knows SQL",
    },
    Owned {
        families: &["lapin", "amq-protocol"],
        owner: MESSAGING,
        why: "no crate but messaging knows AMQP",
    },
    Owned { families: &["actix"], owner: HTTP, why: "no crate but http knows actix" },
    Owned {
        families: &["calamine"],
        owner: SPREADSHEET,
        why: "no crate but spreadsheet reads foreign files",
    },
    Owned { families: &["utoipa"], owner: HTTP, why: "no crate but http describes the API" },
];

/// What `cargo metadata --no-deps` says about a workspace, held against the map. Empty when all is well.
pub fn violations(metadata: &Value) -> Vec<String> {
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let members: Vec<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    let mut found = Vec::new();
    if members.is_empty() {
        found.push("cargo metadata names no package".to_owned());
    }
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(row) = ROWS.iter().find(|row| row.name == name) else {
            found.push(format!("{name} has no row in xtask/src/check/layering.rs"));
            continue;
        };
        for dependency in package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default() {
            let used = dependency["name"].as_str().unwrap_or_default();
            let for_tests = dependency["kind"].as_str() == Some("dev");
            found.extend(objection(row, used, members.contains(&used), for_tests));
        }
    }
    found
}

fn objection(row: &Row, used: &str, is_member: bool, for_tests: bool) -> Option<String> {
    let name = row.name;
    if is_member {
        return (!row.may_use.contains(&used)).then(|| format!("{name} may not depend on {used}"));
    }
    if let Some(owned) = OWNED.iter().find(|owned| owned.families.iter().any(|family| is_of(used, family)))
        && name != owned.owner
        && name != TESTS
    {
        return Some(format!("{name} may not depend on {used}: {}", owned.why));
    }
    let counted = row.external.filter(|_| !for_tests)?;
    (!counted.contains(&used))
        .then(|| format!("{name} may not depend on {used}: it knows only {}", counted.join(", ")))
}

fn is_of(package: &str, family: &str) -> bool {
    package.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// cargo-deny enforces the same owners for those who use it.
    #[test]
    fn deny_toml_names_the_same_owners() {
        let text = std::fs::read_to_string(crate::workspace::root().join("deny.toml")).unwrap();
        let file: toml::Table = toml::from_str(&text).unwrap();
        let rules = file["bans"]["deny"].as_array().unwrap();
        for rule in rules {
            let package = rule["crate"].as_str().unwrap();
            let owned = OWNED.iter().find(|owned| owned.families.iter().any(|family| is_of(package, family)));
            let wrappers: Vec<&str> =
                rule["wrappers"].as_array().unwrap().iter().filter_map(|w| w.as_str()).collect();
            let ours: Vec<&str> =
                wrappers.into_iter().filter(|name| ROWS.iter().any(|row| row.name == *name)).collect();
            assert_eq!(ours, [owned.unwrap().owner, TESTS], "wrappers of {package}");
        }
        assert_eq!(rules.len(), OWNED.len());
    }
}
