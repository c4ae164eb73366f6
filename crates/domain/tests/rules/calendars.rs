//! Working time: adding it and counting it are inverse.

use proptest::prelude::*;
use techsupport_domain::sla::Calendar;
use time::{Duration, OffsetDateTime};

use crate::build::START;

fn instant() -> impl Strategy<Value = OffsetDateTime> {
    // From 1926 to 2126, to the microsecond.
    (-3_155_760_000_000_000_i64..3_155_760_000_000_000).prop_map(|us| START + Duration::microseconds(us))
}

proptest! {
    #[test]
    fn what_was_added_is_what_is_counted(from in instant(), us in 0_i64..31_536_000_000_000) {
        let working = Duration::microseconds(us);
        prop_assert_eq!(Calendar::AlwaysOpen.between(from, Calendar::AlwaysOpen.add(from, working)), working);
    }

    #[test]
    fn what_was_counted_leads_back_to_the_later_instant(a in instant(), b in instant()) {
        let (from, to) = (a.min(b), a.max(b));
        let counted = Calendar::AlwaysOpen.between(from, to);
        prop_assert_eq!(Calendar::AlwaysOpen.add(from, counted), to);
    }

    #[test]
    fn time_never_runs_backwards(a in instant(), b in instant(), us in 0_i64..31_536_000_000_000) {
        let (from, to) = (a.min(b), a.max(b));
        prop_assert_eq!(Calendar::AlwaysOpen.between(to, from), Duration::ZERO);
        prop_assert_eq!(Calendar::AlwaysOpen.add(from, Duration::microseconds(-us)), from);
    }
}

#[test]
fn the_end_of_time_is_not_overrun() {
    let last = time::PrimitiveDateTime::MAX.assume_utc();
    assert_eq!(Calendar::AlwaysOpen.add(last, Duration::MAX), last);
}

#[test]
fn names_survive_the_round_trip() {
    assert_eq!(Calendar::parse(Calendar::AlwaysOpen.name()), Ok(Calendar::AlwaysOpen));
    assert!(Calendar::parse("9TO5").is_err());
}
