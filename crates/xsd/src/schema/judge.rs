//! What is wrong with an element.

use super::{
    Complex, Content, Declared, Schema, Type,
    model::{Leaf, Walk},
    simple::Simple,
};
use crate::{
    words::{brief, unknown_attribute},
    xml::{Element, Flaw, Name, Node, Place, is_space},
};

/// The namespace of `xsi:schemaLocation`.
const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// So many flaws of an element are named; then judging stops.
const FLAWS: usize = 200;

impl Schema {
    /// All that is wrong with an element that stands at this path, such as `/iati-activities`. It must be one that the schema declares.
    pub fn judge(&self, element: &Element, path: &str) -> Vec<Flaw> {
        let mut judge = Judge { schema: self, path: path.to_owned(), flaws: Vec::new() };
        match self.elements.get(&element.name) {
            Some(declared) => judge.inside(element, |judge| judge.element(element, *declared)),
            None if element.name.space.is_some() => judge.inside(element, |judge| judge.foreign(element)),
            None => judge.inside(element, |judge| {
                judge.flaw(element.place, "not_allowed", format!("`{}` is no element of the standard", element.name));
            }),
        }
        judge.flaws
    }

    /// What is wrong with the attributes of an element whose content is not read yet.
    pub fn judge_start(&self, element: &Element) -> Vec<Flaw> {
        let mut judge = Judge { schema: self, path: format!("/{}", element.name), flaws: Vec::new() };
        match self.elements.get(&element.name).map(|declared| &self.types[*declared]) {
            Some(Type::Complex(complex)) => judge.attributes(element, Some(complex)),
            _ => judge.flaw(element.place, "not_allowed", format!("`{}` is no element of the standard", element.name)),
        }
        judge.flaws
    }

    /// Goes on to an element in the content of an element whose content is read one by one.
    pub fn step(&self, walk: &mut Walk, parent: &Name, child: &Element) -> Option<Flaw> {
        let model = self.model(parent)?;
        let refusal = walk.step(model, &child.name, parent).err()?;
        Some(Flaw { path: format!("/{parent}/{}", child.name), ..Flaw::new(child.place, refusal.code, refusal.detail) })
    }

    /// The content of such an element ends.
    pub fn end(&self, walk: Walk, parent: &Name, place: Place) -> Option<Flaw> {
        let refusal = walk.end(self.model(parent)?, parent).err()?;
        Some(Flaw { path: format!("/{parent}"), ..Flaw::new(place, refusal.code, refusal.detail) })
    }

    fn model(&self, name: &Name) -> Option<&super::Model> {
        match &self.types[*self.elements.get(name)?] {
            Type::Complex(Complex { content: Content::Elements(model), .. }) => Some(model),
            _ => None,
        }
    }
}

struct Judge<'a> {
    schema: &'a Schema,
    path: String,
    flaws: Vec<Flaw>,
}

