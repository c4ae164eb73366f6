//! Months and weeks as people's calendars show them where they live.

use jiff::Timestamp;
use time::{Date, Duration, Month, OffsetDateTime};

use crate::Zone;

/// What a calendar is divided into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// Months of a year.
    Month,
    /// Weeks of ISO 8601, which belong to the year that most of their days do.
    Week,
}

/// A stretch of time all of which lies in one month, or in one week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Where it begins. It ends where the next one begins.
    pub from: OffsetDateTime,
    /// The year.
    pub year: i32,
    /// The month or the week, from 1.
    pub number: u8,
}

impl Period {
    fn stretch(self, from: OffsetDateTime, date: Date) -> Stretch {
        let (year, number) = match self {
            Period::Month => (date.year(), u8::from(date.month())),
            Period::Week => {
                let (year, week, _) = date.to_iso_week_date();
                (year, week)
            }
        };
        Stretch { from, year, number }
    }

    /// The first day of the next one; `None` where the calendar ends.
    fn next(self, date: Date) -> Option<Date> {
        match self {
            Period::Month if date.month() == Month::December => {
                Date::from_calendar_date(date.year() + 1, Month::January, 1).ok()
            }
            Period::Month => Date::from_calendar_date(date.year(), date.month().next(), 1).ok(),
            Period::Week => {
                let monday = i64::from(7 - date.weekday().number_days_from_monday());
                date.checked_add(Duration::days(monday))
            }
        }
    }
}

impl Zone {
    /// The stretches that follow each other, without gaps, from `from` until before `until`.
    ///
    /// A month or a week usually has one. It has several where clocks are set back behind its end: in Newfoundland they
    /// went from 00:01 to 23:01 on the evening before, so the first of a month began twice.
    pub fn stretches(&self, period: Period, from: OffsetDateTime, until: OffsetDateTime) -> Vec<Stretch> {
        let mut stretches: Vec<Stretch> = Vec::new();
        let mut push = |stretch: Stretch| match stretches.last() {
            Some(last) if (last.year, last.number) == (stretch.year, stretch.number) => {}
            Some(_) | None => stretches.push(stretch),
        };
        let offsets = self.offsets(from, until);
        let ends = offsets.iter().skip(1).map(|(start, _)| *start).chain([until]);
        for ((start, offset), end) in offsets.iter().zip(ends) {
            // Where people are ahead of UTC, its last hours belong to a year that the calendar does not have.
            let mut date = start.checked_add(*offset).map_or(Date::MAX, OffsetDateTime::date);
            push(period.stretch(*start, date));
            while let Some(next) = period.next(date) {
                match next.midnight().assume_utc().checked_sub(*offset) {
                    Some(begins) if begins < end => push(period.stretch(begins, next)),
                    Some(_) | None => break,
                }
                date = next;
            }
        }
        stretches
    }

    /// How far clocks are ahead of UTC, and from when on: from `from` until before `until`.
    fn offsets(&self, from: OffsetDateTime, until: OffsetDateTime) -> Vec<(OffsetDateTime, Duration)> {
        let zone = self.rules();
        let first = timestamp(from);
        let ahead = |offset: jiff::tz::Offset| Duration::seconds(i64::from(offset.seconds()));
        let mut offsets = vec![(from, ahead(zone.to_offset(first)))];
        for change in zone.following(first) {
            match OffsetDateTime::from_unix_timestamp(change.timestamp().as_second()) {
                Ok(at) if at < until => offsets.push((at, ahead(change.offset()))),
                Ok(_) | Err(_) => break,
            }
        }
        offsets
    }
}

