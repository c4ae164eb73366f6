//! Refresh tokens and other text that must not be seen.

use std::fmt;

/// Text that does not show up in debug output, and so in no log by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides the text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one who compares or hands it out.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// 64 lower-case hexadecimal characters made of 32 random bytes. Works once.
///
/// The first half finds the stored row, the second half is compared with its hash: so a copy of the table
/// lets nobody in, and the comparison needs no search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken(Secret);

impl RefreshToken {
    const LENGTH: usize = 64;

    /// Writes 32 random bytes as a token.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        use fmt::Write;
        let mut text = String::with_capacity(Self::LENGTH);
        for byte in bytes {
            // Writing to a string cannot fail.
            if write!(text, "{byte:02x}").is_err() {
                break;
            }
        }
        Self(Secret(text))
    }

    /// Accepts exactly the form that is handed out.
    pub fn parse(text: &str) -> Option<Self> {
        let sane = text.len() == Self::LENGTH && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        sane.then(|| Self(Secret::new(text)))
    }

    /// The whole token, for the one it is handed to.
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// The half that finds the row.
    pub fn lookup(&self) -> &str {
        self.0.reveal().get(..Self::LENGTH / 2).unwrap_or_default()
    }

    /// The half that is compared.
    pub fn secret(&self) -> &str {
        self.0.reveal().get(Self::LENGTH / 2..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_64_lower_case_hex_characters_in_two_halves() {
        let mut bytes = [0_u8; 32];
        bytes[0] = 0xab;
        bytes[31] = 0x0f;
        let token = RefreshToken::from_bytes(bytes);
        assert_eq!(token.reveal().len(), 64);
        assert_eq!(token.lookup(), "ab000000000000000000000000000000");
        assert_eq!(token.secret(), "0000000000000000000000000000000f");
        assert_eq!(RefreshToken::parse(token.reveal()), Some(token));
    }

    #[test]
    fn other_texts_are_no_tokens() {
        for wrong in
            [String::new(), "a".repeat(63), "a".repeat(65), "A".repeat(64), "g".repeat(64), "é".repeat(32)]
        {
            assert_eq!(RefreshToken::parse(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn debug_output_hides_the_token() {
        let token = RefreshToken::from_bytes([7; 32]);
        assert!(!format!("{token:?}").contains("07"));
    }
}
