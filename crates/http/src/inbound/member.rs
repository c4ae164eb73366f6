//! One member of the input, as it arrived: reading it never fails, so that every wrong one can be named.

use std::fmt::Display;

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

use crate::problem::Problem;

/// A type that members can have.
pub(crate) trait Kind {
    /// Completes "must be …".
    const WHAT: &'static str;
    /// How a rule gets to see it.
    type View<'a>
    where
        Self: 'a;

    /// Shows it to a rule.
    fn view(&self) -> Self::View<'_>;
}

impl Kind for String {
    const WHAT: &'static str = "a string";
    type View<'a> = &'a str;

    fn view(&self) -> &str {
        self
    }
}

impl Kind for i64 {
    const WHAT: &'static str = "a whole number";
    type View<'a> = i64;

    fn view(&self) -> i64 {
        *self
    }
}

impl Kind for bool {
    const WHAT: &'static str = "true or false";
    type View<'a> = bool;

    fn view(&self) -> bool {
        *self
    }
}

impl Kind for Vec<String> {
    const WHAT: &'static str = "a list of strings";
    type View<'a> = &'a [String];

    fn view(&self) -> &[String] {
        self
    }
}

/// One member of the input. No `Debug`: passwords and tokens pass through here.
#[derive(Default)]
pub(crate) enum Member<T> {
    #[default]
    Missing,
    Null,
    /// Of another type.
    Wrong,
    Is(T),
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Member<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Ok(if value.is_null() {
            Member::Null
        } else {
            T::deserialize(without_fraction(value)).map_or(Member::Wrong, Member::Is)
        })
    }
}

/// 2.0 is a whole number (JSON Schema 2020-12, section 4.2.3), and some languages write it so. Beyond 2^53 not every
/// whole number has a form of its own with a fraction.
fn without_fraction(value: Value) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value.as_f64() {
        Some(number) if value.is_f64() && number.fract() == 0.0 && number.abs() <= EXACT => {
            // Without a fraction nothing but digits is written.
            number.to_string().parse::<i64>().map_or(value, Value::from)
        }
        _ => value,
    }
}

impl<T: Kind> Member<T> {
    /// The value it holds, if it holds one.
    fn value(&self) -> Result<Option<T::View<'_>>, String> {
        match self {
            Member::Missing | Member::Null => Ok(None),
            Member::Wrong => Err(format!("must be {}", T::WHAT)),
            Member::Is(value) => Ok(Some(value.view())),
        }
    }

    fn parsed<D, E: Display>(
        &self,
        parse: impl FnOnce(T::View<'_>) -> Result<D, E>,
    ) -> Result<Option<D>, String> {
        self.value()?.map(parse).transpose().map_err(|error| error.to_string())
    }

    fn demanded<D, E: Display>(&self, parse: impl FnOnce(T::View<'_>) -> Result<D, E>) -> Result<D, String> {
        match (self.parsed(parse)?, self) {
            (Some(value), _) => Ok(value),
            (None, Member::Null) => Err(format!("must be {}", T::WHAT)),
            (None, _) => Err("is required".to_owned()),
        }
    }

    /// The parsed value of a member that has to be there. Validation has refused others before.
    pub(crate) fn take<D, E: Display>(
        &self,
        parse: impl FnOnce(T::View<'_>) -> Result<D, E>,
    ) -> Result<D, Problem> {
        self.demanded(parse).map_err(|_| unvalidated())
    }

    /// The parsed value of a member that may be missing or null.
    pub(crate) fn take_optional<D, E: Display>(
        &self,
        parse: impl FnOnce(T::View<'_>) -> Result<D, E>,
    ) -> Result<Option<D>, Problem> {
        self.parsed(parse).map_err(|_| unvalidated())
    }
}

impl<T> Member<T> {
    /// Whether there is anything, and be it null.
    pub(crate) fn is_given(&self) -> bool {
        !matches!(self, Member::Missing)
    }
}

/// A value that passed its rule and cannot be parsed by it is a defect of ours.
fn unvalidated() -> Problem {
    tracing::error!("a member passed validation and could not be parsed");
    Problem::internal()
}

/// The member has to be there and to parse.
pub(crate) fn required<T: Kind, D, E: Display>(
    parse: impl FnOnce(T::View<'_>) -> Result<D, E>,
) -> impl FnOnce(&Member<T>, &()) -> garde::Result {
    move |member, ()| member.demanded(parse).map(drop).map_err(garde::Error::new)
}

/// The member may be missing or null; otherwise it has to parse.
pub(crate) fn optional<T: Kind, D, E: Display>(
    parse: impl FnOnce(T::View<'_>) -> Result<D, E>,
) -> impl FnOnce(&Member<T>, &()) -> garde::Result {
    move |member, ()| member.parsed(parse).map(drop).map_err(garde::Error::new)
}

/// The member has to be there, but may be null; otherwise it has to parse.
pub(crate) fn nullable<T: Kind, D, E: Display>(
    parse: impl FnOnce(T::View<'_>) -> Result<D, E>,
) -> impl FnOnce(&Member<T>, &()) -> garde::Result {
    move |member, ()| match member {
        Member::Missing => Err(garde::Error::new("is required")),
        Member::Null | Member::Wrong | Member::Is(_) => {
            member.parsed(parse).map(drop).map_err(garde::Error::new)
        }
    }
}

/// The member may be missing; otherwise it has to parse. For members that are to be changed, where null does not
/// mean that they are to stay.
pub(crate) fn given<T: Kind, D, E: Display>(
    parse: impl FnOnce(T::View<'_>) -> Result<D, E>,
) -> impl FnOnce(&Member<T>, &()) -> garde::Result {
    move |member, ()| match member {
        Member::Missing => Ok(()),
        Member::Null | Member::Wrong | Member::Is(_) => {
            member.demanded(parse).map(drop).map_err(garde::Error::new)
        }
    }
}
