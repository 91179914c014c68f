//! XML from outside, read as a stream and safely: no document type, no entities but the five of XML, nothing fetched, and a limit on
//! everything that can grow. Whatever the size of the file, only one element below its root is in memory.
//!
//! The file must be UTF-8. What is wrong has a line and a column, from 1.

mod element;
mod meter;
mod reader;
mod scope;
mod write;

#[cfg(test)]
mod tests;

use std::fmt;

pub use element::{Attribute, Element, Name, Node};
pub use meter::Place;
pub use reader::{Reader, Step, is_space};
pub(crate) use reader::{document, is_allowed};
pub use scope::XML;
pub(crate) use scope::is_name;
pub use write::write;

/// Elements may be nested so deep; IATI needs ten.
const DEPTH: usize = 32;
/// An element may have so many attributes.
const ATTRIBUTES: usize = 64;
/// A tag, a text between two tags, a comment may have so many bytes.
const PIECE: usize = 1 << 20;
/// An element below the root may have so many bytes in the file, with all that is in it.
const ELEMENT: u64 = 16 << 20;
/// An element below the root may have so many elements in it.
const ELEMENTS: usize = 100_000;

/// What is wrong with a file, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Where it is.
    pub place: Place,
    /// The element or attribute, such as `/iati-activities/iati-activity/budget/value/@currency`; empty where the file is no XML.
    pub path: String,
    /// Stable word for machines.
    pub code: &'static str,
    /// What is wrong, and what to do instead.
    pub detail: String,
}

impl Flaw {
    /// A flaw of the file as XML.
    pub fn new(place: Place, code: &'static str, detail: impl Into<String>) -> Self {
        Self { place, path: String::new(), code, detail: detail.into() }
    }
}

/// As `line 12, column 5: /iati-activities/iati-activity: ...`.
impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, path, detail, .. } = self;
        if path.is_empty() { write!(f, "{place}: {detail}") } else { write!(f, "{place}: {path}: {detail}") }
    }
}

impl std::error::Error for Flaw {}
