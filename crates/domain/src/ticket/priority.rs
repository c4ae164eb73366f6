//! How urgent a ticket is.

/// 1 (most urgent) to 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Priority(u8);

/// A priority outside 1–4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1, 2, 3 or 4")]
pub struct PriorityError;

impl Priority {
    /// Accepts 1 to 4.
    pub fn parse(priority: i64) -> Result<Self, PriorityError> {
        match u8::try_from(priority) {
            Ok(priority @ 1..=4) => Ok(Self(priority)),
            Ok(_) | Err(_) => Err(PriorityError),
        }
    }

    /// The number, 1 to 4.
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// Priority 2, for tickets that do not say.
impl Default for Priority {
    fn default() -> Self {
        Self(2)
    }
}
