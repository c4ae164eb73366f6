//! Settings: defaults from the repository's `config/` (embedded), overlaid by files, overlaid by the
//! environment.
//!
//! | layer | what |
//! |---|---|
//! | 1 | `config/base.toml`: every key there is, with its default |
//! | 2 | `config/<profile>.toml` |
//! | 3 | `base.toml` and `<profile>.toml` in the folder `TECHSUPPORT_CONFIG_DIR` |
//! | 4 | `DATABASE_URL`, `AMQP_URL`, `TECHSUPPORT_ADMIN_PASSWORD` |
//! | 5 | `TECHSUPPORT__SECTION__KEY` |
//!
//! `base.toml` is also the list of what exists: a key that is not in it, in any layer, is an error, whether
//! or not the binary at hand reads its section. Below an empty table of `base.toml` any key may stand.

mod environment;
mod error;
mod layer;

use std::path::PathBuf;

use config::{Config, Map, Value, ValueKind};
use garde::Validate;
use serde::{Deserialize, de::DeserializeOwned};

pub use error::SettingsError;
use layer::Layer;

const BASE: &str = include_str!("../../../../config/base.toml");
const LOCAL: &str = include_str!("../../../../config/local.toml");
const PRODUCTION: &str = include_str!("../../../../config/production.toml");

/// What the program is run for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Development on one's own machine: documented secrets, nothing to set up.
    #[default]
    Local,
    /// Refuses default, short and missing secrets.
    Production,
}

impl Profile {
    /// As it is written in `TECHSUPPORT_PROFILE` and in the file's name.
    pub const fn name(self) -> &'static str {
        match self {
            Profile::Local => "local",
            Profile::Production => "production",
        }
    }

    fn parse(name: &str) -> Result<Self, SettingsError> {
        match name {
            "local" => Ok(Profile::Local),
            "production" => Ok(Profile::Production),
            other => Err(SettingsError::UnknownProfile(other.to_owned())),
        }
    }

    const fn embedded(self) -> (&'static str, &'static str) {
        match self {
            Profile::Local => ("config/local.toml", LOCAL),
            Profile::Production => ("config/production.toml", PRODUCTION),
        }
    }
}

/// Where settings come from besides the embedded files.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The folder with files that overlay the embedded ones.
    pub folder: Option<PathBuf>,
    /// Environment variables, name and value. Those that do not concern the settings are passed over.
    pub variables: Vec<(String, String)>,
}

/// Reads the settings of this process.
///
/// `S` has one field for each section it wants; the sections of other binaries are passed over. A field
/// `profile: Profile` receives the profile.
pub fn load<S>() -> Result<S, SettingsError>
where
    S: DeserializeOwned + Validate<Context = ()>,
{
    load_from(&environment::of_this_process()?)
}

/// Like [`load`], from given sources. For tests.
pub fn load_from<S>(sources: &Sources) -> Result<S, SettingsError>
where
    S: DeserializeOwned + Validate<Context = ()>,
{
    let profile = match environment::value(&sources.variables, environment::PROFILE) {
        Some(name) => Profile::parse(name)?,
        None => Profile::default(),
    };
    let layers = layers(profile, sources)?;
    let mut builder = Config::builder();
    for layer in &layers {
        builder = builder.add_source(layer.clone());
    }
    let merged = builder.build().map_err(|error| SettingsError::explain(&error, &layers))?;
    let settings: S = merged.try_deserialize().map_err(|error| SettingsError::explain(&error, &layers))?;
    settings.validate().map_err(|report| SettingsError::invalid(&report, &layers))?;
    Ok(settings)
}

/// Every text that the local profile sets: documented, and therefore no secret.
pub(crate) fn local_values() -> Vec<String> {
    fn texts(value: &Value, found: &mut Vec<String>) {
        if let ValueKind::Table(table) = &value.kind {
            for value in table.values() {
                texts(value, found);
            }
        } else if let ValueKind::Array(items) = &value.kind {
            for value in items {
                texts(value, found);
            }
        } else if let ValueKind::String(text) = &value.kind
            && !text.is_empty()
        {
            found.push(text.clone());
        }
    }
    let mut found = Vec::new();
    let local = Layer::from_toml("config/local.toml", LOCAL).map(|layer| layer.values).unwrap_or_default();
    for value in local.values() {
        texts(value, &mut found);
    }
    found
}

fn layers(profile: Profile, sources: &Sources) -> Result<Vec<Layer>, SettingsError> {
    let base = Layer::from_toml("config/base.toml", BASE)?;
    let (name, text) = profile.embedded();
    let mut overlays = vec![Layer::from_toml(name, text)?];
    if let Some(folder) = &sources.folder {
        if !folder.is_dir() {
            return Err(SettingsError::NoFolder(folder.clone()));
        }
        for file in ["base", profile.name()] {
            overlays.extend(Layer::from_file(&folder.join(format!("{file}.toml")))?);
        }
    }
    overlays.extend(environment::layers(&sources.variables, &base)?);
    for overlay in &overlays {
        overlay.check_against(&base)?;
    }
    let chosen = Map::from([("profile".to_owned(), Value::from(profile.name()))]);
    let profile = Layer { name: format!("environment variable {}", environment::PROFILE), values: chosen };
    Ok([base].into_iter().chain(overlays).chain([profile]).collect())
}

#[cfg(test)]
mod tests;
