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

pub use element::{Attribute, Element, Name, Node};
pub use meter::Place;
pub use reader::{Reader, Step, document};
pub(in crate::transfer) use reader::{is_allowed, is_space};
pub(in crate::transfer) use scope::{XML, is_name};
pub use write::write;

use crate::repository::Fault;

/// Elements may be nested so deep; IATI needs ten.
pub const DEPTH: usize = 32;
/// An element may have so many attributes.
pub const ATTRIBUTES: usize = 64;
/// A tag, a text between two tags, a comment may have so many bytes.
pub const PIECE: usize = 1 << 20;
/// An element below the root may have so many bytes in the file, with all that is in it.
pub const ELEMENT: u64 = 16 << 20;
/// An element below the root may have so many elements in it.
pub const ELEMENTS: usize = 100_000;

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
    pub(super) fn new(place: Place, code: &'static str, detail: impl Into<String>) -> Self {
        Self { place, path: String::new(), code, detail: detail.into() }
    }
}

impl From<Flaw> for Fault {
    /// Points as `line 12, column 5: /iati-activities/iati-activity`.
    fn from(flaw: Flaw) -> Self {
        let Flaw { place: Place { line, column }, path, code, detail } = flaw;
        let mut pointer = format!("line {line}, column {column}");
        if !path.is_empty() {
            pointer = format!("{pointer}: {path}");
        }
        Self { pointer, code: code.into(), detail }
    }
}
