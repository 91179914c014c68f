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
