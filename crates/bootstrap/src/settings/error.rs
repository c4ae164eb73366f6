//! What can be wrong with the settings, said so that it can be put right. The value of a secret is never
//! part of it.

use std::path::PathBuf;

use config::ConfigError;
use garde::Report;

use super::Layer;

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// There is no such profile.
    #[error("the profile is local or production (TECHSUPPORT_PROFILE), not {0:?}")]
    UnknownProfile(String),
    /// `TECHSUPPORT_CONFIG_DIR` names no folder.
    #[error("the settings folder {} (TECHSUPPORT_CONFIG_DIR) does not exist", .0.display())]
    NoFolder(PathBuf),
    /// A file is no TOML, or cannot be read.
    #[error("the settings file {file} cannot be read: {problem}")]
    Unreadable {
        /// Which file.
        file: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The value of a variable is not UTF-8.
    #[error("the environment variable {0} is not valid UTF-8")]
    NotUnicode(String),
    /// A variable with the prefix of settings that names no section and key.
    #[error("the environment variable {0} is not of the form TECHSUPPORT__SECTION__KEY")]
    MalformedName(String),
    /// There is no such key.
    #[error("the setting {key} ({source_name}) does not exist; there are {}", .expected.join(", "))]
    Unknown {
        /// Section and key.
        key: String,
        /// Where it was set.
        source_name: String,
        /// What there is instead.
        expected: Vec<String>,
    },
    /// A value that cannot be used.
    #[error("the setting {key} ({source_name}) {problem}")]
    Wrong {
        /// Section and key.
        key: String,
        /// Where it was set.
        source_name: String,
        /// Completes a sentence that begins with the key.
        problem: String,
    },
    /// Values that break a rule.
    #[error("{}", join(.0))]
    Invalid(Vec<SettingsError>),
}

impl SettingsError {
    /// Says where a value that could not be converted came from.
    pub(super) fn explain(error: &ConfigError, layers: &[Layer]) -> Self {
        let (key, problem) = describe(error);
        Self::wrong(key, problem, layers)
    }

    pub(super) fn invalid(report: &Report, layers: &[Layer]) -> Self {
        let wrong = report.iter().map(|(path, error)| {
            let (key, problem) = (path.to_string(), error.message().to_string());
            Self::wrong(key, problem, layers)
        });
        Self::Invalid(wrong.collect())
    }

    fn wrong(key: String, problem: String, layers: &[Layer]) -> Self {
        let found = layers.iter().rev().find_map(|layer| Some((layer, layer.get(&key)?)));
        let source_name = found.map_or("not set", |(layer, _)| layer.name.as_str()).to_owned();
        let value = found.and_then(|(_, value)| value.clone().into_string().ok());
        let problem = match value {
            Some(value) if is_secret(&key) && !value.is_empty() => problem.replace(&value, "…"),
            Some(_) | None => problem,
        };
        Self::Wrong { key, source_name, problem }
    }
}

/// Key and problem.
#[expect(clippy::wildcard_enum_match_arm, reason = "the enum is not ours and may grow")]
fn describe(error: &ConfigError) -> (String, String) {
    match error {
        ConfigError::Type { unexpected, expected, key, .. } => {
            let key = key.clone().unwrap_or_default();
            let found = if is_secret(&key) { "something else".to_owned() } else { unexpected.to_string() };
            (key, format!("must be {expected}, but is {found}"))
        }
        ConfigError::At { error, key, .. } => {
            let (inner, problem) = describe(error);
            (key.clone().filter(|key| !key.is_empty()).unwrap_or(inner), format!("is wrong: {problem}"))
        }
        ConfigError::NotFound(key) => (key.clone(), "is missing".to_owned()),
        other => (String::new(), other.to_string()),
    }
}

/// Whether the value of a key must not be shown. URLs carry passwords.
fn is_secret(key: &str) -> bool {
    ["secret", "password", "pepper", "key", "url", "token"].iter().any(|word| key.contains(word))
}

fn join(errors: &[SettingsError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
