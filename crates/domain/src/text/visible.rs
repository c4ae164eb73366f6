//! What a text shows.

use icu_properties::{CodePointSetData, props::DefaultIgnorableCodePoint};

/// Whether a character shows nothing where it stands alone: white space, control characters, what Unicode has programs
/// pass over in silence (joiners, soft hyphens, direction marks, fillers, variation selectors, tags), and the few that
/// are blank although Unicode counts them among signs.
///
/// Such characters belong into texts: they join an emoji of several, bind letters, turn the direction. Only a text
/// that has nothing else is as good as blank.
pub fn shows_nothing(character: char) -> bool {
    character.is_whitespace()
        || character.is_control()
        || matches!(character, BRAILLE_BLANK | NULL_NOTEHEAD | '\u{FFF9}'..='\u{FFFB}')
        || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character)
}

/// The Braille pattern without a dot.
const BRAILLE_BLANK: char = '\u{2800}';
/// A note without a head.
const NULL_NOTEHEAD: char = '\u{1D159}';