impl Judge<'_> {
    fn flaw(&mut self, place: Place, code: &'static str, detail: String) {
        if self.flaws.len() < FLAWS {
            self.flaws.push(Flaw { path: self.path.clone(), ..Flaw::new(place, code, detail) });
        }
    }

    fn inside(&mut self, element: &Element, judge: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        self.path = format!("{}/{}", self.path, element.name);
        judge(self);
        self.path.truncate(length);
    }

    fn element(&mut self, element: &Element, declared: Declared) {
        let schema = self.schema;
        match &schema.types[declared] {
            Type::Simple(simple) => {
                self.attributes(element, None);
                self.text(element, simple);
            }
            Type::Complex(complex) => {
                self.attributes(element, Some(complex));
                match &complex.content {
                    Content::Text(simple) => self.text(element, simple),
                    Content::Elements(model) => self.elements(element, model),
                }
            }
        }
    }

    fn attributes(&mut self, element: &Element, complex: Option<&Complex>) {
        let own = complex.map_or(&[][..], |complex| &complex.attributes);
        for attribute in &element.attributes {
            let name = &attribute.name;
            let length = self.path.len();
            self.path = format!("{}/@{name}", self.path);
            match own.iter().find(|allowed| allowed.name == *name) {
                Some(allowed) => self.value(element.place, &allowed.kind, &attribute.value),
                None if name.space.as_deref() == Some(XSI) => self.instance(element, name),
                None if complex.is_some_and(|complex| complex.is_open) && name.space.is_some() => {
                    if let Some(kind) = self.schema.attributes.get(name) {
                        self.value(element.place, kind, &attribute.value);
                    }
                }
                None => {
                    let known = own.iter().filter(|allowed| allowed.name.space.is_none());
                    let known = known.map(|allowed| allowed.name.local.as_str());
                    let detail = unknown_attribute(&name.to_string(), known);
                    self.flaw(element.place, "not_allowed", detail);
                }
            }
            self.path.truncate(length);
        }
        let is_given = |name: &Name| element.attributes.iter().any(|attribute| attribute.name == *name);
        for allowed in own.iter().filter(|allowed| allowed.is_required && !is_given(&allowed.name)) {
            let wanted = allowed.kind.wanted();
            let detail = format!("the attribute `{}` of `{}` is missing; give {wanted}", allowed.name, element.name);
            self.flaw(element.place, "required", detail);
        }
    }

    /// `xsi:schemaLocation` is a hint that is not followed; an instance must not choose its own types.
    fn instance(&mut self, element: &Element, name: &Name) {
        if !["schemaLocation", "noNamespaceSchemaLocation"].contains(&name.local.as_str()) {
            self.flaw(element.place, "not_allowed", format!("`xsi:{}` is not read; leave it out", name.local));
        }
    }

    fn value(&mut self, place: Place, kind: &Simple, value: &str) {
        if !kind.holds(value) {
            let given = if value.trim().is_empty() { "nothing".into() } else { format!("`{}`", brief(value)) };
            self.flaw(place, "wrong_format", format!("must be {}; here stands {given}", kind.wanted()));
        }
    }

    fn text(&mut self, element: &Element, kind: &Simple) {
        let mut is_text = true;
        for child in element.children() {
            is_text = false;
            let detail = format!("`{}` holds only text; `{}` cannot stand in it", element.name, child.name);
            self.flaw(child.place, "not_allowed", detail);
        }
        if is_text {
            self.value(element.place, kind, &element.text());
        }
    }

    fn elements(&mut self, element: &Element, model: &super::Model) {
        let mut walk = Walk::default();
        let mut is_whole = true;
        for node in &element.content {
            match node {
                Node::Text(text, place) if !text.chars().all(is_space) => {
                    let text = brief(text.trim());
                    let detail = format!("`{}` holds no text of its own; here stands `{text}`", element.name);
                    self.flaw(*place, "not_allowed", detail);
                }
                Node::Text(..) => {}
                Node::Element(child) => {
                    self.inside(child, |judge| match walk.step(model, &child.name, &element.name) {
                        Ok(Leaf::Element(_, declared)) => judge.element(child, *declared),
                        Ok(Leaf::AnyOther) => judge.foreign(child),
                        Err(refusal) => {
                            is_whole = false;
                            judge.flaw(child.place, refusal.code, refusal.detail);
                        }
                    });
                }
            }
        }
        // After an element in the wrong place, what is missing is often only that.
        if is_whole && let Err(refusal) = walk.end(model, &element.name) {
            self.flaw(element.place, refusal.code, refusal.detail);
        }
    }

    /// What a lax wildcard lets through is judged where the schema declares it.
    fn foreign(&mut self, element: &Element) {
        for attribute in &element.attributes {
            if let Some(kind) = self.schema.attributes.get(&attribute.name) {
                self.value(element.place, kind, &attribute.value);
            }
        }
        for child in element.children() {
            let declared = self.schema.elements.get(&child.name).copied();
            self.inside(child, |judge| match declared {
                Some(declared) => judge.element(child, declared),
                None => judge.foreign(child),
            });
        }
    }
}
