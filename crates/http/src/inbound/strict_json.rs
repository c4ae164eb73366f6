//! JSON without surprises: a member that appears twice is an error, not the last one's victory.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::problem::{InputError, Place};

/// What a body holds.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) value: Value,
    /// Members that appear more than once.
    pub(super) errors: Vec<InputError>,
}

/// Reads a whole body. `None` when it is no JSON, or nested deeper than 128 levels.
pub(super) fn parse(bytes: &[u8]) -> Option<Parsed> {
    let mut errors = Vec::new();
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Node { pointer: String::new(), errors: &mut errors }.deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    Some(Parsed { value, errors })
}

/// Appends a member's name to a JSON pointer (RFC 6901, section 3).
pub(super) fn child(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

struct Node<'e> {
    pointer: String,
    errors: &'e mut Vec<InputError>,
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
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
            let pointer = format!("{}/{}", self.pointer, values.len());
            match items.next_element_seed(Node { pointer, errors: &mut *self.errors })? {
                Some(value) => values.push(value),
                None => return Ok(Value::Array(values)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let pointer = child(&self.pointer, &name);
            let seed = Node { pointer: pointer.clone(), errors: &mut *self.errors };
            let value = members.next_value_seed(seed)?;
            if map.insert(name, value).is_some() {
                let detail = "must not appear more than once".to_owned();
                self.errors.push(InputError { place: Place::Pointer(pointer), detail });
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
        parse(json.as_bytes()).unwrap().errors.into_iter().map(|error| error.place).collect()
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
        assert!(parse(b"\xef\xbb\xbf{}").is_none());
    }
}
