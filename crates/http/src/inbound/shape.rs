//! From loose values to a checked data transfer object: every wrong member is named, not only the first.

use garde::Validate;
use serde::{
    Deserializer,
    de::{DeserializeOwned, Visitor, value::Error},
};
use serde_json::{Map, Value};

use super::findings::{Findings, descend};
use crate::problem::{Place, Problem};

/// Reads a DTO and validates it. Its fields are [`super::Member`]s, so the only thing that can fail while
/// reading is a name it does not know: those are named and taken out before, in one pass.
pub(super) fn shape<T>(
    members: Map<String, Value>,
    mut findings: Findings,
    place: fn(&str) -> Place,
) -> Result<T, Problem>
where
    T: DeserializeOwned + Validate<Context = ()>,
{
    let dto = read(members, &mut findings, place)?;
    if findings.is_empty() { Ok(dto) } else { Err(Problem::invalid(findings.into_errors())) }
}

/// The same for a list of up to `most` objects, and one at least.
pub(super) fn shape_list<T>(items: Vec<Value>, mut findings: Findings, most: usize) -> Result<Vec<T>, Problem>
where
    T: DeserializeOwned + Validate<Context = ()>,
{
    if items.is_empty() || items.len() > most {
        findings
            .add(|| Place::Pointer(String::new()), format!("the body must be a list of 1 to {most} objects"));
        return Err(Problem::invalid(findings.into_errors()));
    }
    let mut dtos = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        let place = |name: &str| {
            let mut pointer = format!("/{index}");
            descend(&mut pointer, name);
            Place::Pointer(pointer)
        };
        match item {
            Value::Object(members) => dtos.push(read(members, &mut findings, place)?),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                findings.add(|| Place::Pointer(format!("/{index}")), "must be a JSON object");
            }
        }
    }
    if findings.is_empty() { Ok(dtos) } else { Err(Problem::invalid(findings.into_errors())) }
}

fn read<T>(
    mut members: Map<String, Value>,
    findings: &mut Findings,
    place: impl Fn(&str) -> Place,
) -> Result<T, Problem>
where
    T: DeserializeOwned + Validate<Context = ()>,
{
    let known = fields::<T>();
    members.retain(|name, _| {
        let is_known = known.contains(&name.as_str());
        if !is_known {
            findings.add(|| place(name), "is not known here");
        }
        is_known
    });
    let dto = T::deserialize(Value::Object(members)).map_err(|error| {
        tracing::error!(%error, "a DTO refuses members that it knows");
        Problem::internal()
    })?;
    if let Err(report) = dto.validate() {
        for (path, error) in report.iter() {
            findings.add(|| place(&wire_name(&path.to_string())), error.message());
        }
    }
    Ok(dto)
}

/// The names a struct has on the wire: serde tells them to whoever is asked to deserialize it.
fn fields<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut told: &'static [&'static str] = &[];
    // Always an error, because nothing is there to read.
    drop(T::deserialize(Listener(&mut told)));
    told
}

/// Has no data, only ears.
struct Listener<'t>(&'t mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Listener<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(serde::de::Error::custom("there is nothing to read"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        *self.0 = fields;
        self.deserialize_any(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// garde speaks of Rust's fields (`r#type`, `client_id`), the wire of camelCase members.
fn wire_name(field: &str) -> String {
    let mut upper = false;
    field
        .trim_start_matches("r#")
        .chars()
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
        #[garde(custom(optional(|text: &str| Title::parse(text))))]
        r#type: Member<String>,
    }

    fn pointer(name: &str) -> Place {
        Place::Pointer(format!("/{name}"))
    }

    fn errors(value: Value) -> Vec<(String, String)> {
        let Value::Object(members) = value else { return Vec::new() };
        let Err(problem) = shape::<Sample>(members, Findings::default(), pointer) else { return Vec::new() };
        problem
            .errors
            .into_iter()
            .map(|error| match error.place {
                Place::Pointer(at) | Place::Parameter(at) => (at, error.detail),
                Place::Header(name) => (name.to_owned(), error.detail),
            })
            .collect()
    }

    #[test]
    fn every_wrong_member_is_named() {
        let all = errors(json!({"longTitle": "x", "small": "1", "type": 1, "who": 1, "what": {}}));
        let said: Vec<(&str, &str)> = all.iter().map(|(at, detail)| (at.as_str(), detail.as_str())).collect();
        assert_eq!(
            said,
            [
                ("/what", "is not known here"),
                ("/who", "is not known here"),
                ("/longTitle", "must have at least 3 characters"),
                ("/type", "must be a string"),
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
