//! `Simple`: what a text may be (XML Schema Part 2).

use chrono::NaiveDate;

use crate::xml::{is_name, is_space};

/// A simple type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Simple {
    BuiltIn(BuiltIn),
    /// Any of these.
    Union(Vec<Simple>),
    /// One of these words.
    OneOf(Vec<String>),
}

/// A type of XML Schema itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BuiltIn {
    String,
    AnyUri,
    Boolean,
    Date,
    DateTime,
    Decimal,
    Int,
    NonNegativeInteger,
    PositiveInteger,
    NmToken,
    NcName,
    Language,
}

impl BuiltIn {
    /// The type of this name in the namespace of XML Schema.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "string" => Self::String,
            "anyURI" => Self::AnyUri,
            "boolean" => Self::Boolean,
            "date" => Self::Date,
            "dateTime" => Self::DateTime,
            "decimal" => Self::Decimal,
            "int" => Self::Int,
            "nonNegativeInteger" => Self::NonNegativeInteger,
            "positiveInteger" => Self::PositiveInteger,
            "NMTOKEN" => Self::NmToken,
            // That it stands only once in a document is not judged: no shipped schema has such an attribute of its own.
            "NCName" | "ID" => Self::NcName,
            "language" => Self::Language,
            _ => return None,
        })
    }

    fn holds(self, text: &str) -> bool {
        match self {
            // Every string is one: what is no URI reference yet becomes one by escaping (Part 2, 3.2.17).
            Self::String | Self::AnyUri => true,
            Self::Boolean => matches!(text, "true" | "false" | "1" | "0"),
            Self::Date => date(text).is_some_and(is_zone),
            Self::DateTime => date_time(text).is_some_and(is_zone),
            Self::Decimal => is_decimal(text),
            Self::Int => is_integer(text) && text.trim_start_matches('+').parse::<i32>().is_ok(),
            Self::NonNegativeInteger => is_integer(text) && (!text.starts_with('-') || is_zero(text)),
            Self::PositiveInteger => is_integer(text) && !text.starts_with('-') && !is_zero(text),
            Self::NmToken => !text.is_empty() && text.chars().all(|c| c == ':' || is_name(&format!("_{c}"))),
            Self::NcName => is_name(text),
            Self::Language => text.split('-').enumerate().all(|(index, part)| {
                let is_good = |c: char| c.is_ascii_alphabetic() || (index > 0 && c.is_ascii_digit());
                (1..=8).contains(&part.len()) && part.chars().all(is_good)
            }),
        }
    }

    fn wanted(self) -> &'static str {
        match self {
            Self::String => "text",
            Self::AnyUri => "an address (URI)",
            Self::Boolean => "`true`, `false`, `1` or `0`",
            Self::Date => "a day such as 2026-01-31",
            Self::DateTime => "a date and time such as 2026-01-31T12:00:00Z",
            Self::Decimal => "a number such as 1200.50, without spaces, separators or exponent",
            Self::Int => "a whole number of at most 32 bits",
            Self::NonNegativeInteger => "a whole number, 0 or more",
            Self::PositiveInteger => "a whole number, 1 or more",
            Self::NmToken => "a word of letters, digits, `.`, `-`, `_` and `:`",
            Self::NcName => "a name of letters, digits, `.`, `-` and `_` that begins with a letter",
            Self::Language => "a language such as `en` or `pt-BR`",
        }
    }
}

impl Simple {
    /// True when the text is of this type; white space is collapsed first, but for plain text.
    pub(super) fn holds(&self, text: &str) -> bool {
        match self {
            Self::BuiltIn(kind) => kind.holds(&collapsed(text)),
            Self::Union(kinds) => kinds.iter().any(|kind| kind.holds(text)),
            Self::OneOf(words) => words.contains(&collapsed(text)),
        }
    }

    /// What the text must be, for people.
    pub(super) fn wanted(&self) -> String {
        match self {
            Self::BuiltIn(kind) => kind.wanted().to_owned(),
            Self::Union(kinds) => kinds.iter().map(Self::wanted).collect::<Vec<_>>().join(", or "),
            Self::OneOf(words) => match &words[..] {
                [word] if word.is_empty() => "nothing".into(),
                words => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" or "),
            },
        }
    }
}

