//! The media types of captured copies, and whether bytes are what they are said to be.
//!
//! To add one: a row in `TYPES`. The check need not find out what the bytes are; it is enough that nothing passes for what it is not.

use std::io::Read;

use serde::de::IgnoredAny;

/// A media type that is taken.
#[derive(Debug)]
pub(super) struct MediaType {
    /// Its name, as it is kept and answered.
    pub(super) name: &'static str,
    /// The end of the name of a file.
    pub(super) extension: &'static str,
    is: fn(&Sample) -> bool,
}

/// What is taken; `text/xml` is another name for `application/xml`.
pub(super) const TYPES: [MediaType; 8] = [
    MediaType { name: "application/pdf", extension: "pdf", is: |sample| sample.is_pdf() },
    MediaType { name: "image/png", extension: "png", is: |sample| sample.starts(b"\x89PNG\r\n\x1a\n") },
    MediaType { name: "image/jpeg", extension: "jpg", is: |sample| sample.starts(b"\xff\xd8\xff") },
    MediaType { name: "text/html", extension: "html", is: |sample| sample.is_text() && sample.is_page() },
    MediaType { name: "text/plain", extension: "txt", is: |sample| sample.is_text() && !sample.is_page() },
    MediaType { name: "text/csv", extension: "csv", is: |sample| sample.is_text() && !sample.is_page() },
    MediaType { name: "application/xml", extension: "xml", is: |sample| sample.is_text() && sample.is_xml() },
    MediaType { name: "application/json", extension: "json", is: |sample| sample.is_json() },
];

/// The first bytes of what is no text, although it may have no zero in it.
const NO_TEXT: [&[u8]; 6] = [b"%PDF-", b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"PK\x03\x04", b"\x1f\x8b"];

/// So many bytes tell what a text is.
const BEGINNING: usize = 4096;

/// The media type of this name.
pub(super) fn named(name: &str) -> Option<&'static MediaType> {
    let name = if name == "text/xml" { "application/xml" } else { name };
    TYPES.iter().find(|media_type| media_type.name == name)
}

/// The names of all, for people.
pub(super) fn names() -> String {
    TYPES.map(|media_type| media_type.name).join(", ")
}

impl MediaType {
    /// Whether the bytes can be of this type. Reads all of them.
    pub(super) fn fits(&self, parts: &[Vec<u8>]) -> bool {
        (self.is)(&Sample { parts, beginning: beginning(parts) })
    }
}

/// The bytes, and the first of them together.
struct Sample<'a> {
    parts: &'a [Vec<u8>],
    beginning: Vec<u8>,
}

fn beginning(parts: &[Vec<u8>]) -> Vec<u8> {
    parts.iter().flatten().copied().take(BEGINNING).collect()
}

impl Sample<'_> {
    fn starts(&self, signature: &[u8]) -> bool {
        self.beginning.starts_with(signature)
    }

    /// Some programs write a few bytes before the signature, and readers look for it among the first 1,024; a page is none for all that.
    fn is_pdf(&self) -> bool {
        let beginning = &self.beginning[..self.beginning.len().min(1024)];
        !self.opening().starts_with('<') && beginning.windows(5).any(|window| window == b"%PDF-")
    }

    /// Whether it is a text in a coding of which ASCII is a part, as UTF-8 and the codings of old pages are.
    fn is_text(&self) -> bool {
        !NO_TEXT.iter().any(|signature| self.starts(signature)) && !self.parts.iter().any(|part| part.contains(&0))
    }

    /// What stands first, without a byte order mark and white space, in lower case.
    fn opening(&self) -> String {
        let bytes = self.beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.beginning);
        String::from_utf8_lossy(bytes.trim_ascii_start()).to_ascii_lowercase()
    }

    /// Whether a browser would show it as a page.
    fn is_page(&self) -> bool {
        let opening = self.opening();
        let marks = ["<html", "<!doctype html", "<head", "<body", "<script"];
        opening.starts_with('<') && marks.iter().any(|mark| opening.contains(mark))
    }

    fn is_xml(&self) -> bool {
        let opening = self.opening();
        opening.starts_with("<?xml") || (opening.starts_with('<') && !self.is_page())
    }

    fn is_json(&self) -> bool {
        let reader = Parts { current: &[], rest: self.parts.iter() };
        serde_json::from_reader::<_, IgnoredAny>(reader).is_ok()
    }
}

/// Reads one part after the other.
struct Parts<'a> {
    current: &'a [u8],
    rest: std::slice::Iter<'a, Vec<u8>>,
}

impl Read for Parts<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        while self.current.is_empty() {
            let Some(next) = self.rest.next() else { return Ok(0) };
            self.current = next;
        }
        self.current.read(into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In parts of seven bytes.
    fn fits(name: &str, bytes: &[u8]) -> bool {
        let parts: Vec<Vec<u8>> = bytes.chunks(7).map(<[u8]>::to_vec).collect();
        named(name).unwrap().fits(&parts)
    }

    #[test]
    fn bytes_are_what_they_are_said_to_be() {
        for (name, bytes) in [
            ("application/pdf", &b"%PDF-1.7\nx"[..]),
            ("application/pdf", b"\r\n\0%PDF-1.4"),
            ("image/png", b"\x89PNG\r\n\x1a\n\0\0"),
            ("image/jpeg", b"\xff\xd8\xff\xe0\0"),
            ("text/html", b"\xef\xbb\xbf\n <!-- saved --><!DOCTYPE HTML><html>"),
            ("text/html", b"<html><p>\xbactiune"),
            ("text/plain", "Hotărâre".as_bytes()),
            ("text/csv", b"a;b\r\n1;2\r\n"),
            ("application/xml", b"<?xml version=\"1.0\"?><a/>"),
            ("text/xml", b"<a/>"),
            ("application/json", b"{\"a\": [1, 2, \"three\"]}\n"),
        ] {
            assert!(fits(name, bytes), "{name}");
        }
    }

    #[test]
    fn nothing_passes_for_what_it_is_not() {
        for (name, bytes) in [
            ("application/pdf", &b"<html>%PDF-1.7"[..]),
            ("application/pdf", b"%PD"),
            ("image/png", b"\x89PNG"),
            ("image/jpeg", b"GIF89a"),
            ("text/html", b"just words"),
            ("text/html", b"%PDF-1.7 <html>"),
            ("text/plain", b"<!DOCTYPE html><script>"),
            ("text/plain", b"MZ\0\0"),
            ("text/csv", b"PK\x03\x04"),
            ("application/xml", b"<html></html>"),
            ("application/xml", b"{}"),
            ("application/json", b"{\"a\": 1"),
            ("application/json", b"{} {}"),
        ] {
            assert!(!fits(name, bytes), "{name}: {}", String::from_utf8_lossy(bytes));
        }
    }
}
