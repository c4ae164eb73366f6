//! The one true source of identifiers and randomness.

use uuid::Uuid;

/// A fresh identifier, UUID version 7 (RFC 9562, section 5.7). Within a process each one is greater than
/// the one before, so that rows of one change sort in the order in which they were made.
#[expect(clippy::disallowed_methods, reason = "the one true source of identifiers")]
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}

/// Fills the bytes from the operating system's random source.
///
/// # Panics
/// When the operating system has no randomness to give. There is nothing sensible to do then: every
/// secret made without it could be guessed.
#[expect(clippy::expect_used, reason = "going on without randomness would be worse")]
pub fn random(bytes: &mut [u8; 32]) {
    getrandom::fill(bytes).expect("the operating system's random source works");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_grow() {
        let ids: Vec<Uuid> = (0..10_000).map(|_| new_id()).collect();
        assert!(ids.windows(2).all(|pair| pair.first() < pair.last()));
    }

    #[test]
    fn random_bytes_differ() {
        let (mut one, mut other) = ([0; 32], [0; 32]);
        random(&mut one);
        random(&mut other);
        assert_ne!(one, other);
    }
}
