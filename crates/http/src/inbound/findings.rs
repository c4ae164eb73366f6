//! What is wrong with the input, up to a number that helps: who sends a thousand wrong members gets no
//! thousand errors.

use crate::problem::{InputError, Place};

/// As many are named.
const MOST: usize = 20;
/// Characters of a caller's own name that are repeated to it.
const NAME_CHARACTERS: usize = 100;
/// Bytes a pointer may have before its last name: what lies deeper is named by a parent.
const POINTER_BYTES: usize = 200;

/// A list of errors that cannot grow without bounds, neither in number nor in length.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<InputError>);

impl Findings {
    /// Notes an error. The place is only worked out when there is room for it. Of a parameter one error is told: what
    /// else is wrong with it follows from that, such as the one text that is left of several.
    pub(super) fn add(&mut self, place: impl FnOnce() -> Place, detail: impl Into<String>) {
        if self.0.len() >= MOST {
            return;
        }
        let place = place();
        let is_told = matches!(place, Place::Parameter(_)) && self.0.iter().any(|told| told.place == place);
        if !is_told {
            self.0.push(InputError { place, detail: detail.into() });
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn into_errors(self) -> Vec<InputError> {
        self.0
    }
}

/// Appends a member's name to a JSON pointer (RFC 6901, section 3), shortened when it is long. `false` when
/// the pointer is too long already and stays as it is.
pub(super) fn descend(pointer: &mut String, name: &str) -> bool {
    let room = pointer.len() <= POINTER_BYTES;
    if room {
        pointer.push('/');
        pointer.push_str(&short(name).replace('~', "~0").replace('/', "~1"));
    }
    room
}

/// A name as far as it is worth repeating.
pub(super) fn short(name: &str) -> String {
    match name.char_indices().nth(NAME_CHARACTERS) {
        Some((end, _)) => name.get(..end).unwrap_or_default().to_owned() + "\u{2026}",
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_number_nor_length_of_errors_grows_without_bounds() {
        let mut findings = Findings::default();
        for _ in 0..1_000 {
            findings.add(|| Place::Pointer(String::new()), "is wrong");
        }
        assert_eq!(findings.into_errors().len(), MOST);
        assert_eq!(short(&"é".repeat(100)), "é".repeat(100));
        assert_eq!(short(&"é".repeat(101)), "é".repeat(100) + "…");
    }

    #[test]
    fn a_pointer_that_grows_too_long_ends_at_a_parent() {
        let mut pointer = String::new();
        let taken = (0..1_000).take_while(|_| descend(&mut pointer, &"~/".repeat(1_000))).count();
        assert_eq!(taken, 1, "{pointer}");
        assert!(pointer.starts_with("/~0~1~0~1") && pointer.ends_with("~1…"), "{pointer}");
    }
}
