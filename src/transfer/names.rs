//! Names of a table as they are compared, and as parts of external ids.

/// A letter without its mark, for the languages that write plans in Latin letters with marks.
fn plain(letter: char) -> char {
    const MARKED: [(char, &str); 16] = [
        ('a', "ăâáàäãåāą"),
        ('c', "çćčĉċ"),
        ('d', "ďđ"),
        ('e', "éèêëēėęě"),
        ('g', "ğģĝġ"),
        ('i', "îíìïīįı"),
        ('k', "ķ"),
        ('l', "łĺľļ"),
        ('n', "ñńňņ"),
        ('o', "óòôöõøőō"),
        ('r', "řŕ"),
        ('s', "șşśšŝ"),
        ('t', "țţť"),
        ('u', "úùûüūůűų"),
        ('y', "ýÿ"),
        ('z', "źżž"),
    ];
    let found = MARKED.iter().find(|(_, marked)| marked.contains(letter));
    found.map_or(letter, |(plain, _)| *plain)
}

/// A header as it is compared: no case, no marks, no matter how many spaces.
pub(super) fn folded(text: &str) -> String {
    // The second letter of `İ` in lower case is a mark of its own.
    let letters: String =
        text.to_lowercase().chars().filter(|letter| !('\u{300}'..='\u{36f}').contains(letter)).map(plain).collect();
    letters.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A name without the marks that lead to a footnote: `*`, `†`, raised digits, and `(1)`, `[2]` or `3)` at its end.
pub(super) fn bare(name: &str) -> String {
    const MARKS: [char; 16] = ['*', '†', '‡', '§', '⁎', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹', '⁰', '＊'];
    let mut bare = name.trim();
    loop {
        let cut = bare.trim_matches(|letter: char| MARKS.contains(&letter) || letter.is_whitespace());
        let cut = without_number(cut).trim_end();
        // A name that is nothing but marks stays as it is.
        if cut.is_empty() || cut.len() == bare.len() {
            break;
        }
        bare = cut;
    }
    bare.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Text without `(1)`, `[2]` or a lone `3)` at its end.
fn without_number(text: &str) -> &str {
    let Some(rest) = text.strip_suffix([')', ']']) else { return text };
    let start = rest.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '*');
    match start.strip_suffix(['(', '[']) {
        Some(before) if start.len() < rest.len() => before,
        None if start.len() < rest.len() && start.ends_with(char::is_whitespace) => start,
        _ => text,
    }
}

/// A name as it is compared with other names: no case, no marks, no footnotes, no dots and no spaces.
pub(super) fn key(name: &str) -> String {
    folded(&bare(name)).chars().filter(|letter| !letter.is_whitespace() && *letter != '.').collect()
}

/// A name as a part of an external id. Long names are cut, and told apart by a checksum of the whole.
pub(super) fn slug(name: &str) -> String {
    let folded = folded(name);
    let words: Vec<&str> = folded
        .split(|letter: char| !letter.is_alphanumeric() && letter != '.')
        .filter(|word| !word.is_empty())
        .collect();
    let slug = words.join("-");
    if (1..=60).contains(&slug.chars().count()) {
        return slug;
    }
    let start: String = slug.chars().take(50).collect();
    format!("{start}-{:08x}", crc32fast::hash(folded.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_people_take_for_one_have_one_key() {
        for name in
            ["MAI", "M.A.I.", "m. a. i.", "MAI*", "MAI (1)", "MAI[2]", "* MAI", "MAI ¹", "MAI 3)", " M A I ** (2)"]
        {
            assert_eq!(key(name), "mai", "{name}");
        }
        assert_eq!(key("Agenția  Națională"), key("AGENTIA NATIONALA"));
        assert_eq!(key("Ministerul (MAI)"), "ministerul(mai)");
        for name in ["*", "(1)", "Legea 5)", "G20"] {
            assert!(!key(name).is_empty(), "{name}");
        }
        assert_ne!(key("G20"), key("G7"));
        assert_eq!(bare("Ministerul Apărării* (1)"), "Ministerul Apărării");
    }
}
