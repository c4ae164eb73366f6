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
    let written = query.split('&').filter(|pair| !pair.is_empty());
    for ((name, text), written) in form_urlencoded::parse(query.as_bytes()).zip(written) {
        if !is_utf_8(written) {
            findings.add(|| parameter(&name), "must be encoded in UTF-8");
        }
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

/// Whether percent-encoded text is text: the parser puts a replacement character in the place of what is none.
fn is_utf_8(written: &str) -> bool {
    let mut bytes = Vec::with_capacity(written.len());
    let mut rest = written.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| *first == b'%').and_then(|code| std::str::from_utf8(code).ok());
        let code = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    std::str::from_utf8(&bytes).is_ok()
}

fn parameter(name: &str) -> Place {
    Place::Parameter(short(name))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// The parameters that are named, in this order.
    fn named(query: &str) -> Vec<Place> {
        let problem = read::<NoParameters>(query).err().unwrap();
        problem.errors.into_iter().map(|error| error.place).collect()
    }

    #[test]
    fn a_parameter_is_named_once_however_much_is_wrong_with_it() {
        assert_eq!(named("a=1&a=%FF&a=3&b=1&a=4"), [parameter("a"), parameter("b")]);
    }
}
