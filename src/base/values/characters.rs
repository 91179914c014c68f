//! What words may be made of. One spelling of what looks the same (Unicode normalization form C), and nothing in a name that nobody sees.

use std::{borrow::Cow, fmt, sync::LazyLock};

use regex::Regex;
use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};

/// What cannot be seen, or cannot be told from a plain space: controls, formats (zero widths, soft hyphens, directions), fillers, variation
/// selectors, and all spaces but one.
static HIDDEN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\x{2800}[\s&&[^ ]]]").expect("a fixed pattern compiles")
});

/// The text in normalization form C, in which all texts are kept and compared.
pub fn composed(text: &str) -> Cow<'_, str> {
    if is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.nfc().collect())
}

/// The same of a text of one's own.
pub fn compose(text: String) -> String {
    if is_nfc_quick(text.chars()) == IsNormalized::Yes { text } else { text.nfc().collect() }
}

/// The forms in which a name may have been kept before texts were composed: form C first, then form D where that is another.
pub fn spellings(name: &str) -> Vec<String> {
    let composed = composed(name).into_owned();
    let decomposed: String = composed.nfd().collect();
    if decomposed == composed { vec![composed] } else { vec![composed, decomposed] }
}

/// A character that may not stand where it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unfit {
    /// Which character it is in the text, counted from 1.
    pub place: usize,
    /// The character.
    pub character: char,
}

impl Unfit {
    fn at(text: &str, byte: usize) -> Option<Self> {
        let character = text[byte..].chars().next()?;
        Some(Self { place: text[..byte].chars().count() + 1, character })
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, character } = *self;
        write!(f, "has U+{:04X} as its character {place}, which cannot be seen; ", u32::from(character))?;
        f.write_str(if character.is_whitespace() { "write a plain space, or none" } else { "leave it out" })
    }
}

/// The first character that a name (a code, an external id) may not have: two names that look the same must be the same.
pub fn unfit_in_name(name: &str) -> Option<Unfit> {
    HIDDEN.find(name).and_then(|found| Unfit::at(name, found.start()))
}

/// The first character that a text may not have: a control but tab and the ends of lines, or one that turns the direction of what follows.
/// Soft hyphens, joiners and variation selectors are part of how languages and signs are written, and stay.
pub fn unfit_in_text(text: &str) -> Option<Unfit> {
    let mut characters = text.char_indices().peekable();
    while let Some((byte, character)) = characters.next() {
        let fits = match character {
            '\t' | '\n' => true,
            '\r' => characters.peek().is_some_and(|(_, next)| *next == '\n'),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => false,
            other => !other.is_control(),
        };
        if !fits {
            return Unfit::at(text, byte);
        }
    }
    None
}

/// A text as a terminal may have it: what may not stand in a text, or turns its direction, stands there as `\u{1b}`.
pub fn shown(text: &str) -> Cow<'_, str> {
    let does = |letter: char| {
        let turns =
            matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        turns || (letter.is_control() && !['\t', '\n'].contains(&letter))
    };
    if !text.contains(does) {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        if does(letter) { shown.extend(letter.escape_unicode()) } else { shown.push(letter) }
    }
    shown.into()
}

/// Whether a text has something to read.
pub fn is_visible(text: &str) -> bool {
    HIDDEN.replace_all(text, "").chars().any(|character| character != ' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_the_same_is_the_same() {
        assert_eq!(composed("S\u{326}1"), "Ș1");
        assert_eq!(composed("Ș1"), "Ș1");
        assert_eq!(composed("\u{212b}"), "Å");
        assert_eq!(composed("q\u{323}\u{307}"), composed("q\u{307}\u{323}"));
        assert_eq!(spellings("1.1"), ["1.1"]);
        assert_eq!(spellings("S\u{326}"), ["Ș", "S\u{326}"]);
    }

    #[test]
    fn a_name_has_nothing_that_cannot_be_seen() {
        for good in ["1.1", "A 1", "Ș1", "Măsura nr. 1", "А.1", "測定", "1–2", "№1", "§ 3", "e\u{301}"] {
            assert_eq!(unfit_in_name(good), None, "{good}");
        }
        for hidden in [
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{feff}',
            '\u{ad}',
            '\u{2060}',
            '\u{200e}',
            '\u{202e}',
            '\u{2069}',
            '\u{61c}',
            '\u{34f}',
            '\u{115f}',
            '\u{3164}',
            '\u{ffa0}',
            '\u{fe0f}',
            '\u{e0100}',
            '\u{e0041}',
            '\u{180e}',
            '\u{2800}',
            '\u{a0}',
            '\u{2009}',
            '\u{3000}',
            '\u{2028}',
            '\t',
            '\n',
            '\u{1b}',
            '\u{85}',
            '\u{2064}',
        ] {
            let found = unfit_in_name(&format!("ș1{hidden}.1"));
            assert_eq!(found, Some(Unfit { place: 3, character: hidden }), "U+{:04X}", u32::from(hidden));
        }
    }

    #[test]
    fn a_text_keeps_what_languages_are_written_with() {
        for good in ["a\tb\nc\r\nd", "Donau\u{ad}dampf", "👩\u{200d}💻", "می\u{200c}خواهم", "❤\u{fe0f}", "a\u{a0}b", ""]
        {
            assert_eq!(unfit_in_text(good), None, "{good:?}");
        }
        for (bad, place) in [
            ("\u{1b}[31m", 1),
            ("a\u{7}", 2),
            ("ăb\u{9b}", 3),
            ("a\rb", 2),
            ("a\r", 2),
            ("ab\u{202e}c", 3),
            ("\u{2066}", 1),
        ] {
            assert_eq!(unfit_in_text(bad).map(|unfit| unfit.place), Some(place), "{bad:?}");
        }
    }

    #[test]
    fn a_terminal_gets_nothing_that_does_something_to_it() {
        assert_eq!(shown("ă\tb\nc"), "ă\tb\nc");
        for letter in (0_u32..0x300).chain(0x2000..0x2100).filter_map(char::from_u32) {
            let text = format!("a{letter}b");
            let shown = shown(&text);
            assert_eq!(unfit_in_text(&shown), None, "{letter:?}");
            assert!(shown == text || shown == format!("a{}b", letter.escape_unicode()), "{letter:?}");
            assert!(unfit_in_text(&text).is_none() || shown != text, "{letter:?}");
        }
        assert_eq!(shown("\u{1b}]0;x\u{7}"), "\\u{1b}]0;x\\u{7}");
    }

    #[test]
    fn only_what_can_be_read_is_visible() {
        assert!(is_visible("a"));
        for nothing in ["", "  ", "\u{a0}\t", "\u{200b}", "\u{feff} \u{2060}"] {
            assert!(!is_visible(nothing), "{nothing:?}");
        }
    }
}