fn collapsed(text: &str) -> String {
    text.split(is_space).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_zero(text: &str) -> bool {
    text.trim_start_matches(['+', '-']).bytes().all(|byte| byte == b'0')
}

fn is_decimal(text: &str) -> bool {
    let number = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    !(whole.is_empty() && part.is_empty()) && whole.bytes().chain(part.bytes()).all(|byte| byte.is_ascii_digit())
}

/// What follows a day at the start of the text.
fn date(text: &str) -> Option<&str> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (year, rest) = unsigned.split_once('-')?;
    let is_year = year.len() >= 4 && year.bytes().all(|byte| byte.is_ascii_digit()) && !is_zero(year);
    if !is_year || (year.len() > 4 && year.starts_with('0')) {
        return None;
    }
    let (month, rest) = (digits(rest, 2)?, rest.get(2..)?.strip_prefix('-')?);
    let (day, rest) = (digits(rest, 2)?, rest.get(2..)?);
    // Every 400 years the days of the months are the same again.
    let year = i32::try_from(year.parse::<u64>().ok()? % 400).ok()? + 2000;
    NaiveDate::from_ymd_opt(year, month, day)?;
    Some(rest)
}

fn date_time(text: &str) -> Option<&str> {
    let rest = date(text)?.strip_prefix('T')?;
    let (hour, rest) = (digits(rest, 2)?, rest.get(2..)?.strip_prefix(':')?);
    let (minute, rest) = (digits(rest, 2)?, rest.get(2..)?.strip_prefix(':')?);
    let (second, rest) = (digits(rest, 2)?, rest.get(2..)?);
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(fraction) => fraction.split_at(fraction.bytes().take_while(u8::is_ascii_digit).count()),
        None => ("0", rest),
    };
    let is_midnight = hour == 24 && minute == 0 && second == 0 && is_zero(fraction);
    ((hour < 24 || is_midnight) && minute < 60 && second < 60 && !fraction.is_empty()).then_some(rest)
}

fn is_zone(text: &str) -> bool {
    let time = |text: &str| {
        let (hour, minute) = (digits(text, 2)?, digits(text.get(2..)?.strip_prefix(':')?, 2)?);
        (text.len() == 5 && minute < 60 && (hour < 14 || (hour == 14 && minute == 0))).then_some(())
    };
    text.is_empty() || text == "Z" || text.strip_prefix(['+', '-']).is_some_and(|text| time(text).is_some())
}

fn digits(text: &str, count: usize) -> Option<u32> {
    text.get(..count).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(name: &str, text: &str) -> bool {
        Simple::BuiltIn(BuiltIn::named(name).unwrap()).holds(text)
    }

    #[test]
    fn the_types_of_xml_schema_are_told_apart() {
        let good = [
            ("decimal", "1200.50 +1 -.5 1. 0"),
            ("int", "-2147483648 +7 007"),
            ("nonNegativeInteger", "0 -0 00012 99999999999999999999"),
            ("positiveInteger", "1 +2 99999999999999999999"),
            ("boolean", "true false 1 0"),
            ("date", "2024-02-29 2024-02-29Z 2024-02-29+14:00 -0044-03-15 12024-01-01 2000-02-29"),
            ("dateTime", "2024-02-29T24:00:00 2024-02-29T23:59:59.5Z 2024-02-29T00:00:00-05:30"),
            ("language", "en pt-BR zh-Hant x-klingon de-1996"),
            ("NMTOKEN", "0a a:b -x"),
            ("NCName", "a _b ä.1"),
        ];
        for (name, texts) in good {
            assert!(texts.split(' ').all(|text| holds(name, text)), "{name}: {texts}");
        }
        let bad = [
            ("decimal", "1e3 1,5 . + NaN 1.2.3 ½"),
            ("int", "2147483648 1.0 - ٣"),
            ("nonNegativeInteger", "-1 1.5"),
            ("positiveInteger", "0 -1 +0"),
            ("boolean", "yes TRUE 2"),
            (
                "date",
                "2023-02-29 2024-2-1 24-01-01 0000-01-01 02024-01-01 2024-01-01T00:00:00 2024-01-01+14:01 2024-01-01z 2024-01-32 20240101",
            ),
            ("dateTime", "2024-01-01 2024-01-01T24:00:01 2024-01-01T00:00 2024-01-01T00:00:60 2024-01-01T00:00:00."),
            ("language", "e_n -en en- abcdefghi 1en"),
            ("NMTOKEN", "a/b a,b"),
            ("NCName", "1a a:b"),
        ];
        for (name, texts) in bad {
            assert!(texts.split(' ').all(|text| !holds(name, text)), "{name}: {texts}");
            assert!(name == "string" || !holds(name, ""), "{name}");
        }
        assert!(holds("date", " \n2024-01-01\t") && holds("string", ""));
    }
}
