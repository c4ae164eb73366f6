//! How members and parameters are read. Each completes a sentence that begins with the member's name.

use techsupport_application::Page;
use techsupport_domain::{
    AgentLevel, AgentLevelError,
    text::{CommentBody, Company, Description, Email, PersonName, TextError, Title},
    ticket::{Priority, PriorityError, TagError, Tags},
};
use time::{
    Date, OffsetDateTime, UtcOffset, format_description::BorrowedFormatItem,
    format_description::well_known::Rfc3339, macros::format_description,
};
use uuid::Uuid;

use super::cursor::Cursor;
use crate::{
    inbound::uuid,
    problem::{InputError, Place, Problem},
};

const DAY: &[BorrowedFormatItem<'static>] = format_description!("[year]-[month]-[day]");

/// An id.
pub(super) fn id(text: &str) -> Result<Uuid, &'static str> {
    uuid(text)
}

/// The name of a person.
pub(super) fn person(text: &str) -> Result<PersonName, TextError> {
    PersonName::parse(text)
}

/// An e-mail address.
pub(super) fn email(text: &str) -> Result<Email, TextError> {
    Email::parse(text)
}

/// A rung of the escalation ladder.
pub(super) fn agent_level(level: i64) -> Result<AgentLevel, AgentLevelError> {
    AgentLevel::parse(level)
}

/// Who wishes for a change says at least what it is. `pointer` names the object.
pub(super) fn at_least_one(pointer: &str, members: &[(&str, bool)]) -> Result<(), Problem> {
    if members.iter().any(|(_, is_given)| *is_given) {
        return Ok(());
    }
    let names: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
    let detail = format!("must have at least one of {}", names.join(", "));
    Err(Problem::invalid(vec![InputError { place: Place::Pointer(pointer.to_owned()), detail }]))
}

/// Any text.
#[expect(clippy::unnecessary_wraps, reason = "rules may refuse")]
pub(super) fn any_text(text: &str) -> Result<String, std::convert::Infallible> {
    Ok(text.to_owned())
}

/// Either of the two.
#[expect(clippy::unnecessary_wraps, reason = "rules may refuse")]
pub(super) fn flag(flag: bool) -> Result<bool, std::convert::Infallible> {
    Ok(flag)
}

/// Text that says something. What it says is for somebody else to judge.
pub(super) fn something(text: &str) -> Result<String, TextError> {
    if text.contains('\0') {
        Err(TextError::Nul)
    } else if text.trim().is_empty() {
        Err(TextError::Blank)
    } else {
        Ok(text.to_owned())
    }
}

/// A password that is being chosen. Whether it is among the most common ones is for the use case to find out.
pub(super) fn new_password(text: &str) -> Result<String, String> {
    let text = something(text).map_err(|error| error.to_string())?;
    // In characters, not bytes.
    if (8..=128).contains(&text.chars().count()) {
        Ok(text)
    } else {
        Err("must have 8 to 128 characters".to_owned())
    }
}

/// A text to look for; an empty one finds everything.
pub(super) fn search(text: &str) -> Result<Option<String>, &'static str> {
    if text.contains('\0') {
        Err("must not contain the NUL character")
    } else if text.chars().count() > 200 {
        Err("must have at most 200 characters")
    } else {
        Ok((!text.trim().is_empty()).then(|| text.trim().to_owned()))
    }
}

/// A boolean in a query.
pub(super) fn yes_or_no(text: &str) -> Result<bool, &'static str> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("must be true or false"),
    }
}

/// A time, or the first moment of a day in UTC.
pub(super) fn moment_from(text: &str) -> Result<OffsetDateTime, &'static str> {
    moment(text).map(|(from, _)| from)
}

/// A time, or the last moment of a day in UTC. Answers show milliseconds, so a time that was copied from one
/// means the whole of its millisecond; one with more digits means itself.
pub(super) fn moment_to(text: &str) -> Result<OffsetDateTime, &'static str> {
    moment(text).map(|(_, to)| to)
}

/// Both, if they are in order, in whole microseconds: what is created has no finer time. So the first is the next one
/// and the last the one before.
pub(super) fn in_order(
    from: Option<OffsetDateTime>,
    to: Option<OffsetDateTime>,
) -> Result<(Option<OffsetDateTime>, Option<OffsetDateTime>), Problem> {
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        return Err(Problem::parameter("from", "must not be later than to"));
    }
    let beyond = |at: OffsetDateTime| time::Duration::nanoseconds((at.nanosecond() % 1_000).into());
    let next = |at: OffsetDateTime| (at - beyond(at)).checked_add(time::Duration::MICROSECOND);
    // Behind the last microsecond of the calendar there is none.
    let from = from.map(|at| if beyond(at).is_zero() { at } else { next(at).unwrap_or(at) });
    Ok((from, to.map(|at| at - beyond(at))))
}

