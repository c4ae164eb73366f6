//! The one place that reads the environment.
//!
//! Only names with a double underscore after the prefix are settings. Others that begin with `TECHSUPPORT_`
//! are left alone: Kubernetes makes such names out of the services of a cluster.

use std::{env, path::PathBuf};

use config::{Value, ValueKind};

use super::{Layer, SettingsError, Sources};

pub(super) const PROFILE: &str = "TECHSUPPORT_PROFILE";
const FOLDER: &str = "TECHSUPPORT_CONFIG_DIR";
const PREFIX: &str = "TECHSUPPORT__";

/// Short names for what is set most often. Empty means not set, which is what scripts produce.
const SHORT: [(&str, [&str; 2]); 3] = [
    ("DATABASE_URL", ["database", "url"]),
    ("AMQP_URL", ["broker", "url"]),
    ("TECHSUPPORT_ADMIN_PASSWORD", ["admin", "password"]),
];

/// What this process was given.
#[expect(clippy::disallowed_methods, reason = "settings are read once, here")]
pub(super) fn of_this_process() -> Result<Sources, SettingsError> {
    let folder = env::var_os(FOLDER).filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let mut variables = Vec::new();
    for (name, value) in env::vars_os() {
        let Some(name) = name.to_str().filter(|name| concerns_settings(name)) else { continue };
        let value = value.into_string().map_err(|_| SettingsError::NotUnicode(name.to_owned()))?;
        variables.push((name.to_owned(), value));
    }
    Ok(Sources { folder, variables })
}

fn concerns_settings(name: &str) -> bool {
    name == PROFILE || name.starts_with(PREFIX) || SHORT.iter().any(|(short, _)| *short == name)
}

/// The value of a variable, unless it is empty.
pub(super) fn value<'a>(variables: &'a [(String, String)], name: &str) -> Option<&'a str> {
    variables.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).filter(|v| !v.is_empty())
}

/// One layer for each variable, so that an error can name the one that caused it.
pub(super) fn layers(variables: &[(String, String)], base: &Layer) -> Result<Vec<Layer>, SettingsError> {
    let mut layers = Vec::new();
    for (name, path) in SHORT {
        if let Some(value) = value(variables, name) {
            layers.push(Layer::single(origin(name), &path, Value::from(value)));
        }
    }
    for (name, value) in variables {
        let Some(path) = name.strip_prefix(PREFIX) else { continue };
        let path = path.to_lowercase();
        let names: Vec<&str> = path.split("__").collect();
        if names.len() < 2 || names.iter().any(|name| name.is_empty()) {
            return Err(SettingsError::MalformedName(name.clone()));
        }
        let is_list =
            base.get(&names.join(".")).is_some_and(|value| matches!(value.kind, ValueKind::Array(_)));
        let value = if is_list { list(value) } else { Value::from(value.as_str()) };
        layers.push(Layer::single(origin(name), &names, value));
    }
    Ok(layers)
}

fn origin(name: &str) -> String {
    format!("environment variable {name}")
}

/// Where `base.toml` has a list, the environment has values with commas in between.
fn list(text: &str) -> Value {
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    Value::from(items.map(Value::from).collect::<Vec<Value>>())
}
