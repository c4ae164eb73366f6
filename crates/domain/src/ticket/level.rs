//! How often a ticket was escalated.

/// 0 (never escalated) to 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct EscalationLevel(u8);

impl EscalationLevel {
    /// Never escalated.
    pub const NONE: EscalationLevel = EscalationLevel(0);
    /// As high as it goes.
    pub const MAX: EscalationLevel = EscalationLevel(3);

    /// Accepts 0 to 3.
    pub fn parse(level: i64) -> Option<Self> {
        u8::try_from(level).ok().filter(|level| *level <= Self::MAX.0).map(Self)
    }

    /// One higher, if there is one.
    pub fn raised(self) -> Option<Self> {
        Self::parse(i64::from(self.0) + 1)
    }

    /// The number, 0 to 3.
    pub const fn get(self) -> u8 {
        self.0
    }
}
