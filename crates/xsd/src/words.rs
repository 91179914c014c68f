//! How flaws repeat what stands in a file.

use std::borrow::Cow;

/// A word of the file as a flaw repeats it: a long one is cut.
pub(crate) fn brief(word: &str) -> Cow<'_, str> {
    const LONGEST: usize = 100;
    word.char_indices().nth(LONGEST).map_or(word.into(), |(end, _)| format!("{}…", &word[..end]).into())
}

/// Says that an attribute is not known, and which one may have been meant.
pub(crate) fn unknown_attribute<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let name = brief(name);
    let mut known: Vec<&str> = known.collect();
    let nearest = known
        .iter()
        .map(|candidate| (strsim::jaro_winkler(&name, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    if let Some((_, meant)) = nearest {
        return format!("`{name}` is not a known attribute; did you mean `{meant}`?");
    }
    if known.is_empty() {
        return format!("`{name}` is not a known attribute; there is none here");
    }
    known.sort_unstable();
    format!("`{name}` is not a known attribute; known are {}", known.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_attribute_is_told_with_what_is_known() {
        let said = |name, known: &[&str]| unknown_attribute(name, known.iter().copied());
        assert_eq!(
            said("curency", &["date", "currency"]),
            "`curency` is not a known attribute; did you mean `currency`?"
        );
        assert_eq!(said("x", &["date", "currency"]), "`x` is not a known attribute; known are currency, date");
        assert_eq!(said("x", &[]), "`x` is not a known attribute; there is none here");
        assert!(said(&"x".repeat(101), &[]).starts_with(&format!("`{}…` is", "x".repeat(100))));
    }
}
