//! Pages of lists.

/// Which part of a list is asked for. Numbers start at 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    number: u32,
    size: u16,
}

impl Page {
    /// The greatest size of a page.
    pub const MAX_SIZE: u16 = 100;
    /// The size of a page when none is asked for.
    pub const DEFAULT_SIZE: u16 = 20;

    /// Clamps nothing: `None` when the number is 0 or the size is not 1 to [`Page::MAX_SIZE`].
    pub fn new(number: u32, size: u16) -> Option<Self> {
        (number >= 1 && (1..=Self::MAX_SIZE).contains(&size)).then_some(Self { number, size })
    }

    /// The number of the page, from 1.
    pub const fn number(self) -> u32 {
        self.number
    }

    /// How many rows it holds at most.
    pub const fn size(self) -> u16 {
        self.size
    }

    /// How many rows come before it.
    pub fn offset(self) -> i64 {
        i64::from(self.number - 1) * i64::from(self.size)
    }
}

/// One page and the size of the whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paged<T> {
    /// The rows of this page.
    pub rows: Vec<T>,
    /// How many rows there are on all pages together.
    pub total: i64,
}
