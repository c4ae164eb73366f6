//! One member of the input, as it arrived: reading it never fails, so that every wrong one can be named.

use std::fmt::Display;

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

use crate::problem::Problem;

/// What a member of this type is called in an error.
pub(crate) trait Expected {
    /// Completes "must be …".
    const WHAT: &'static str;
}

impl Expected for String {
    const WHAT: &'static str = "a string";
}

impl Expected for i64 {
    const WHAT: &'static str = "a whole number";
}

impl Expected for bool {
    const WHAT: &'static str = "true or false";
}

impl Expected for Vec<String> {
    const WHAT: &'static str = "a list of strings";
}

/// One member of the input. No `Debug`: passwords and tokens pass through here.
#[derive(Clone)]
pub(crate) enum Member<T> {
    Missing,
    Null,
    /// Of another type.
    Wrong,
    Is(T),
}

// Not derived: that would ask for `T: Default`.
impl<T> Default for Member<T> {
    fn default() -> Self {
        Member::Missing
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Member<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Value::deserialize(deserializer)? {
            Value::Null => Member::Null,
            value => T::deserialize(value).map_or(Member::Wrong, Member::Is),
        })
    }
}

impl<T: Expected> Member<T> {
    /// The value it holds, if it holds one.
    fn value(&self) -> Result<Option<&T>, String> {
        match self {
            Member::Missing | Member::Null => Ok(None),
            Member::Wrong => Err(format!("must be {}", T::WHAT)),
            Member::Is(value) => Ok(Some(value)),
        }
    }

    fn parsed<D, E: Display>(&self, parse: impl FnOnce(&T) -> Result<D, E>) -> Result<Option<D>, String> {
        self.value()?.map(parse).transpose().map_err(|error| error.to_string())
    }

    fn demanded<D, E: Display>(&self, parse: impl FnOnce(&T) -> Result<D, E>) -> Result<D, String> {
        match (self.parsed(parse)?, self) {
            (Some(value), _) => Ok(value),
            (None, Member::Null) => Err(format!("must be {}", T::WHAT)),
            (None, _) => Err("is required".to_owned()),
        }
    }

    /// The parsed value of a member that has to be there. Validation has refused others before.
    pub(crate) fn take<D, E: Display>(&self, parse: impl FnOnce(&T) -> Result<D, E>) -> Result<D, Problem> {
        self.demanded(parse).map_err(|_| unvalidated())
    }

    /// The parsed value of a member that may be missing or null.
    pub(crate) fn take_optional<D, E: Display>(
        &self,
        parse: impl FnOnce(&T) -> Result<D, E>,
    ) -> Result<Option<D>, Problem> {
        self.parsed(parse).map_err(|_| unvalidated())
    }
}

/// A value that passed its rule and cannot be parsed by it is a defect of ours.
fn unvalidated() -> Problem {
    tracing::error!("a member passed validation and could not be parsed");
    Problem::internal()
}

/// The member has to be there and to parse.
pub(crate) fn required<T: Expected, D, E: Display>(
    parse: impl FnOnce(&T) -> Result<D, E>,
) -> impl FnOnce(&Member<T>, &()) -> garde::Result {
    move |member, ()| member.demanded(parse).map(drop).map_err(garde::Error::new)
}

/// The member may be missing or null; otherwise it has to parse.
pub(crate) fn optional<T: Expected, D, E: Display>(
    parse: impl FnOnce(&T) -> Result<D, E>,
) -> impl FnOnce(&Member<T>, &()) -> garde::Result {
    move |member, ()| member.parsed(parse).map(drop).map_err(garde::Error::new)
}

/// The member has to be there, but may be null; otherwise it has to parse.
pub(crate) fn nullable<T: Expected, D, E: Display>(
    parse: impl FnOnce(&T) -> Result<D, E>,
) -> impl FnOnce(&Member<T>, &()) -> garde::Result {
    move |member, ()| match member {
        Member::Missing => Err(garde::Error::new("is required")),
        Member::Null | Member::Wrong | Member::Is(_) => {
            member.parsed(parse).map(drop).map_err(garde::Error::new)
        }
    }
}
