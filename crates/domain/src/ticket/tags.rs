//! Tags: short words that people group tickets by.

use crate::text::{TextError, check_visible};

/// One tag: 1 to 40 characters, trimmed and in lower case, so that `VPN ` and `vpn` are the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(String);

/// Why a list of tags was refused. The message completes a sentence that begins with the member's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// One of them is no tag.
    #[error("has a tag that {0}")]
    Tag(#[from] TextError),
    /// A line break or another control character in one of them.
    #[error("has a tag that must not contain control characters")]
    Control,
    /// Too many of them.
    #[error("must have at most {} tags", Tags::MOST)]
    TooMany,
}

impl Tag {
    /// The greatest number of characters.
    pub const MAX: usize = 40;

    /// Trims, folds to lower case, then checks. It has to show something.
    pub fn parse(text: &str) -> Result<Self, TagError> {
        let accepted = Self::stored(text)?;
        check_visible(&accepted.0)?;
        Ok(accepted)
    }

    /// Reads back what was accepted once. It may show nothing: that was not always refused.
    pub fn stored(text: &str) -> Result<Self, TagError> {
        let folded = text.trim().to_lowercase();
        if folded.contains('\0') {
            Err(TextError::Nul.into())
        } else if folded.is_empty() {
            Err(TextError::Blank.into())
        } else if folded.chars().count() > Self::MAX {
            Err(TextError::TooLong { max: Self::MAX }.into())
        } else if folded.chars().any(char::is_control) {
            Err(TagError::Control)
        } else {
            Ok(Self(folded))
        }
    }

    /// The tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The tags of a ticket: 20 at most, each once, in the order in which they were given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tags(Vec<Tag>);

impl Tags {
    /// The greatest number of tags.
    pub const MOST: usize = 20;

    /// Reads tags; one that comes again is folded into the first, but counts.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, TagError> {
        Self::read(texts, Tag::parse)
    }

    /// Reads back what was accepted once.
    pub fn stored<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, TagError> {
        Self::read(texts, Tag::stored)
    }

    fn read<'a>(
        texts: impl IntoIterator<Item = &'a str>,
        one: impl Fn(&str) -> Result<Tag, TagError>,
    ) -> Result<Self, TagError> {
        let mut tags: Vec<Tag> = Vec::new();
        for (count, text) in texts.into_iter().enumerate() {
            if count == Self::MOST {
                return Err(TagError::TooMany);
            }
            let tag = one(text)?;
            if !tags.contains(&tag) {
                tags.push(tag);
            }
        }
        Ok(Self(tags))
    }

    /// Each tag.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(Tag::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(texts: &[&str]) -> Result<Vec<String>, TagError> {
        Tags::parse(texts.iter().copied()).map(|tags| tags.iter().map(str::to_owned).collect())
    }

    #[test]
    fn tags_are_trimmed_folded_and_unique_and_keep_their_order() {
        let tags = read(&["  VPN ", "Größe", "vpn", "GRÖSSE", "größe"]);
        assert_eq!(tags, Ok(vec!["vpn".to_owned(), "größe".to_owned(), "grösse".to_owned()]));
        assert_eq!(read(&[]), Ok(Vec::new()));
    }

    #[test]
    fn twenty_are_enough() {
        let names: Vec<String> = (0..21).map(|n| format!("tag {n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(read(&names), Err(TagError::TooMany));
        assert_eq!(read(names.get(1..).unwrap_or_default()).map(|tags| tags.len()), Ok(20));
        assert_eq!(read(&["again"; 21]), Err(TagError::TooMany));
        assert_eq!(read(&["again"; 20]), Ok(vec!["again".to_owned()]));
    }

    #[test]
    fn what_is_no_tag_is_refused() {
        assert_eq!(read(&["ñ".repeat(40).as_str()]).map(|tags| tags.len()), Ok(1));
        assert_eq!(read(&["ñ".repeat(41).as_str()]), Err(TagError::Tag(TextError::TooLong { max: 40 })));
        // One character in upper case, two in lower case.
        assert!(read(&["İ".repeat(40).as_str()]).is_err());
        assert_eq!(read(&["a", " \t"]), Err(TagError::Tag(TextError::Blank)));
        assert_eq!(read(&["a\0b"]), Err(TagError::Tag(TextError::Nul)));
        assert_eq!(read(&["a\nb"]), Err(TagError::Control));
    }
}
