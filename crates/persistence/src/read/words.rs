//! What somebody typed, as PostgreSQL's full-text search takes it.

use super::contains;

/// What a ticket has to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words {
    /// A `tsquery`: every word, or the beginning of one.
    pub(super) query: String,
    /// Patterns for `ILIKE`: what has to be there to the letter, because it is more than letters and digits.
    pub(super) literals: Vec<String>,
}

impl Words {
    /// `None` when there is no letter and no digit in it: then there is nothing to look up.
    ///
    /// A word finds what begins with it, whatever the letter case and the accents. Punctuation around a word is
    /// the sentence's. Punctuation within it or other signs at its ends belong to it (`C++`, `100%`, `foo_bar`,
    /// `ana@example.org`): then its words have to be there, and it has to be there as it was typed. Every word
    /// is quoted, so that no sign means anything to the query's parser.
    pub(super) fn of(text: &str) -> Option<Self> {
        let mut words = Vec::new();
        let mut literals = Vec::new();
        for typed in text.split_whitespace() {
            let typed = typed.trim_matches(is_of_the_sentence);
            let before = words.len();
            let parts = typed.split(|c: char| c.is_ascii_punctuation());
            words.extend(parts.filter(|part| part.contains(char::is_alphanumeric)).map(quoted));
            if words.len() > before && typed.contains(|c: char| c.is_ascii_punctuation()) {
                literals.push(contains(typed));
            }
            if typed.ends_with(|c: char| !c.is_ascii_punctuation())
                && let Some(last) = words.get_mut(before..).and_then(<[String]>::last_mut)
            {
                last.push_str(":*");
            }
        }
        (!words.is_empty()).then(|| Self { query: words.join(" & "), literals })
    }
}

fn is_of_the_sentence(c: char) -> bool {
    matches!(
        c,
        '.' | ','
            | ';'
            | ':'
            | '!'
            | '?'
            | '"'
            | '\''
            | '('
            | ')'
            | '['
            | ']'
            | '{'
            | '}'
            | '«'
            | '»'
            | '¿'
            | '¡'
            | '“'
            | '”'
            | '‘'
            | '’'
            | '…'
    )
}

/// As an operand. It has neither quotes nor backslashes any more: those are punctuation.
fn quoted(word: &str) -> String {
    format!("'{word}'")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn words(text: &str) -> (String, Vec<String>) {
        let words = Words::of(text).unwrap();
        (words.query, words.literals)
    }

    #[test]
    fn words_find_what_begins_with_them() {
        assert_eq!(words("  Prin \t off "), ("'Prin':* & 'off':*".into(), vec![]));
        assert_eq!(words("¿Contraseña?"), ("'Contraseña':*".into(), vec![]));
        assert_eq!(words("R & D"), ("'R':* & 'D':*".into(), vec![]));
        assert_eq!(words("(printer,"), ("'printer':*".into(), vec![]));
    }

    #[test]
    fn signs_stand_for_themselves() {
        assert_eq!(words("100%"), ("'100'".into(), vec![r"%100\%%".into()]));
        assert_eq!(words("foo_bar"), ("'foo' & 'bar':*".into(), vec![r"%foo\_bar%".into()]));
        assert_eq!(words("C++"), ("'C'".into(), vec!["%C++%".into()]));
        assert_eq!(words("o'b\\c"), ("'o' & 'b' & 'c':*".into(), vec![r"%o'b\\c%".into()]));
        assert_eq!(words("a:*|!b"), ("'a' & 'b':*".into(), vec!["%a:*|!b%".into()]));
    }

    #[test]
    fn signs_alone_find_nothing() {
        for text in ["%", "_", "& | !", "()", "'", "\\", "*:*", "—"] {
            assert_eq!(Words::of(text), None, "{text}");
        }
    }
}
