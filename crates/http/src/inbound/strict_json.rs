//! JSON without surprises: a member that appears twice is an error, not the last one's victory.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::findings::{Findings, descend};
use crate::problem::{InputError, Kind, Place, Problem};

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

/// Levels a body may be nested. Fewer than the parser itself would take, so that it is always us who say so.
const MOST_LEVELS: usize = 120;

/// Why a body cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Malformed {
    /// It is no JSON: noticed here, counted in lines and in bytes of the line.
    NoJson {
        line: usize,
        column: usize,
    },
    TooDeep,
    TooManyValues,
}

impl Malformed {
    /// Completes a sentence that begins with the body.
    fn detail(self) -> String {
        match self {
            Self::NoJson { line, column } => format!("is not valid JSON at line {line}, column {column}"),
            Self::TooDeep => format!("is nested deeper than {MOST_LEVELS} levels"),
            Self::TooManyValues => format!("holds more than {MOST_VALUES} values"),
        }
    }
}

impl From<Malformed> for Problem {
    fn from(malformed: Malformed) -> Self {
        let (place, detail) = (Place::Pointer(String::new()), malformed.detail());
        let whole = format!("the body {detail}");
        Self { errors: vec![InputError { place, detail }], ..Self::new(Kind::MalformedBody, whole) }
    }
}

/// Reads a whole body.
pub(super) fn read(bytes: &[u8]) -> Result<Parsed, Problem> {
    Ok(parse(bytes)?)
}

fn parse(bytes: &[u8]) -> Result<Parsed, Malformed> {
    let mut progress =
        Progress { findings: Findings::default(), values_left: MOST_VALUES, levels: 0, excess: None };
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = Node { path: &Path::Root, progress: &mut progress }.deserialize(&mut reader);
    match read.and_then(|value| reader.end().map(|()| value)) {
        Ok(value) => Ok(Parsed { value, findings: progress.findings }),
        // The library's own words are not for callers.
        Err(error) => Err(progress
            .excess
            .unwrap_or(Malformed::NoJson { line: error.line().max(1), column: error.column().max(1) })),
    }
}

struct Progress {
    findings: Findings,
    values_left: usize,
    levels: usize,
    /// Of what there is too much, where that is why reading ended.
    excess: Option<Malformed>,
}

impl Progress {
    fn descend<E: Error>(&mut self) -> Result<(), E> {
        self.levels += 1;
        if self.levels > MOST_LEVELS { Err(self.exceed(Malformed::TooDeep)) } else { Ok(()) }
    }

    fn exceed<E: Error>(&mut self, excess: Malformed) -> E {
        self.excess = Some(excess);
        E::custom("too much")
    }
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

    /// `false` as soon as there is no more room. As deep as [`MOST_LEVELS`].
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
        self.progress.values_left = left.ok_or_else(|| self.progress.exceed(Malformed::TooManyValues))?;
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
        self.progress.descend()?;
        let mut values = Vec::new();
        loop {
            let path = Path::Item(self.path, values.len());
            match items.next_element_seed(Node { path: &path, progress: &mut *self.progress })? {
                Some(value) => values.push(value),
                None => break,
            }
        }
        self.progress.levels -= 1;
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        self.progress.descend()?;
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
        self.progress.levels -= 1;
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
    fn what_is_no_json_is_refused_with_its_place() {
        for (wrong, line, column) in [
            ("", 1, 1),
            ("{", 1, 1),
            ("{} {}", 1, 4),
            ("{\"a\": 1,}", 1, 9),
            ("{\"a\": 1e999}", 1, 11),
            ("{\n  \"a\": }", 2, 8),
            ("\u{feff}{}", 1, 1),
        ] {
            assert_eq!(parse(wrong.as_bytes()).unwrap_err(), Malformed::NoJson { line, column }, "{wrong}");
        }
        for wrong in [&b"nul"[..], b"{\"a\": \"\\ud800\"}", b"{\"a\": \"\xff\"}"] {
            assert!(matches!(parse(wrong).unwrap_err(), Malformed::NoJson { line: 1, .. }));
        }
    }

    #[test]
    fn what_is_too_much_is_said_to_be() {
        let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(parse(deep(MOST_LEVELS).as_bytes()).is_ok());
        for levels in [MOST_LEVELS + 1, 128, 100_000] {
            assert_eq!(parse(deep(levels).as_bytes()).unwrap_err(), Malformed::TooDeep);
        }
        // Depth is not what lies side by side.
        assert!(parse(format!("[{}0]", "[{}],".repeat(1_000)).as_bytes()).is_ok());
        let zeros = |count: usize| format!("[{}0]", "0,".repeat(count - 1));
        assert!(parse(zeros(MOST_VALUES - 1).as_bytes()).is_ok());
        assert_eq!(parse(zeros(MOST_VALUES).as_bytes()).unwrap_err(), Malformed::TooManyValues);
    }
}
