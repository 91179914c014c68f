//! `Element`: an element with all that is in it.

use std::{fmt, sync::Arc};

use super::Place;

/// A name, with the namespace that its prefix stands for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    /// The namespace, if it is in one.
    pub space: Option<Arc<str>>,
    /// The name without a prefix.
    pub local: String,
}

impl Name {
    /// A name in no namespace.
    pub fn local(name: &str) -> Self {
        Self { space: None, local: name.to_owned() }
    }

    /// True for this name in no namespace.
    pub fn is(&self, name: &str) -> bool {
        self.space.is_none() && self.local == name
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.space.as_deref() {
            None => f.write_str(&self.local),
            Some(super::scope::XML) => write!(f, "xml:{}", self.local),
            Some(space) => write!(f, "{{{space}}}{}", self.local),
        }
    }
}

/// An attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: Name,
    /// Its value, with references replaced and white space made spaces.
    pub value: String,
}

/// A piece of the content of an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// An element.
    Element(Element),
    /// Text, and where it begins.
    Text(String, Place),
}

/// An element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// Its name.
    pub name: Name,
    /// Its attributes but for declarations of namespaces, in the order of the file.
    pub attributes: Vec<Attribute>,
    /// The prefixes that it declares, and their namespaces; the prefix is empty for the default one.
    pub declared: Vec<(String, Arc<str>)>,
    /// What is in it.
    pub content: Vec<Node>,
    /// Where it begins.
    pub place: Place,
}

impl Element {
    /// An element that is to be written.
    pub fn new(name: &str) -> Self {
        let place = Place { line: 0, column: 0 };
        Self { name: Name::local(name), attributes: Vec::new(), declared: Vec::new(), content: Vec::new(), place }
    }

    /// With an attribute, if there is a value for it.
    #[must_use]
    pub fn with<'a>(mut self, name: &str, value: impl Into<Option<&'a str>>) -> Self {
        let name = match name.strip_prefix("xml:") {
            Some(local) => Name { space: Some(super::XML.into()), local: local.to_owned() },
            None => Name::local(name),
        };
        let attribute = |value: &str| Attribute { name, value: value.to_owned() };
        self.attributes.extend(value.into().map(attribute));
        self
    }

    /// With elements in it.
    #[must_use]
    pub fn holding(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.content.extend(children.into_iter().map(Node::Element));
        self
    }

    /// With text in it.
    #[must_use]
    pub fn saying(mut self, text: &str) -> Self {
        self.push_text(text, self.place);
        self
    }

    /// The value of an attribute that is in no namespace.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|attribute| attribute.name.is(name)).map(|attribute| attribute.value.as_str())
    }

    /// The elements in it.
    pub fn children(&self) -> impl Iterator<Item = &Self> {
        self.content.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(..) => None,
        })
    }

    /// The text that stands directly in it.
    pub fn text(&self) -> String {
        let texts = self.content.iter().filter_map(|node| match node {
            Node::Element(_) => None,
            Node::Text(text, _) => Some(text.as_str()),
        });
        texts.collect()
    }

    /// Adds text; what follows text directly is the same text.
    pub(super) fn push_text(&mut self, text: &str, place: Place) {
        match self.content.last_mut() {
            Some(Node::Text(before, _)) => before.push_str(text),
            _ => self.content.push(Node::Text(text.to_owned(), place)),
        }
    }
}