/// The first and the last moment that a text stands for; the last to the microsecond, which is as fine as the
/// database's clock.
fn moment(text: &str) -> Result<(OffsetDateTime, OffsetDateTime), &'static str> {
    const WRONG: &str = "must be a date (2026-02-12) or a time (2026-02-12T20:45:23Z)";
    const YEARS: std::ops::RangeInclusive<i32> = 0..=9_999;
    const LAST_MICROS: i64 = 999;
    const MILLISECOND_DIGITS: usize = 3;
    // In a query an unescaped plus sign is a space.
    const SPACE: &str = "must be a time without spaces; in a query + is written %2B";
    if text.contains(' ') {
        return Err(SPACE);
    }
    // The parser takes a sign before the year.
    if text.starts_with(|first: char| first.is_ascii_digit())
        && let Ok(day) = Date::parse(text, DAY)
        && YEARS.contains(&day.year())
    {
        let last = day.with_hms_micro(23, 59, 59, 999_999).map_err(|_| WRONG)?;
        return Ok((day.midnight().assume_utc(), last.assume_utc()));
    }
    let at = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| WRONG)?;
    // At the ends of the calendar a time can have no UTC form. That is decided by year and offset alone, because a
    // pattern can say so.
    let has_utc_form = match at.year() {
        0 => !at.offset().is_positive(),
        9_999 => !at.offset().is_negative(),
        _ => true,
    };
    let at = at.checked_to_offset(UtcOffset::UTC).filter(|_| has_utc_form).ok_or(WRONG)?;
    let fraction = text.split_once('.').map_or("", |(_, rest)| rest);
    let digits = fraction.chars().take_while(char::is_ascii_digit).count();
    let micros = if digits > MILLISECOND_DIGITS { 0 } else { LAST_MICROS };
    Ok((at, at.checked_add(time::Duration::microseconds(micros)).unwrap_or(at)))
}

/// A ticket's title.
pub(super) fn title(text: &str) -> Result<Title, TextError> {
    Title::parse(text)
}

/// A ticket's description.
pub(super) fn description(text: &str) -> Result<Description, TextError> {
    Description::parse(text)
}

/// The name of an organisation.
pub(super) fn company(text: &str) -> Result<Company, TextError> {
    Company::parse(text)
}

/// A priority in a body.
pub(super) fn priority(number: i64) -> Result<Priority, PriorityError> {
    Priority::parse(number)
}

/// All tags of a ticket.
pub(super) fn tags(texts: &[String]) -> Result<Tags, TagError> {
    if texts.len() > Tags::MOST {
        return Err(TagError::TooMany);
    }
    Tags::parse(texts.iter().map(String::as_str))
}

/// What a comment says.
pub(super) fn comment(text: &str) -> Result<CommentBody, TextError> {
    CommentBody::parse(text)
}

/// The number of a page.
pub(super) fn page_number(text: &str) -> Result<u32, &'static str> {
    whole(text).filter(|number| *number >= 1).ok_or("must be a whole number from 1")
}

/// The size of a page.
pub(super) fn page_size(text: &str) -> Result<u16, String> {
    let size = whole(text).filter(|size| (1..=Page::MAX_SIZE).contains(size));
    size.ok_or_else(|| format!("must be a whole number from 1 to {}", Page::MAX_SIZE))
}

/// Where a walk goes on; an empty one begins.
pub(super) fn cursor(text: &str) -> Result<Option<Cursor>, &'static str> {
    if text.is_empty() { Ok(None) } else { Cursor::parse(text).map(Some) }
}

/// Digits and nothing else: Rust's own parser takes a plus sign.
pub(super) fn whole<N: std::str::FromStr>(text: &str) -> Option<N> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_bare_date_is_its_whole_day() {
        let day = "2026-02-12".to_owned();
        assert_eq!(moment_from(&day).unwrap(), datetime!(2026-02-12 0:00 UTC));
        assert_eq!(moment_to(&day).unwrap(), datetime!(2026-02-12 23:59:59.999_999 UTC));
    }

    #[test]
    fn a_time_has_any_offset_and_includes_its_millisecond() {
        let at = "2026-02-12T23:45:23.123+03:00".to_owned();
        assert_eq!(moment_from(&at).unwrap(), datetime!(2026-02-12 20:45:23.123 UTC));
        assert_eq!(moment_to(&at).unwrap(), datetime!(2026-02-12 20:45:23.123_999 UTC));
        for (given, last) in [
            ("2026-02-12T20:45:23Z", datetime!(2026-02-12 20:45:23.000_999 UTC)),
            ("2026-02-12T20:45:23.1Z", datetime!(2026-02-12 20:45:23.100_999 UTC)),
            ("2026-02-12T20:45:23.123456Z", datetime!(2026-02-12 20:45:23.123_456 UTC)),
            ("2026-02-12T20:45:23.123000Z", datetime!(2026-02-12 20:45:23.123 UTC)),
            ("2026-02-12T20:45:23.0000+00:00", datetime!(2026-02-12 20:45:23 UTC)),
        ] {
            assert_eq!(moment_to(given).unwrap(), last, "{given}");
        }
    }

    #[test]
    fn what_lies_within_a_microsecond_is_in_order_and_holds_no_ticket() {
        let fine = "2026-02-12T20:45:23.123456789Z";
        let asked = in_order(moment_from(fine).ok(), moment_to(fine).ok()).unwrap();
        let (next, before) =
            (datetime!(2026-02-12 20:45:23.123_457 UTC), datetime!(2026-02-12 20:45:23.123_456 UTC));
        assert_eq!(asked, (Some(next), Some(before)));
        assert_eq!(in_order(Some(before), Some(next)).unwrap(), (Some(before), Some(next)));
        assert!(in_order(Some(next), Some(before)).is_err());
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for wrong in [
            "",
            "2026-02-30",
            "+2026-02-12",
            "-0000-02-12",
            "2026-2-1",
            "12.02.2026",
            "2026-02-12T20:45:23",
            "now",
            "0000-01-01T00:00:00+23:59",
            "9999-12-31T23:59:59-23:59",
            "2026-02-12T25:00:00Z",
            "-0001-01-01",
        ] {
            assert!(moment_from(wrong).is_err(), "{wrong}");
        }
        assert!(moment_from("2026-02-12T20:45:23 00:00").is_err_and(|said| said.contains("%2B")));
    }
}
