//! Texts that show nothing, and texts that need characters that show nothing.

use proptest::{collection::vec, prelude::*, sample::select};
use techsupport_domain::{
    text::{CommentBody, Company, Description, PersonName, TextError, Title},
    ticket::{Tag, TagError},
};

/// From Unicode's `DerivedCoreProperties.txt` (`Default_Ignorable_Code_Point`) and `PropList.txt` (`White_Space`), by hand,
/// and what is blank besides.
const UNSEEN: [(char, char); 24] = [
    ('\u{1}', '\u{20}'),
    ('\u{7F}', '\u{A0}'),
    ('\u{AD}', '\u{AD}'),
    ('\u{34F}', '\u{34F}'),
    ('\u{61C}', '\u{61C}'),
    ('\u{115F}', '\u{1160}'),
    ('\u{1680}', '\u{1680}'),
    ('\u{17B4}', '\u{17B5}'),
    ('\u{180B}', '\u{180F}'),
    ('\u{2000}', '\u{200F}'),
    ('\u{2028}', '\u{202F}'),
    ('\u{205F}', '\u{206F}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3000}', '\u{3000}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{FE00}', '\u{FE0F}'),
    ('\u{FEFF}', '\u{FEFF}'),
    ('\u{FFA0}', '\u{FFA0}'),
    ('\u{FFF0}', '\u{FFFB}'),
    ('\u{1BCA0}', '\u{1BCA3}'),
    ('\u{1D159}', '\u{1D159}'),
    ('\u{1D173}', '\u{1D17A}'),
    ('\u{E0000}', '\u{E007F}'),
    ('\u{E0080}', '\u{E0FFF}'),
];

/// Texts as people write them.
const USUAL: [&str; 12] = [
    "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}",
    "\u{2764}\u{FE0F}\u{200D}\u{1F525}",
    "\u{1F3F4}\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}",
    "\u{1F44D}\u{1F3FD} ok",
    "1\u{FE0F}\u{20E3} one",
    "cafe\u{301}",
    "a\u{300}\u{301}\u{302}",
    "\u{915}\u{94D}\u{200D}\u{937}",
    "\u{645}\u{6CC}\u{200C}\u{62E}\u{648}\u{627}\u{647}\u{645}",
    "\u{200F}\u{5E9}\u{5DC}\u{5D5}\u{5DD}\u{200F}",
    "co\u{AD}operate",
    "\u{FEFF}Printer on fire",
];

fn unseen() -> impl Strategy<Value = char> {
    select(UNSEEN.to_vec()).prop_flat_map(|(from, to)| proptest::char::range(from, to))
}

fn is_unseen(character: char) -> bool {
    character == '\0' || UNSEEN.iter().any(|(from, to)| (*from..=*to).contains(&character))
}

/// What each kind of text says of it.
fn refusals(text: &str) -> [Option<TextError>; 5] {
    [
        Title::parse(text).err(),
        Description::parse(text).err(),
        PersonName::parse(text).err(),
        Company::parse(text).err(),
        CommentBody::parse(text).err(),
    ]
}

proptest! {
    #[test]
    fn a_text_that_shows_nothing_is_refused(characters in vec(unseen(), 3..40)) {
        let text = String::from_iter(&characters);
        for refusal in refusals(&text) {
            prop_assert!(matches!(refusal, Some(TextError::Blank | TextError::Invisible)), "{text:?}: {refusal:?}");
        }
        prop_assert!(Tag::parse(&text).is_err(), "{text:?}");
    }

    #[test]
    fn one_character_that_can_be_seen_is_enough_and_nothing_is_taken_away(
        before in vec(unseen(), 1..20),
        seen in any::<char>().prop_filter("can be seen", |it| !is_unseen(*it)),
        after in vec(unseen(), 1..20),
    ) {
        let text = before.iter().chain([&seen]).chain(&after).collect::<String>();
        prop_assert_eq!(refusals(&text), [None; 5], "{:?}", text);
        let title = Title::parse(text.as_str()).unwrap();
        prop_assert_eq!(title.as_str(), text);
    }

    /// Rows that were written when this was not refused can still be read.
    #[test]
    fn what_was_stored_is_read_back(characters in vec(unseen(), 2..40)) {
        let text = format!("\u{200B}{}", String::from_iter(&characters));
        prop_assert_eq!(Title::stored(text.as_str()).map(|it| it.to_string()), Ok(text));
    }
}

#[test]
fn each_character_that_shows_nothing_is_known() {
    for (from, to) in UNSEEN {
        for character in from..=to {
            let text = String::from_iter([character; 3]);
            assert!(
                matches!(Title::parse(text), Err(TextError::Blank | TextError::Invisible)),
                "{character:?}"
            );
        }
    }
    assert_eq!(Title::parse("\u{200B}\u{2060}\u{FEFF}"), Err(TextError::Invisible));
    assert_eq!(Tag::parse("\u{3164}"), Err(TagError::Tag(TextError::Invisible)));
}

#[test]
fn what_people_write_is_accepted_as_it_is() {
    for text in USUAL {
        assert_eq!(refusals(&format!("{text} – it burns")), [None; 5], "{text:?}");
        assert_eq!(PersonName::parse(text).map(|name| name.to_string()).as_deref(), Ok(text));
        assert_eq!(Tag::parse(text).map(|tag| tag.as_str().to_owned()), Ok(text.trim().to_lowercase()));
    }
}
