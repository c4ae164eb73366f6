//! From loose values to a checked data transfer object: every wrong member is named, not only the first.

use garde::Validate;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::{Path, Segment};

use crate::problem::{InputError, Place};

/// Reads a DTO and validates it. Its fields are [`super::Member`]s, so the only thing that can fail while
/// reading is a name it does not know: that one is noted, taken out, and the reading goes on.
pub(super) fn shape<T>(mut value: Value, place: fn(&[String]) -> Place) -> Result<T, Vec<InputError>>
where
    T: DeserializeOwned + Validate<Context = ()>,
{
    let mut errors = Vec::new();
    let dto = loop {
        match serde_path_to_error::deserialize::<_, T>(&value) {
            Ok(dto) => break dto,
            Err(error) => {
                let path = names(error.path());
                let known = remove(&mut value, &path).is_none();
                let detail = if known { "has the wrong form" } else { "is not known here" };
                errors.push(InputError { place: place(&path), detail: detail.to_owned() });
                if known {
                    return Err(errors);
                }
            }
        }
    };
    if let Err(report) = dto.validate() {
        errors.extend(report.iter().map(|(path, error)| InputError {
            place: place(&path.to_string().split('.').map(camel_case).collect::<Vec<_>>()),
            detail: error.message().to_owned(),
        }));
    }
    if errors.is_empty() { Ok(dto) } else { Err(errors) }
}

fn names(path: &Path) -> Vec<String> {
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(index.to_string()),
            Segment::Map { key } => Some(key.clone()),
            Segment::Enum { variant } => Some(variant.clone()),
            Segment::Unknown => None,
        })
        .collect()
}

fn remove(value: &mut Value, path: &[String]) -> Option<Value> {
    let (name, parents) = path.split_last()?;
    let parent = parents.iter().try_fold(value, |value, name| value.get_mut(name))?;
    parent.as_object_mut()?.remove(name)
}

/// garde speaks of Rust's fields, the wire of camelCase members.
fn camel_case(name: &str) -> String {
    let mut upper = false;
    name.chars()
        .filter_map(|c| {
            if c == '_' {
                upper = true;
                return None;
            }
            Some(if std::mem::take(&mut upper) { c.to_ascii_uppercase() } else { c })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde::Deserialize;
    use serde_json::json;
    use techsupport_domain::text::Title;

    use super::*;
    use crate::inbound::{Member, optional, required};

    #[derive(Deserialize, Validate, Default)]
    #[serde(rename_all = "camelCase", default, deny_unknown_fields)]
    struct Sample {
        #[garde(custom(required(|text: &str| Title::parse(text))))]
        long_title: Member<String>,
        #[garde(custom(optional(|n: i64| u8::try_from(n))))]
        small: Member<i64>,
    }

    fn pointer(path: &[String]) -> Place {
        Place::Pointer(format!("/{}", path.join("/")))
    }

    fn errors(value: Value) -> Vec<(String, String)> {
        let Err(errors) = shape::<Sample>(value, pointer) else { return Vec::new() };
        errors
            .into_iter()
            .map(|error| match error.place {
                Place::Pointer(at) | Place::Parameter(at) => (at, error.detail),
            })
            .collect()
    }

    #[test]
    fn every_wrong_member_is_named() {
        let all = errors(json!({"longTitle": "x", "small": "1", "who": 1, "what": {}}));
        let said: Vec<(&str, &str)> = all.iter().map(|(at, detail)| (at.as_str(), detail.as_str())).collect();
        assert_eq!(
            said,
            [
                ("/what", "is not known here"),
                ("/who", "is not known here"),
                ("/longTitle", "must have at least 3 characters"),
                ("/small", "must be a whole number"),
            ]
        );
    }

    #[test]
    fn missing_and_null_are_told_apart() {
        assert_eq!(errors(json!({})), [("/longTitle".into(), "is required".into())]);
        assert_eq!(errors(json!({"longTitle": null})), [("/longTitle".into(), "must be a string".into())]);
        assert!(errors(json!({"longTitle": "fine", "small": null})).is_empty());
    }
}