/// The nearest that there is, at the ends of the calendar.
fn timestamp(at: OffsetDateTime) -> Timestamp {
    let us = i64::try_from(at.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX);
    let end = if us < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_microsecond(us).unwrap_or(end)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use jiff::ToSpan;
    use time::macros::datetime;

    use super::*;

    fn stretches(zone: &str, period: Period, from: OffsetDateTime, until: OffsetDateTime) -> Vec<Stretch> {
        Zone::parse(zone).unwrap().stretches(period, from, until)
    }

    #[test]
    fn a_month_begins_at_midnight_where_people_live() {
        let madrid = stretches(
            "Europe/Madrid",
            Period::Month,
            datetime!(2026-02-10 12:00 UTC),
            datetime!(2026-05-01 00:00 UTC),
        );
        let of = |from, number| Stretch { from, year: 2026, number };
        assert_eq!(
            madrid,
            [
                of(datetime!(2026-02-10 12:00 UTC), 2),
                of(datetime!(2026-02-28 23:00 UTC), 3),
                of(datetime!(2026-03-31 22:00 UTC), 4),
                of(datetime!(2026-04-30 22:00 UTC), 5),
            ]
        );
    }

    #[test]
    fn a_month_that_began_twice_has_two_stretches() {
        let months = stretches(
            "America/St_Johns",
            Period::Month,
            datetime!(2009-10-31 12:00 UTC),
            datetime!(2009-11-02 00:00 UTC),
        );
        let found: Vec<_> = months.iter().map(|stretch| (stretch.from, stretch.number)).collect();
        assert_eq!(
            found,
            [
                (datetime!(2009-10-31 12:00 UTC), 10),
                (datetime!(2009-11-01 02:30 UTC), 11),
                (datetime!(2009-11-01 02:31 UTC), 10),
                (datetime!(2009-11-01 03:30 UTC), 11),
            ]
        );
    }

    /// Against the calendar of each single moment.
    #[test]
    fn every_moment_lies_in_the_stretch_of_its_own_date() {
        for zone in [
            "UTC",
            "Europe/Madrid",
            "Asia/Kolkata",
            "America/St_Johns",
            "Pacific/Apia",
            "America/Sao_Paulo",
            "Africa/Casablanca",
            "Europe/Amsterdam",
        ] {
            let rules = Zone::parse(zone).unwrap().rules().clone();
            for (from, until) in [
                (datetime!(1936-12-30 00:00 UTC), datetime!(1940-07-01 00:00 UTC)),
                (datetime!(2008-12-20 00:00 UTC), datetime!(2012-01-10 00:00 UTC)),
                (datetime!(2025-12-20 00:00 UTC), datetime!(2027-01-10 00:00 UTC)),
            ] {
                for period in [Period::Month, Period::Week] {
                    let stretches = stretches(zone, period, from, until);
                    let mut at = timestamp(from);
                    while at < timestamp(until) {
                        let date = at.to_zoned(rules.clone()).date();
                        let expected = match period {
                            Period::Month => (i32::from(date.year()), date.month()),
                            Period::Week => {
                                let week = date.iso_week_date();
                                (i32::from(week.year()), week.week())
                            }
                        };
                        let next = stretches.partition_point(|stretch| timestamp(stretch.from) <= at);
                        let last = stretches[next - 1];
                        let found = (last.year, i8::try_from(last.number).unwrap());
                        assert_eq!(found, expected, "{zone} {at}");
                        at += 1_777.seconds();
                    }
                }
            }
        }
    }

    #[test]
    fn the_ends_of_the_calendar_are_stretches_like_others() {
        for zone in ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Madrid"] {
            let end = datetime!(9999-12-31 23:59:59.999999 UTC);
            let found = stretches(zone, Period::Week, datetime!(9999-12-01 00:00 UTC), end);
            assert!(found.len() >= 4, "{found:?}");
            let found = stretches(zone, Period::Month, datetime!(0001-01-01 00:00 UTC), end);
            assert!(found.len() >= 12 * 9_998, "{}", found.len());
            // All of it is beyond the end of the calendar where people are ahead by more than that.
            let last = stretches(zone, Period::Month, datetime!(9999-12-31 23:00 UTC), end);
            let last: Vec<_> = last.iter().map(|stretch| (stretch.year, stretch.number)).collect();
            assert_eq!(last, [(9_999, 12)], "{zone}");
        }
    }
}
