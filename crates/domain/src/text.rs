//! Validated text. A value of one of these types has been checked once and is trusted from then on.
//!
//! Lengths are counted in Unicode scalar values. Text that is only white space, or that contains NUL
//! (which PostgreSQL cannot store), is refused everywhere; so is what shows nothing at all.
//!
//! A rule that becomes stricter must not make rows unreadable that were written before: what is stored is read back
//! by the rules without which a text is no text of its kind.

mod visible;

use std::fmt;

pub use visible::shows_nothing;

/// Why a text was refused. The message completes a sentence that begins with the member's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Fewer characters than allowed.
    #[error("must have at least {min} characters")]
    TooShort {
        /// The least number of characters.
        min: usize,
    },
    /// More characters than allowed.
    #[error("must have at most {max} characters")]
    TooLong {
        /// The greatest number of characters.
        max: usize,
    },
    /// Nothing but white space.
    #[error("must not be blank")]
    Blank,
    /// Nothing that can be seen.
    #[error("must have a character that can be seen")]
    Invisible,
    /// A NUL character.
    #[error("must not contain the NUL character")]
    Nul,
    /// Not an e-mail address.
    #[error("must be an e-mail address")]
    NotAnEmail,
}

fn check(text: &str, min: usize, max: usize) -> Result<(), TextError> {
    let length = text.chars().count();
    if text.contains('\0') {
        Err(TextError::Nul)
    } else if length < min {
        Err(TextError::TooShort { min })
    } else if length > max {
        Err(TextError::TooLong { max })
    } else if text.trim().is_empty() {
        Err(TextError::Blank)
    } else {
        Ok(())
    }
}

/// Fails unless there is something to see.
pub(crate) fn check_visible(text: &str) -> Result<(), TextError> {
    if text.chars().all(shows_nothing) { Err(TextError::Invisible) } else { Ok(()) }
}

macro_rules! bounded_text {
    ($($(#[$doc:meta])* $name:ident: $min:literal..=$max:literal),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub struct $name(String);

        impl $name {
            /// The least number of characters.
            pub const MIN: usize = $min;
            /// The greatest number of characters.
            pub const MAX: usize = $max;

            /// Accepts text within the bounds that shows something and does not contain NUL; keeps it unchanged.
            pub fn parse(text: impl Into<String>) -> Result<Self, TextError> {
                let accepted = Self::stored(text)?;
                check_visible(&accepted.0)?;
                Ok(accepted)
            }

            /// Reads back what was accepted once. It may show nothing: that was not always refused.
            pub fn stored(text: impl Into<String>) -> Result<Self, TextError> {
                let text = text.into();
                check(&text, Self::MIN, Self::MAX)?;
                Ok(Self(text))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

bounded_text! {
    /// A ticket's title.
    Title: 3..=200,
    /// A ticket's description.
    Description: 3..=10_000,
    /// The name of a person.
    PersonName: 1..=200,
    /// The name of an organisation.
    Company: 1..=200,
    /// A comment's body.
    CommentBody: 1..=10_000,
}

/// An e-mail address, kept as written and compared without letter case.
///
/// The check is deliberately small: one `@`, something on both sides, no white space or control
/// characters, 254 characters at most (RFC 5321, section 4.5.3.1.3). Whether mail arrives is for mail to
/// find out.
#[derive(Clone, Eq)]
pub struct Email(String);

impl Email {
    /// The greatest number of characters.
    pub const MAX: usize = 254;

    /// Accepts an address; surrounding white space is an error, not trimmed.
    pub fn parse(text: impl Into<String>) -> Result<Self, TextError> {
        let text = text.into();
        check(&text, 1, Self::MAX)?;
        let mut parts = text.split('@');
        let (local, domain, more) = (parts.next(), parts.next(), parts.next());
        let sane = |part: Option<&str>| {
            part.is_some_and(|p| !p.is_empty() && !p.chars().any(|c| c.is_whitespace() || c.is_control()))
        };
        let labels = domain.is_some_and(|d| d.split('.').all(|label| !label.is_empty()));
        if sane(local) && sane(domain) && labels && more.is_none() {
            Ok(Self(text))
        } else {
            Err(TextError::NotAnEmail)
        }
    }

    /// The address as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form that is compared: lower case.
    pub fn folded(&self) -> String {
        self.0.to_lowercase()
    }
}

impl PartialEq for Email {
    fn eq(&self, other: &Self) -> bool {
        self.folded() == other.folded()
    }
}

/// Addresses are personal data: they do not show up in debug output, and so in no log by accident.
impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_count_characters_and_not_bytes() {
        assert!(Title::parse("ñññ").is_ok());
        assert_eq!(Title::parse("ññ"), Err(TextError::TooShort { min: 3 }));
        assert!(Title::parse("ñ".repeat(200)).is_ok());
        assert_eq!(Title::parse("ñ".repeat(201)), Err(TextError::TooLong { max: 200 }));
    }

    #[test]
    fn blank_and_nul_are_refused() {
        assert_eq!(Title::parse(" \t\u{2003}\n"), Err(TextError::Blank));
        assert_eq!(Title::parse("a\0b"), Err(TextError::Nul));
    }

    #[test]
    fn e_mail_addresses_are_compared_without_letter_case_and_kept_as_written() {
        let written = Email::parse("Ana.Pérez@Example.org");
        assert_eq!(written, Email::parse("ana.pérez@example.ORG"));
        assert_eq!(written.map(|e| e.as_str().to_owned()), Ok("Ana.Pérez@Example.org".to_owned()));
    }

    #[test]
    fn what_cannot_be_an_address_is_refused() {
        for wrong in ["", "a", "a@", "@b", "a@b@c", "a b@c", "a@b ", "a@b..c", "a@.c", "a\n@b", "a\0@b"] {
            assert!(Email::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
