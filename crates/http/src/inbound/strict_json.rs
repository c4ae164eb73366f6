//! JSON without surprises: a member that appears twice is an error, not the last one's victory.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::findings::{Findings, descend};
use crate::problem::{Kind, Place, Problem};

/// Values a body may hold. Each takes memory and time, many times more than the two bytes it can be written
/// with, and the largest proper request has a hundredth of them.
const MOST_VALUES: usize = 10_000;

/// What a body holds.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) value: Value,
    /// Members that appear more than once.
    pub(super) findings: Findings,
}

/// Reads a whole body. `None` when it is no JSON, is nested deeper than 128 levels, or holds more than
/// [`MOST_VALUES`] values.
fn parse(bytes: &[u8]) -> Option<Parsed> {
    let mut progress = Progress { findings: Findings::default(), values_left: MOST_VALUES };
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Node { path: &Path::Root, progress: &mut progress }.deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    Some(Parsed { value, findings: progress.findings })
}

/// The same, as it is told to the caller.
pub(super) fn read(bytes: &[u8]) -> Result<Parsed, Problem> {
    parse(bytes).ok_or_else(|| {
        let detail = format!(
            "the body is not valid JSON, is nested too deeply, or holds more than {MOST_VALUES} values"
        );
        Problem::new(Kind::MalformedBody, detail)
    })
}

struct Progress {
    findings: Findings,
    values_left: usize,
}

/// Where the parser is. Borrowed from its own stack and spelt out only for an error: names may be as long as
/// the body.
enum Path<'p> {
    Root,
    Member(&'p Path<'p>, &'p str),
    Item(&'p Path<'p>, usize),
}

impl Path<'_> {
    fn pointer(&self) -> Place {
        let mut pointer = String::new();
        self.spell(&mut pointer);
        Place::Pointer(pointer)
    }

    /// `false` as soon as there is no more room. As deep as the parser itself: 128 levels.
    fn spell(&self, pointer: &mut String) -> bool {
        match self {
            Path::Root => true,
            Path::Member(parent, name) => parent.spell(pointer) && descend(pointer, name),
            Path::Item(parent, index) => parent.spell(pointer) && descend(pointer, &index.to_string()),
        }
    }
}

struct Node<'p, 's> {
    path: &'p Path<'p>,
    progress: &'s mut Progress,
}

impl<'de> DeserializeSeed<'de> for Node<'_, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let left = self.progress.values_left.checked_sub(1);
        self.progress.values_left = left.ok_or_else(|| D::Error::custom("too many values"))?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_, '_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        loop {
            let path = Path::Item(self.path, values.len());
            match items.next_element_seed(Node { path: &path, progress: &mut *self.progress })? {
                Some(value) => values.push(value),
                None => return Ok(Value::Array(values)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let path = Path::Member(self.path, &name);
            let value = members.next_value_seed(Node { path: &path, progress: &mut *self.progress })?;
            if map.contains_key(&name) {
                self.progress.findings.add(|| path.pointer(), "must not appear more than once");
            } else {
                map.insert(name, value);
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn pointers(json: &str) -> Vec<Place> {
        parse(json.as_bytes()).unwrap().findings.into_errors().into_iter().map(|error| error.place).collect()
    }

    #[test]
    fn repeated_members_are_named_wherever_they_are() {
        assert!(pointers(r#"{"a": [{"b": 1}, {"b": 2}]}"#).is_empty());
        assert_eq!(pointers(r#"{"a": 1, "a": 1}"#), [Place::Pointer("/a".into())]);
        assert_eq!(pointers(r#"{"x": [0, {"a/b": 1, "a/b": 2}]}"#), [Place::Pointer("/x/1/a~1b".into())]);
        assert_eq!(pointers(r#"{"a": 1, "\u0061": 2}"#), [Place::Pointer("/a".into())]);
    }

    #[test]
    fn what_is_no_json_is_refused() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        for wrong in ["", "{", "{} {}", "nul", "{\"a\": \"\\ud800\"}", "{\"a\": 1,}", "{\"a\": 1e999}", &deep]
        {
            assert!(parse(wrong.as_bytes()).is_none(), "{wrong}");
        }
        assert!(parse(b"{\"a\": \"\xff\"}").is_none());
        let zeros = |count: usize| format!("[{}0]", "0,".repeat(count - 1));
        assert!(parse(zeros(MOST_VALUES - 1).as_bytes()).is_some());
        assert!(parse(zeros(MOST_VALUES).as_bytes()).is_none());
        assert!(parse(b"\xef\xbb\xbf{}").is_none());
    }
}
