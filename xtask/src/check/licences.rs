//! Holds the licence of every dependency against `deny.toml`, without cargo-deny.

use serde::Deserialize;
use spdx::{Expression, LicenseReq, Licensee, ParseMode};

use super::cargo;
use crate::error::{Error, Result};
use crate::workspace;

/// The part of `deny.toml` that is read here.
#[derive(Debug, Deserialize)]
struct Policy {
    licenses: Licences,
}

#[derive(Debug, Deserialize)]
struct Licences {
    allow: Vec<String>,
    #[serde(default)]
    exceptions: Vec<Exception>,
    #[serde(default)]
    clarify: Vec<Clarification>,
}

/// More licences for one package.
#[derive(Debug, Deserialize)]
struct Exception {
    #[serde(rename = "crate")]
    package: String,
    allow: Vec<String>,
}

/// The licence of a package that does not state it in SPDX.
#[derive(Debug, Deserialize)]
struct Clarification {
    #[serde(rename = "crate")]
    package: String,
    expression: String,
}

/// One line for every package whose licence is not allowed.
pub(crate) fn violations() -> Result<Vec<String>> {
    let path = workspace::root().join("deny.toml");
    let text = std::fs::read_to_string(&path).map_err(Error::io("reading deny.toml"))?;
    let policy: Policy = toml::from_str(&text).map_err(Error::malformed("deny.toml"))?;
    let metadata = cargo::packages()?;
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    // `packages` also lists what is only used on other platforms; the resolved graph does not.
    let nodes = metadata["resolve"]["nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut found = Vec::new();
    for package in packages.iter().filter(|package| nodes.iter().any(|node| node["id"] == package["id"])) {
        let name = package["name"].as_str().unwrap_or_default();
        if let Some(why) = objection(&policy.licenses, name, package["license"].as_str())? {
            found.push(format!("{name} {}: {why}", package["version"].as_str().unwrap_or_default()));
        }
    }
    Ok(found)
}

fn objection(policy: &Licences, package: &str, stated: Option<&str>) -> Result<Option<String>> {
    let clarified =
        policy.clarify.iter().find(|entry| entry.package == package).map(|entry| entry.expression.as_str());
    let Some(expression) = clarified.or(stated) else { return Ok(Some("states no licence".into())) };
    let parsed = Expression::parse_mode(expression, ParseMode::LAX).map_err(Error::malformed(expression))?;
    let more =
        policy.exceptions.iter().filter(|entry| entry.package == package).flat_map(|entry| &entry.allow);
    let allowed = policy.allow.iter().chain(more).map(|text| {
        Licensee::parse(text).map_err(Error::malformed(format!("the licence {text:?} in deny.toml")))
    });
    let allowed: Vec<Licensee> = allowed.collect::<Result<_>>()?;
    let fits = |wanted: &LicenseReq| allowed.iter().any(|licensee| licensee.satisfies(wanted));
    Ok((!parsed.evaluate(fits)).then(|| format!("{expression} is not allowed")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn policy() -> Licences {
        let text = r#"
            allow = ["MIT", "Apache-2.0"]
            exceptions = [{ crate = "special", allow = ["MPL-2.0"] }]
            clarify = [{ crate = "silent", expression = "MIT" }]
        "#;
        toml::from_str(text).unwrap()
    }

    #[test]
    fn one_allowed_alternative_is_enough_and_all_parts_of_a_conjunction_count() {
        let allowed = |package, licence| objection(&policy(), package, licence).unwrap().is_none();
        assert!(allowed("a", Some("MIT OR GPL-3.0")));
        assert!(allowed("a", Some("MIT/Apache-2.0")));
        assert!(!allowed("a", Some("MIT AND GPL-3.0")));
        assert!(!allowed("a", Some("GPL-3.0")));
        assert!(!allowed("a", None));
    }

    #[test]
    fn an_exception_or_clarification_is_for_its_package_alone() {
        let allowed = |package, licence| objection(&policy(), package, licence).unwrap().is_none();
        assert!(allowed("special", Some("MPL-2.0")));
        assert!(!allowed("other", Some("MPL-2.0")));
        assert!(allowed("silent", None));
    }
}
