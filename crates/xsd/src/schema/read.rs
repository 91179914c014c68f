//! `Sources`: what the documents of a schema declare, by name.

use std::{collections::HashMap, sync::Arc};

use crate::xml::{Element, Name};

/// The namespace of XML Schema.
pub(super) const XSD: &str = "http://www.w3.org/2001/XMLSchema";

/// What is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Element,
    Attribute,
    Type,
}

/// The global declarations of all documents.
pub(super) struct Sources<'a> {
    declared: HashMap<(Kind, Name), &'a Element>,
    /// The namespaces of the prefixes; the documents must agree about them, but for the default one.
    prefixes: HashMap<String, Arc<str>>,
}

impl<'a> Sources<'a> {
    pub(super) fn read(documents: &'a [Element]) -> Result<Self, String> {
        let mut sources = Self { declared: HashMap::new(), prefixes: HashMap::new() };
        sources.prefixes.insert("xml".into(), crate::xml::XML.into());
        for document in documents {
            if document.name.space.as_deref() != Some(XSD) || document.name.local != "schema" {
                return Err(format!("`{}` is not a schema", document.name));
            }
            for (prefix, space) in document.declared.iter().filter(|(prefix, _)| !prefix.is_empty()) {
                let before = sources.prefixes.insert(prefix.clone(), space.clone());
                if before.is_some_and(|before| before != *space) {
                    return Err(format!("the prefix `{prefix}` has two meanings"));
                }
            }
            let space: Option<Arc<str>> = document.attribute("targetNamespace").map(Into::into);
            for element in document.children() {
                let kind = match element.name.local.as_str() {
                    "element" if space.is_none() => Kind::Element,
                    "attribute" => Kind::Attribute,
                    "complexType" | "simpleType" if space.is_none() => Kind::Type,
                    // Groups of attributes are used by no type of the shipped schemas; a use is refused where it stands.
                    "annotation" | "include" | "import" | "attributeGroup" => continue,
                    other => return Err(format!("`{other}` at the top is not known here")),
                };
                let local = element.attribute("name").ok_or("a declaration without a name")?.to_owned();
                let name = Name { space: space.clone(), local };
                if sources.declared.insert((kind, name.clone()), element).is_some() {
                    return Err(format!("`{name}` is declared twice"));
                }
            }
        }
        Ok(sources)
    }

    /// A declaration by its name.
    pub(super) fn find(&self, kind: Kind, name: &Name) -> Option<&'a Element> {
        self.declared.get(&(kind, name.clone())).copied()
    }

    /// All declarations of a kind.
    pub(super) fn all(&self, kind: Kind) -> impl Iterator<Item = (&Name, &'a Element)> {
        self.declared.iter().filter(move |((own, _), _)| *own == kind).map(|((_, name), element)| (name, *element))
    }

    /// A name in the value of an attribute.
    pub(super) fn qualified(&self, at: &Element, word: &str) -> Result<Name, String> {
        let Some((prefix, local)) = word.split_once(':') else { return Ok(Name::local(word)) };
        let space =
            self.prefixes.get(prefix).ok_or_else(|| format!("the prefix of `{word}` in `{}` is not known", at.name))?;
        Ok(Name { space: Some(space.clone()), local: local.to_owned() })
    }
}
