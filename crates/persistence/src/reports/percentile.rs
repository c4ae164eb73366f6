//! Means and percentiles in whole minutes, half up, without a rounding on the way.

const MINUTE_US: i128 = 60_000_000;

/// Which percentile. As PostgreSQL's `percentile_cont` has it, it may lie between two values.
#[derive(Clone, Copy)]
pub(super) enum Rank {
    Median,
    P90,
}

impl Rank {
    pub(super) const ALL: [Rank; 2] = [Rank::Median, Rank::P90];

    const fn tenths(self) -> i64 {
        match self {
            Rank::Median => 5,
            Rank::P90 => 9,
        }
    }

    /// The places of the values that it lies between, from 0, of so many.
    pub(super) const fn places(self, count: i64) -> [i64; 2] {
        let tenths = self.tenths() * (count - 1);
        [tenths / 10, (tenths + 9) / 10]
    }

    /// What lies between the values at these places.
    pub(super) fn minutes(self, count: i64, (below, above): (i64, i64)) -> i64 {
        let beyond = i128::from(self.tenths() * (count - 1) % 10);
        let (below, above) = (i128::from(below), i128::from(above));
        rounded(10 * below + (above - below) * beyond, 10 * MINUTE_US)
    }
}

/// Of a positive number of durations with this sum.
pub(super) fn mean_minutes(total_us: i128, count: i64) -> i64 {
    rounded(total_us, MINUTE_US * i128::from(count.max(1)))
}

/// Half up. What does not fit is longer than anybody can wait.
fn rounded(dividend: i128, divisor: i128) -> i64 {
    i64::try_from((2 * dividend + divisor).div_euclid(2 * divisor)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_percentile_cont() {
        for (count, median, p90) in [(1, [0, 0], [0, 0]), (2, [0, 1], [0, 1]), (3, [1, 1], [1, 2])] {
            assert_eq!((Rank::Median.places(count), Rank::P90.places(count)), (median, p90), "{count}");
        }
        assert_eq!((Rank::Median.places(11), Rank::P90.places(11)), ([5, 5], [9, 9]));
    }

    #[test]
    fn half_a_minute_is_rounded_up_and_a_microsecond_less_is_not() {
        let minute = 60_000_000;
        assert_eq!(Rank::Median.minutes(2, (minute, 2 * minute)), 2);
        assert_eq!(Rank::Median.minutes(2, (minute, 2 * minute - 1)), 1);
        // Seven tenths of the way would come to a little less in floating-point numbers.
        assert_eq!(Rank::P90.minutes(8, (0, 5 * minute)), 2);
        assert_eq!(mean_minutes(i128::from(3 * minute), 2), 2);
        assert_eq!(mean_minutes(i128::from(3 * minute - 1), 2), 1);
    }
}
