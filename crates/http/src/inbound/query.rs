//! Parameters of the query.

use garde::Validate;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    findings::{Findings, short},
    shape::shape,
};
use crate::problem::{Place, Problem};

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
    let mut findings = Findings::default();
    for (name, text) in form_urlencoded::parse(query.as_bytes()) {
        let text = Value::String(text.into_owned());
        if Q::LISTS.contains(&name.as_ref()) {
            if let Value::Array(list) = members.entry(name).or_insert_with(|| Value::Array(Vec::new())) {
                list.push(text);
            }
        } else if members.insert(name.clone().into_owned(), text).is_some() {
            findings.add(|| parameter(&name), "must not be given more than once");
        }
    }
    shape(members, findings, parameter)
}

fn parameter(name: &str) -> Place {
    Place::Parameter(short(name))
}
