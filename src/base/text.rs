//! Names in messages: shortened, and with the known name that may have been meant.

use std::borrow::Cow;

/// A name as it is repeated in an answer: a long one is cut.
pub fn brief(name: &str) -> Cow<'_, str> {
    const LONGEST: usize = 100;
    name.char_indices().nth(LONGEST).map_or(name.into(), |(end, _)| format!("{}…", &name[..end]).into())
}

/// Says that a name is not known, and which one may have been meant.
pub fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let hint = suggestion(name, known.clone());
    let name = brief(name);
    if hint.is_empty() {
        let mut names: Vec<&str> = known.collect();
        names.sort_unstable();
        if names.is_empty() {
            return format!("`{name}` is not a known {what}; there is none here");
        }
        format!("`{name}` is not a known {what}; known are {}", names.join(", "))
    } else {
        format!("`{name}` is not a known {what}{hint}")
    }
}

/// Which known name may have been meant, in words; empty when none is like it.
pub fn suggestion<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    nearest(name, known).map_or_else(String::new, |candidate| format!("; did you mean `{candidate}`?"))
}

/// The known name that is most like this one, if any is.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = &*brief(name);
    known
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
