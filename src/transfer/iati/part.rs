//! `Part`: an element from which a mapping takes what it understands. What it did not take is listed, so nothing is lost in silence.

use mandate_xsd::{Element, Name, Node, XML, is_space};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A listing has so many rows; beyond them it only says that there are more.
const ROWS: usize = 200;

/// What a file says and a contribution has no place for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeftOut {
    /// The element or attribute, from the activity on, such as `transaction/flow-type` or `sector/@vocabulary-uri`.
    pub path: String,
    /// The line of the first one.
    pub line: usize,
    /// How many there are.
    pub count: usize,
    /// Why it is left out, where a contribution has a place for such things.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What was left out so far.
#[derive(Debug, Default)]
pub(super) struct Listing(pub(super) Vec<LeftOut>);

impl Listing {
    /// Adds the rows of an activity to those of a file, whatever their reasons.
    pub(super) fn sum(&mut self, rows: &[LeftOut]) {
        for row in rows {
            self.add(LeftOut { why: None, ..row.clone() });
        }
    }

    fn note(&mut self, path: &str, line: usize, why: Option<&str>) {
        self.add(LeftOut { path: path.into(), line, count: 1, why: why.map(Into::into) });
    }

    fn add(&mut self, new: LeftOut) {
        if let Some(row) = self.0.iter_mut().find(|row| row.path == new.path && row.why == new.why) {
            row.count += new.count;
        } else if self.0.len() < ROWS {
            self.0.push(new);
        } else if let Some(row) = self.0.get_mut(ROWS) {
            row.count += new.count;
        } else {
            self.0.push(LeftOut { path: "...".into(), why: Some("more than is listed here".into()), ..new });
        }
    }
}

/// An element that is read.
#[derive(Debug)]
pub(super) struct Part {
    element: Element,
    path: String,
}

impl Part {
    /// The activity itself.
    pub(super) fn activity(element: Element) -> Self {
        Self { element, path: String::new() }
    }

    pub(super) fn line(&self) -> usize {
        self.element.place.line
    }

    fn at(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}/{name}", self.path) }
    }

    /// Takes an attribute, without the white space around it; an empty one is none.
    pub(super) fn attribute(&mut self, name: &str) -> Option<String> {
        self.named(&Name::local(name))
    }

    /// Takes `xml:lang`.
    pub(super) fn language(&mut self) -> Option<String> {
        self.named(&Name { space: Some(XML.into()), local: "lang".into() })
    }

    fn named(&mut self, name: &Name) -> Option<String> {
        let index = self.element.attributes.iter().position(|attribute| attribute.name == *name)?;
        let value = self.element.attributes.remove(index).value;
        let value = value.trim_matches(is_space);
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// Takes an attribute that is one of these.
    pub(super) fn code(
        &mut self,
        name: &str,
        listing: &mut Listing,
        is_known: impl Fn(&str) -> bool,
    ) -> Option<String> {
        let code = self.attribute(name)?;
        if is_known(&code) {
            return Some(code);
        }
        self.leave(&format!("@{name}"), listing, &format!("`{}` is not known here", crate::base::text::brief(&code)));
        None
    }

    /// Takes all elements of this name.
    pub(super) fn all(&mut self, name: &str) -> Vec<Self> {
        let path = self.at(name);
        let is_it = |node: &mut Node| matches!(node, Node::Element(element) if element.name.is(name));
        let taken = self.element.content.extract_if(.., is_it).filter_map(|node| match node {
            Node::Element(element) => Some(Self { element, path: path.clone() }),
            Node::Text(..) => None,
        });
        taken.collect()
    }

    /// Takes the first element of this name.
    pub(super) fn one(&mut self, name: &str) -> Option<Self> {
        let path = self.at(name);
        let is_it = |node: &Node| matches!(node, Node::Element(element) if element.name.is(name));
        let index = self.element.content.iter().position(is_it)?;
        match self.element.content.remove(index) {
            Node::Element(element) => Some(Self { element, path }),
            Node::Text(..) => None,
        }
    }

    /// Takes the text, without the white space around it.
    pub(super) fn words(&mut self) -> String {
        let text = self.element.text();
        self.element.content.retain(|node| matches!(node, Node::Element(_)));
        text.trim_matches(is_space).to_owned()
    }

    /// Lists something of it.
    pub(super) fn leave(&self, name: &str, listing: &mut Listing, why: &str) {
        listing.note(&self.at(name), self.line(), Some(why));
    }

    /// Lists all of it.
    pub(super) fn refuse(self, listing: &mut Listing, why: &str) {
        listing.note(&self.path, self.line(), Some(why));
    }

    /// Lists what was not taken.
    pub(super) fn rest(self, listing: &mut Listing) {
        for attribute in &self.element.attributes {
            listing.note(&self.at(&format!("@{}", attribute.name)), self.line(), None);
        }
        for node in &self.element.content {
            match node {
                Node::Element(element) => listing.note(&self.at(&element.name.to_string()), element.place.line, None),
                Node::Text(text, place) if !text.chars().all(is_space) => {
                    listing.note(&self.at("text()"), place.line, None);
                }
                Node::Text(..) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_listing_counts_what_it_does_not_name() {
        let mut listing = Listing::default();
        for number in 0..ROWS + 3 {
            listing.note(&format!("e{number}"), number, Some("why"));
        }
        listing.note("e0", 9, Some("why"));
        let last = listing.0.last().unwrap();
        assert_eq!((listing.0.len(), last.path.as_str(), last.count), (ROWS + 1, "...", 3));
        assert_eq!((listing.0[0].count, listing.0[ROWS - 1].path.as_str()), (2, "e199"));
        let mut sum = Listing::default();
        sum.sum(&listing.0);
        sum.sum(&listing.0);
        let all: usize = sum.0.iter().map(|row| row.count).sum();
        assert_eq!((sum.0.len(), all), (ROWS + 1, 2 * (ROWS + 4)));
    }
}
