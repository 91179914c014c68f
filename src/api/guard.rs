//! The guard of cells: what a spreadsheet would take for a formula is shown to it as text, and comes back as it was.

use std::borrow::Cow;

/// What a spreadsheet takes for the start of a formula (OWASP, CSV injection), also in the full-width forms of East Asian keyboards.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// Whether these words begin a formula, also behind spaces and quotes, which some programs take off.
fn is_formula(words: &str) -> bool {
    let is_before =
        |letter: char| letter == '"' || letter == '\'' || (letter.is_whitespace() && !FORMULA.contains(&letter));
    words.trim_start_matches(is_before).starts_with(FORMULA)
}

/// True when an apostrophe in front of these words is ours, and not theirs.
fn is_guardable(words: &str) -> bool {
    words.is_empty() || words.starts_with('\'') || is_formula(words)
}

/// Text as a spreadsheet may see it: what it would take for a formula gets an apostrophe, numbers are left alone. Text that looks as if it
/// had got one already gets another, so that `unguard` gives back every text as it was.
pub fn guard(words: &str) -> Cow<'_, str> {
    let is_dangerous = is_formula(words) && words.parse::<rust_decimal::Decimal>().is_err();
    if is_dangerous || words.strip_prefix('\'').is_some_and(is_guardable) {
        format!("'{words}").into()
    } else {
        words.into()
    }
}

/// Takes off the apostrophe that `guard` put there; `'s-Gravenhage` keeps its own.
pub fn unguard(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|words| is_guardable(words)).unwrap_or(cell)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Written out, so that a character that is taken from the list of the guard is missed here.
    const DANGEROUS: [&str; 11] = ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"];

    #[test]
    fn every_character_that_begins_a_formula_is_guarded_where_it_can_begin_one() {
        for start in DANGEROUS {
            for before in ["", " ", "  ", "\u{a0}", "\u{3000}", "\"", "\" ", " \"", " '"] {
                let words = format!("{before}{start}cmd|' /C calc'!A0");
                assert_eq!(guard(&words), format!("'{words}"), "{words:?}");
                assert_eq!(unguard(&guard(&words)), words);
            }
            // Inside of a text it begins nothing.
            let inside = format!("a{start}1");
            assert_eq!(guard(&inside), inside);
            assert_eq!(unguard(&inside), inside);
        }
    }

    #[test]
    fn numbers_stay_numbers() {
        for number in ["-5", "-120000.50", "+5", "0", "-0.5", "007", "1e3", "12.0"] {
            assert_eq!(guard(number), number);
            assert_eq!(unguard(number), number);
        }
        for words in ["-5 lei", "--5", "-1+1", "+40 21 000", "-", "－5", " -5"] {
            assert_eq!(guard(words), format!("'{words}"));
        }
    }

    #[test]
    fn apostrophes_that_are_not_ours_are_kept() {
        for (words, cell) in [
            ("'s-Gravenhage", "'s-Gravenhage"),
            ("'=1+1", "''=1+1"),
            ("'", "''"),
            ("''", "'''"),
            ("l'été", "l'été"),
            ("\"quoted\"", "\"quoted\""),
            ("", ""),
        ] {
            assert_eq!(guard(words), cell);
            assert_eq!(unguard(cell), words);
        }
    }

    proptest! {
        #[test]
        fn a_guard_is_taken_off_exactly(words in "['\"=+@＝＠ \t\r\n0-9a-]{0,5}.{0,3}") {
            let cell = guard(&words).into_owned();
            prop_assert_eq!(unguard(&cell), words.as_str());
        }
    }
}
