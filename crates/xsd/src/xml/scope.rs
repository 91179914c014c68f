//! `Scope`: which namespaces the prefixes stand for (Namespaces in XML 1.0).

use std::sync::Arc;

use super::Name;
use crate::words::brief;

/// The namespace of the prefix `xml`.
pub const XML: &str = "http://www.w3.org/XML/1998/namespace";
/// The namespace of the prefix `xmlns`.
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// A name may have so many bytes, and a namespace so many: what is wrong with an element is told with both, many times.
const NAME: usize = 256;
const SPACE: usize = 2000;

/// The prefixes that are declared where the reader is.
#[derive(Default)]
pub(super) struct Scope {
    bound: Vec<(String, Option<Arc<str>>)>,
    /// How many were bound before each open element.
    marks: Vec<usize>,
}

impl Scope {
    /// An element opens.
    pub(super) fn open(&mut self) {
        self.marks.push(self.bound.len());
    }

    /// An element closes.
    pub(super) fn close(&mut self) {
        self.bound.truncate(self.marks.pop().unwrap_or_default());
    }

    /// The element that opened last declares a prefix; an empty one is that of names without.
    pub(super) fn declare(&mut self, prefix: &str, space: &str) -> Result<Option<Arc<str>>, String> {
        let is_good = match prefix {
            "xml" => space == XML,
            "xmlns" => false,
            "" => space != XML && space != XMLNS,
            _ => !space.is_empty() && space != XML && space != XMLNS,
        };
        if space.len() > SPACE {
            return Err(format!("a namespace may have at most {SPACE} bytes; `{}` has more", brief(space)));
        }
        if !is_good {
            return Err(format!("the prefix `{prefix}` cannot stand for `{}`", brief(space)));
        }
        let space: Option<Arc<str>> = if space.is_empty() { None } else { Some(space.into()) };
        self.bound.push((prefix.to_owned(), space.clone()));
        Ok(space)
    }

    /// A name of an element, or of an attribute, which without a prefix is in no namespace.
    pub(super) fn resolve(&self, name: &str, is_element: bool) -> Result<Name, String> {
        if name.len() > NAME {
            return Err(format!("a name may have at most {NAME} bytes; `{}` has more", brief(name)));
        }
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        if !is_name(local) || (name.contains(':') && !is_name(prefix)) {
            return Err(format!("`{}` is not a name of XML", brief(name)));
        }
        let space = match prefix {
            "" if !is_element => None,
            "xml" => Some(XML.into()),
            _ => match self.bound.iter().rev().find(|(bound, _)| bound == prefix) {
                Some((_, space)) => space.clone(),
                None if prefix.is_empty() => None,
                None => return Err(format!("the prefix `{prefix}` is not declared; add `xmlns:{prefix}=\"...\"`")),
            },
        };
        Ok(Name { space, local: local.to_owned() })
    }
}

/// A name without a colon, as XML 1.0 has it.
pub(crate) fn is_name(text: &str) -> bool {
    let starts =
        |c: char| c.is_ascii_alphabetic() || c == '_' || (c > '\u{bf}' && c != '×' && c != '÷' && c.is_alphabetic());
    let goes_on = |c: char| {
        starts(c)
            || c.is_ascii_digit()
            || matches!(c, '-' | '.' | '\u{b7}')
            || (c > '\u{bf}' && c.is_alphanumeric())
            || matches!(c, '\u{300}'..='\u{36f}' | '\u{203f}' | '\u{2040}')
    };
    text.chars().next().is_some_and(starts) && text.chars().skip(1).all(goes_on)
}
