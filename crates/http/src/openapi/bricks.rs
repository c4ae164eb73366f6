//! What terms are made of.

use serde_json::Value;
use utoipa::openapi::{
    ArrayBuilder, ObjectBuilder, OneOfBuilder, RefOr, Schema, SchemaFormat, Type,
    schema::{KnownFormat, SchemaType},
};

/// What Rust's `char::is_whitespace` is true for, as part of a character class: `\s` means something slightly
/// different in every language.
pub(super) const WHITE: &str =
    r"\u0009-\u000D\u0020\u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000";
/// What `shows_nothing` is true for, as part of a character class: as far as \u reaches, which has four digits.
pub(super) const UNSEEN: &str = concat!(
    r"\u0000-\u0020\u007F-\u00A0\u00AD\u034F\u061C\u115F\u1160\u1680\u17B4\u17B5\u180B-\u180F\u2000-\u200F\u2028-\u202F",
    r"\u205F-\u206F\u2800\u3000\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF0-\uFFFB",
);
/// White space and control characters, as part of a character class.
pub(super) const WHITE_OR_CONTROL: &str =
    r"\u0000-\u0020\u007F-\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000";
/// Control characters, as part of a character class.
pub(super) const CONTROL: &str = r"\u0000-\u001F\u007F-\u009F";
/// Times that have a UTC form within the years 0 to 9999.
pub(super) const WITH_UTC_FORM: &str =
    r"^((?!0000|9999)\d{4}-.*|0000-.*([Zz]|-\d{2}:\d{2}|[+]00:00)|9999-.*([Zz]|[+]\d{2}:\d{2}|-00:00))$";
pub(super) const MOMENT: &str = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$";

/// Text without rules of its own.
pub(crate) fn plain_text() -> ObjectBuilder {
    string()
}

pub(super) fn day_or_moment(what: &str) -> OneOfBuilder {
    let form = |format| string().format(Some(SchemaFormat::KnownFormat(format)));
    OneOfBuilder::new()
        .item(form(KnownFormat::Date))
        .item(form(KnownFormat::DateTime).pattern(Some(WITH_UTC_FORM)))
        .description(Some(what))
}

pub(super) fn string() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

pub(super) fn id_of(what: &str) -> ObjectBuilder {
    string().format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid))).description(Some(what))
}

/// One of these names.
pub(crate) fn names(names: &[&str]) -> ObjectBuilder {
    string().enum_values(Some(names.iter().copied()))
}

/// A whole number within bounds.
pub(crate) fn whole(from: i64, to: i64) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(from)).maximum(Some(to))
}

/// Text in a body with so many characters (Unicode scalar values) that shows something and has no NUL.
pub(crate) fn text(min: usize, max: usize) -> ObjectBuilder {
    string().min_length(Some(min)).max_length(Some(max)).pattern(Some(not_unseen()))
}

/// The same in an answer, which may be older than the rule that it has to show something.
pub(super) fn stored_text(min: usize, max: usize) -> ObjectBuilder {
    string().min_length(Some(min)).max_length(Some(max)).pattern(Some(not_blank()))
}

/// No NUL, and something that can be seen.
pub(super) fn not_unseen() -> String {
    format!(r"^[^\u0000]*[^{UNSEEN}][^\u0000]*$")
}

/// No NUL, and something that is not white space.
pub(super) fn not_blank() -> String {
    format!(r"^[^\u0000]*[^\u0000{WHITE}][^\u0000]*$")
}

/// A list of so many of these.
pub(crate) fn list(of: impl Into<RefOr<Schema>>, most: usize) -> ArrayBuilder {
    ArrayBuilder::new().items(of.into()).max_items(Some(most))
}

/// The same, or null.
#[expect(clippy::wildcard_enum_match_arm, reason = "the enumeration is open")]
pub(super) fn nullable(schema: Schema) -> Schema {
    let with_null = |schema_type: SchemaType| match schema_type {
        SchemaType::Type(one) => SchemaType::from_iter([one, Type::Null]),
        SchemaType::Array(mut all) => {
            all.push(Type::Null);
            SchemaType::Array(all)
        }
        SchemaType::AnyValue => SchemaType::AnyValue,
    };
    match schema {
        Schema::Object(mut object) => {
            object.schema_type = with_null(object.schema_type);
            // An enumeration has to name null, too.
            object.enum_values = object.enum_values.map(|mut values| {
                values.push(Value::Null);
                values
            });
            Schema::Object(object)
        }
        Schema::Array(mut array) => {
            array.schema_type = with_null(array.schema_type);
            Schema::Array(array)
        }
        // What is put together from others says so in one of them.
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use techsupport_domain::text::shows_nothing;

    use super::*;

    /// The characters of the Basic Multilingual Plane for which this is true, as part of a character class.
    fn class_of(is_in: impl Fn(char) -> bool) -> String {
        let mut ranges: Vec<(u16, u16)> = Vec::new();
        for code in (0..=u16::MAX).filter(|code| char::from_u32((*code).into()).is_some_and(&is_in)) {
            match ranges.last_mut() {
                Some((_, last)) if last.checked_add(1) == Some(code) => *last = code,
                _ => ranges.push((code, code)),
            }
        }
        let written = |(from, to): (u16, u16)| match to - from {
            0 => format!("\\u{from:04X}"),
            1 => format!("\\u{from:04X}\\u{to:04X}"),
            _ => format!("\\u{from:04X}-\\u{to:04X}"),
        };
        ranges.into_iter().map(written).collect::<Vec<_>>().concat()
    }

    #[test]
    fn the_classes_are_those_of_the_rules() {
        assert_eq!(WHITE, class_of(char::is_whitespace));
        assert_eq!(WHITE_OR_CONTROL, class_of(|it| it.is_whitespace() || it.is_control()));
        assert_eq!(CONTROL, class_of(char::is_control));
        assert_eq!(UNSEEN, class_of(shows_nothing));
    }
}
