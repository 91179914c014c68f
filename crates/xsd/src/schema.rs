//! XML Schema 1.0, as far as the schemas of IATI need it: they are compiled once, and then judge elements of `xml`.
//!
//! Known are global and local elements, attributes and types; sequences and choices with occurrences; simple and complex content with
//! extensions; wildcards; the built-in types of `simple`, unions and enumerations. A schema with anything else is refused when it is compiled,
//! so that no rule is left out in silence. No rule of any standard is written in code.

mod compile;
mod judge;
mod model;
mod read;
mod simple;

#[cfg(test)]
mod tests;

pub use compile::compile;
use model::Model;
pub use model::Walk;

use std::collections::HashMap;

use self::simple::Simple;
use crate::xml::Name;

/// A schema, ready to judge.
#[derive(Debug, Default)]
pub struct Schema {
    /// The elements that may stand at the top, or be matched by a wildcard.
    elements: HashMap<Name, Declared>,
    /// The attributes that a wildcard may match.
    attributes: HashMap<Name, Simple>,
    /// All types.
    types: Vec<Type>,
}

/// The index of a type.
type Declared = usize;

/// What an element may have and hold.
#[derive(Debug)]
enum Type {
    /// Only text, and no attributes.
    Simple(Simple),
    /// Attributes and content.
    Complex(Complex),
}

#[derive(Debug, Default, Clone)]
struct Complex {
    attributes: Vec<Allowed>,
    /// True when attributes of (other) namespaces may stand beside.
    is_open: bool,
    content: Content,
}

/// An attribute of a type.
#[derive(Debug, Clone)]
struct Allowed {
    name: Name,
    is_required: bool,
    kind: Simple,
}

#[derive(Debug, Clone)]
enum Content {
    Text(Simple),
    Elements(Model),
}

impl Default for Content {
    fn default() -> Self {
        Self::Elements(Model::default())
    }
}
