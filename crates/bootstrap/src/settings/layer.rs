//! One source of settings, with a name for error messages.

use std::{fs, io, path::Path};

use config::{Config, ConfigError, File, FileFormat, Map, Source, Value, ValueKind};

use super::SettingsError;

/// One source of settings.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    /// Where it comes from, for error messages.
    pub(super) name: String,
    /// Sections, keys, values.
    pub(super) values: Map<String, Value>,
}

impl Layer {
    pub(super) fn from_toml(name: &str, text: &str) -> Result<Self, SettingsError> {
        let unreadable = |error: ConfigError| SettingsError::Unreadable {
            file: name.to_owned(),
            problem: syntax_problem(&error, text),
        };
        let parsed = Config::builder()
            .add_source(File::from_str(text, FileFormat::Toml))
            .build()
            .map_err(unreadable)?;
        let values = parsed.collect().map_err(unreadable)?;
        Ok(Self { name: name.to_owned(), values })
    }

    /// `None` when there is no such file.
    pub(super) fn from_file(path: &Path) -> Result<Option<Self>, SettingsError> {
        let name = path.display().to_string();
        match fs::read_to_string(path) {
            Ok(text) => Self::from_toml(&name, &text).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(SettingsError::Unreadable { file: name, problem: error.to_string() }),
        }
    }

    /// A single value at a path of names.
    pub(super) fn single(name: String, path: &[&str], value: Value) -> Self {
        let nested = path
            .iter()
            .skip(1)
            .rev()
            .fold(value, |inner, key| Value::from(Map::from([((*key).to_owned(), inner)])));
        let values = path.first().map(|section| ((*section).to_owned(), nested)).into_iter().collect();
        Self { name, values }
    }

    /// Refuses what `base` does not have.
    pub(super) fn check_against(&self, base: &Layer) -> Result<(), SettingsError> {
        self.check_table("", &self.values, &base.values)
    }

    fn check_table(
        &self,
        prefix: &str,
        table: &Map<String, Value>,
        known: &Map<String, Value>,
    ) -> Result<(), SettingsError> {
        for (key, value) in table {
            let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
            match (known.get(key).map(|value| &value.kind), &value.kind) {
                (None, _) => {
                    let mut expected: Vec<String> = known.keys().cloned().collect();
                    expected.sort();
                    return Err(SettingsError::Unknown {
                        key: path,
                        source_name: self.name.clone(),
                        expected,
                    });
                }
                (Some(ValueKind::Table(known)), ValueKind::Table(table)) if !known.is_empty() => {
                    self.check_table(&path, table, known)?;
                }
                (Some(ValueKind::Table(_)), ValueKind::Table(_)) => {}
                (Some(ValueKind::Table(_)), _) | (Some(_), ValueKind::Table(_)) => {
                    return Err(SettingsError::Wrong {
                        key: path,
                        source_name: self.name.clone(),
                        problem: "is a section here and a value there".to_owned(),
                    });
                }
                (Some(_), _) => {}
            }
        }
        Ok(())
    }

    /// The value at a dotted path.
    pub(super) fn get(&self, path: &str) -> Option<&Value> {
        let mut names = path.split(['.', '[']);
        let mut value = self.values.get(names.next()?)?;
        for name in names {
            // An element of a list comes from where the list comes from.
            let ValueKind::Table(table) = &value.kind else { return Some(value) };
            value = table.get(name)?;
        }
        Some(value)
    }
}

/// Says where and what, but not what stands there: it may be a secret.
fn syntax_problem(error: &ConfigError, text: &str) -> String {
    let cause = if let ConfigError::FileParse { cause, .. } = error { Some(cause) } else { None };
    let Some(syntax) = cause.and_then(|cause| cause.downcast_ref::<toml::de::Error>()) else {
        return "it is not valid TOML".to_owned();
    };
    let before = syntax.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let (line, start) = before
        .bytes()
        .enumerate()
        .filter(|(_, byte)| *byte == b'\n')
        .fold((1, 0), |(line, _), (newline, _)| (line + 1, newline + 1));
    let column = before.get(start..).unwrap_or_default().chars().count() + 1;
    format!("line {line}, column {column}: {}", syntax.message())
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.values.clone())
    }
}
