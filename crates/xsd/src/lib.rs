//! XML from outside, read safely, and judged by an XML Schema.
//!
//! `Reader` reads a file as a stream; `compile` makes a `Schema` of XSD documents, which judges the elements that were read. What is wrong is a
//! `Flaw`: a place, a path, a word for machines, and a reason for people. This is not the whole of XML Schema.

mod schema;
mod words;
mod xml;

pub use schema::{Schema, Walk, compile};
pub use xml::{Attribute, Element, Flaw, Name, Node, Place, Reader, Step, XML, is_space, write};
