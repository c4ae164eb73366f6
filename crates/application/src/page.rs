//! Pages of lists: by number, for people who leaf, and as walks, for programs that want everything.
//!
//! A walk goes on behind the last row it has seen and not at an offset: rows that appear meanwhile push nothing
//! out of its way, so no row that was there when it began is skipped or repeated (ADR 009).

use time::OffsetDateTime;
use uuid::Uuid;

/// Which part of a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Page {
    start: Start,
    size: u16,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Start {
    /// The page with this number, from 1.
    Number(u32),
    /// Behind this row, or at the beginning.
    Behind(Option<Position>),
}

/// The place of a row in a list: what the list is sorted by, then the id, in the same direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Position {
    /// What the list is sorted by.
    pub key: SortKey,
    /// Tells rows with the same key apart.
    pub id: Uuid,
}

/// The value of a row that a list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SortKey {
    /// To the microsecond.
    Time(OffsetDateTime),
    /// A whole number.
    Number(i64),
    /// How well a row answers a search.
    Rank(f32),
    /// The row has no such value; rows without come last, in whichever direction.
    Nothing,
}

/// What kind of value a list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortedBy {
    /// Every row has a time.
    Time,
    /// Rows may have a time.
    TimeIfAny,
    /// Every row has a whole number.
    Number {
        /// From 1 to this.
        most: i64,
    },
    /// Every row has a rank.
    Rank,
}

impl SortedBy {
    /// Whether a row of such a list can have this key.
    pub const fn takes(self, key: SortKey) -> bool {
        match key {
            SortKey::Time(_) => matches!(self, SortedBy::Time | SortedBy::TimeIfAny),
            SortKey::Nothing => matches!(self, SortedBy::TimeIfAny),
            SortKey::Number(number) => match self {
                SortedBy::Number { most } => 1 <= number && number <= most,
                SortedBy::Time | SortedBy::TimeIfAny | SortedBy::Rank => false,
            },
            SortKey::Rank(_) => matches!(self, SortedBy::Rank),
        }
    }
}

impl Position {
    /// The place of a row in a list that is sorted by a time.
    pub const fn at(time: OffsetDateTime, id: Uuid) -> Self {
        Self { key: SortKey::Time(time), id }
    }
}

impl Page {
    /// The greatest size of a page.
    pub const MAX_SIZE: u16 = 100;
    /// The size of a page when none is asked for.
    pub const DEFAULT_SIZE: u16 = 20;

    /// Clamps nothing: `None` when the number is 0 or the size is not 1 to [`Page::MAX_SIZE`].
    pub fn new(number: u32, size: u16) -> Option<Self> {
        (number >= 1).then_some(Self { start: Start::Number(number), size }).filter(Self::has_a_size)
    }

    /// The next rows of a walk: behind `position`, or the first ones. `None` when the size is not 1 to
    /// [`Page::MAX_SIZE`].
    pub fn behind(position: Option<Position>, size: u16) -> Option<Self> {
        Some(Self { start: Start::Behind(position), size }).filter(Self::has_a_size)
    }

    fn has_a_size(&self) -> bool {
        (1..=Self::MAX_SIZE).contains(&self.size)
    }

    /// The number of the page, from 1. Walks have none, and nobody counts the rows for them.
    pub const fn number(self) -> Option<u32> {
        match self.start {
            Start::Number(number) => Some(number),
            Start::Behind(_) => None,
        }
    }

    /// Behind which row a walk goes on.
    pub const fn position(self) -> Option<Position> {
        match self.start {
            Start::Number(_) => None,
            Start::Behind(position) => position,
        }
    }

    /// How many rows it holds at most.
    pub const fn size(self) -> u16 {
        self.size
    }

    /// How many rows to read: one more than it holds, to see whether it is the last.
    pub fn reach(self) -> i64 {
        i64::from(self.size) + 1
    }

    /// How many rows come before it, not counting those that a walk has left behind.
    pub fn offset(self) -> i64 {
        self.number().map_or(0, |number| i64::from(number - 1) * i64::from(self.size))
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Paged<T> {
    /// The rows of this page.
    pub rows: Vec<T>,
    /// How many rows there are on all pages together. Not known on a walk.
    pub total: Option<i64>,
    /// Where the list goes on, if it does.
    pub next: Option<Position>,
}

impl<T> Paged<T> {
    /// A page out of the rows that were read: [`Page::reach`] of them, unless there are fewer.
    pub fn of(page: Page, total: Option<i64>, mut rows: Vec<T>, position: impl Fn(&T) -> Position) -> Self {
        let size = usize::from(page.size);
        let more = rows.len() > size;
        rows.truncate(size);
        let next = rows.last().filter(|_| more).map(position);
        Self { rows, total, next }
    }

    /// The same page of something else.
    pub fn try_map<U, E>(self, convert: impl FnMut(T) -> Result<U, E>) -> Result<Paged<U>, E> {
        let rows = self.rows.into_iter().map(convert).collect::<Result<_, _>>()?;
        Ok(Paged { rows, total: self.total, next: self.next })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn cut(rows: &[u8]) -> Paged<u8> {
        let place = |row: &u8| Position { key: SortKey::Number(i64::from(*row)), id: Uuid::nil() };
        Paged::of(Page::new(1, 2).unwrap(), None, rows.to_vec(), place)
    }

    #[test]
    fn the_row_beyond_a_page_only_says_that_there_is_more() {
        assert_eq!((cut(&[]).next, cut(&[1]).next, cut(&[1, 2]).next), (None, None, None));
        let full = cut(&[1, 2, 3]);
        assert_eq!((full.rows.as_slice(), full.next.unwrap().key), (&[1, 2][..], SortKey::Number(2)));
    }

    #[test]
    fn a_list_takes_no_place_that_none_of_its_rows_can_have() {
        let priorities = SortedBy::Number { most: 4 };
        let taken = [i64::MIN, 0, 1, 4, 5].map(|number| priorities.takes(SortKey::Number(number)));
        assert_eq!(taken, [false, false, true, true, false]);
        assert!(!SortedBy::Time.takes(SortKey::Number(1)) && !priorities.takes(SortKey::Nothing));
    }

    #[test]
    fn pages_have_a_number_or_a_place() {
        assert_eq!((Page::new(0, 1), Page::new(1, 0), Page::new(1, 101)), (None, None, None));
        assert_eq!((Page::behind(None, 0), Page::behind(None, 101)), (None, None));
        let third = Page::new(3, 100).unwrap();
        assert_eq!((third.offset(), third.reach(), third.position()), (200, 101, None));
        let place = Position::at(OffsetDateTime::UNIX_EPOCH, Uuid::nil());
        let walk = Page::behind(Some(place), 20).unwrap();
        assert_eq!((walk.offset(), walk.number(), walk.position()), (0, None, Some(place)));
    }
}
