//! Parameters of the query.

use garde::Validate;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::shape::shape;
use crate::problem::{InputError, Place, Problem};

/// The query of a route: a DTO whose fields are members of strings.
pub(crate) trait Parameters: DeserializeOwned + Validate<Context = ()> {
    /// Parameters that may be given several times; their members are lists.
    const LISTS: &'static [&'static str] = &[];
}

/// A query without parameters.
#[derive(serde::Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoParameters {}

impl Parameters for NoParameters {}

/// Reads and checks the query.
pub(super) fn read<Q: Parameters>(query: &str) -> Result<Q, Problem> {
    let mut members = Map::new();
    let mut errors = Vec::new();
    for (name, text) in form_urlencoded::parse(query.as_bytes()) {
        let text = Value::String(text.into_owned());
        if Q::LISTS.contains(&name.as_ref()) {
            if let Value::Array(list) = members.entry(name).or_insert_with(|| Value::Array(Vec::new())) {
                list.push(text);
            }
        } else if members.insert(name.clone().into_owned(), text).is_some() {
            let detail = "must not be given more than once".to_owned();
            errors.push(InputError { place: Place::Parameter(name.into_owned()), detail });
        }
    }
    match shape(Value::Object(members), parameter) {
        Ok(query) if errors.is_empty() => Ok(query),
        Ok(_) => Err(Problem::invalid(errors)),
        Err(more) => {
            errors.extend(more);
            Err(Problem::invalid(errors))
        }
    }
}

fn parameter(path: &[String]) -> Place {
    Place::Parameter(path.first().cloned().unwrap_or_default())
}
