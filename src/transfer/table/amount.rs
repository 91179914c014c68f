//! Amounts as tables print them: `1.234.567,89`, `1,234,567.89`, `1 234 567,89`.

use std::collections::BTreeSet;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::transfer::sheet::short;

/// What stands before the decimals of an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, ValueEnum)]
pub enum DecimalMark {
    /// As in `1.234,50`.
    #[serde(rename = ",")]
    #[value(name = ",")]
    Comma,
    /// As in `1,234.50`.
    #[serde(rename = ".")]
    #[value(name = ".")]
    Point,
}

impl DecimalMark {
    fn letter(self) -> char {
        match self {
            Self::Comma => ',',
            Self::Point => '.',
        }
    }
}

/// Spaces that stand between thousands: the common one, and the unbreakable ones.
const SPACES: [char; 4] = [' ', '\u{a0}', '\u{202f}', '\u{2009}'];

/// An amount as `Money` takes it, or what is wrong with it. What can be read in two ways is refused, never guessed.
pub(super) fn read(cell: &str, decimal: Option<DecimalMark>) -> Result<String, String> {
    let text: String = cell.trim().chars().map(|letter| if SPACES.contains(&letter) { ' ' } else { letter }).collect();
    let shown = short(&text);
    if text.starts_with('-') || (text.starts_with('(') && text.ends_with(')')) {
        return Err(format!("`{shown}` is below zero; an estimate cannot be"));
    }
    if !text.chars().all(|letter| letter.is_ascii_digit() || matches!(letter, '.' | ',' | ' ')) {
        return Err(format!("`{shown}` is not an amount; write digits only, and the currency in a column of its own"));
    }
    let wrong = || format!("`{shown}` is not an amount; write it as 1234567.89, or with thousands as 1.234.567,89");
    let mark = match decimal {
        Some(decimal) => Some(decimal.letter()),
        None => mark(&text, &shown)?,
    };
    let (whole, part) = match mark.and_then(|mark| text.split_once(mark)) {
        Some((whole, part)) => (whole, Some(part)),
        None => (text.as_str(), None),
    };
    let separators: BTreeSet<char> = whole.chars().filter(|letter| !letter.is_ascii_digit()).collect();
    let groups: Vec<&str> = whole.split(|letter: char| !letter.is_ascii_digit()).collect();
    let is_grouped =
        groups.len() == 1 || ((1..=3).contains(&groups[0].len()) && groups[1..].iter().all(|group| group.len() == 3));
    if separators.len() > 1 || whole.is_empty() || !is_grouped {
        return Err(wrong());
    }
    let digits = groups.concat();
    let digits = match digits.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    };
    match part {
        None => Ok(digits.to_owned()),
        Some(part) if part.is_empty() || !part.chars().all(|letter| letter.is_ascii_digit()) => Err(wrong()),
        // How many its currency has is judged with it.
        Some(part) if part.len() > 4 => {
            Err(format!("`{shown}` has more decimals than any currency; round it at the source"))
        }
        Some(part) => Ok(format!("{digits}.{part}")),
    }
}

/// Which of comma and point stands before the decimals, if there are any.
fn mark(text: &str, shown: &str) -> Result<Option<char>, String> {
    let count = |mark: char| text.matches(mark).count();
    let mark = match (count(','), count('.')) {
        (1.., 1..) => return Ok(text.chars().rev().find(|letter| matches!(letter, ',' | '.'))),
        (1, 0) => ',',
        (0, 1) => '.',
        // None, or thousands: twice or more is never before decimals.
        (_, 0) | (0, _) => return Ok(None),
    };
    let (whole, part) = text.split_once(mark).unwrap_or_default();
    let may_be_thousands =
        part.len() == 3 && (1..=3).contains(&whole.len()) && !whole.starts_with('0') && !whole.contains(' ');
    if may_be_thousands {
        return Err(format!("`{shown}` can be read in two ways; say what stands before decimals: decimal `,` or `.`"));
    }
    Ok(Some(mark))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_are_read_as_printed() {
        for cell in
            ["1.234.567,89", "1,234,567.89", "1 234 567,89", "1\u{a0}234\u{202f}567.89", "1234567.89", "1234567,89"]
        {
            assert_eq!(read(cell, None).as_deref(), Ok("1234567.89"), "{cell}");
        }
        for (cell, amount) in [
            ("12", "12"),
            ("1.234.567", "1234567"),
            ("1 234", "1234"),
            ("0,5", "0.5"),
            ("007", "7"),
            ("1234.5", "1234.5"),
            ("0", "0"),
        ] {
            assert_eq!(read(cell, None).as_deref(), Ok(amount), "{cell}");
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        for cell in ["1.234", "12,345", "999.000"] {
            assert!(read(cell, None).unwrap_err().contains("decimal `,` or `.`"), "{cell}");
        }
        assert_eq!(read("1.234", Some(DecimalMark::Comma)).as_deref(), Ok("1234"));
        assert_eq!(read("1.234", Some(DecimalMark::Point)).as_deref(), Ok("1.234"));
        assert!(read("1.23456", Some(DecimalMark::Point)).unwrap_err().contains("more decimals than any currency"));
        assert!(read("1.234,50", Some(DecimalMark::Point)).is_err());
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        let cells = [
            "-5",
            "(5)",
            "5 lei",
            "1.23.456",
            "1,2,3",
            "1 23",
            ",5",
            "5,",
            "1.234.567,",
            "1.234,567.8",
            "12 345.678,1",
            ".",
            " ,",
            "1..2",
            "1.000,000.00",
            "1234.56789",
            "٣",
            "=1",
            "1'000",
        ];
        for cell in cells {
            assert!(read(cell, None).is_err(), "{cell} was read as {:?}", read(cell, None));
        }
    }

    proptest! {
        #[test]
        fn thousands_do_not_matter(amount in 0_u64..10_000_000_000, cents in 0_u8..100, style in 0_usize..3) {
            let (thousands, mark) = [('.', ','), (',', '.'), (' ', ',')][style];
            let digits = amount.to_string();
            let mut printed = String::new();
            for (index, digit) in digits.chars().enumerate() {
                if index > 0 && (digits.len() - index).is_multiple_of(3) {
                    printed.push(thousands);
                }
                printed.push(digit);
            }
            prop_assert_eq!(read(&format!("{printed}{mark}{cents:02}"), None), Ok(format!("{amount}.{cents:02}")));
        }
    }
}
