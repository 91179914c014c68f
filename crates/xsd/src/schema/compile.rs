//! The documents of a schema, compiled.

use std::collections::HashMap;

use super::{
    Allowed, Complex, Content, Declared, Schema, Type,
    model::{Leaf, Model},
    read::{Kind, Sources},
    simple::{BuiltIn, Simple},
};
use crate::xml::{Element, Name};

/// Compiles a schema from all of its documents, whatever they include and import of each other.
pub fn compile(documents: &[&str]) -> Result<Schema, String> {
    let parsed = documents.iter().map(|text| crate::xml::document(text).map_err(|flaw| flaw.detail));
    let parsed: Vec<Element> = parsed.collect::<Result<_, _>>()?;
    let sources = Sources::read(&parsed)?;
    let mut compiler =
        Compiler { sources: &sources, types: Vec::new(), elements: HashMap::new(), named: HashMap::new() };
    let mut attributes = HashMap::new();
    for (name, element) in sources.all(Kind::Attribute) {
        attributes.insert(name.clone(), compiler.attribute_type(element)?);
    }
    let mut elements = HashMap::new();
    for (name, _) in sources.all(Kind::Element) {
        elements.insert(name.clone(), compiler.global(name)?);
    }
    let types = compiler.types.into_iter().collect::<Option<Vec<Type>>>().ok_or("a type was left out")?;
    Ok(Schema { elements, attributes, types })
}

struct Compiler<'a> {
    sources: &'a Sources<'a>,
    /// A place is kept for a type while it is compiled, because it may hold itself.
    types: Vec<Option<Type>>,
    /// The types of global elements.
    elements: HashMap<Name, Declared>,
    /// The types that have a name.
    named: HashMap<Name, Declared>,
}

impl Compiler<'_> {
    /// The type of a global element.
    fn global(&mut self, name: &Name) -> Result<Declared, String> {
        if let Some(known) = self.elements.get(name) {
            return Ok(*known);
        }
        let element = self.sources.find(Kind::Element, name).ok_or_else(|| format!("no element `{name}`"))?;
        only(element, &["name", "type"], &["complexType", "simpleType"])?;
        self.element(element, Some(name))
    }

    /// The type of an element.
    fn element(&mut self, element: &Element, global: Option<&Name>) -> Result<Declared, String> {
        if let Some(word) = element.attribute("type") {
            let name = self.sources.qualified(element, word)?;
            return self.named(&name);
        }
        let id = self.types.len();
        self.types.push(None);
        self.elements.extend(global.map(|name| (name.clone(), id)));
        self.types[id] = Some(match parts(element).next() {
            Some(inner) if inner.name.local == "complexType" => Type::Complex(self.complex(inner)?),
            Some(inner) => Type::Simple(self.simple(inner)?),
            None => {
                return Err(format!("an element without a type is not known here: {:?}", element.attribute("name")));
            }
        });
        Ok(id)
    }

    /// A type of the schema, or of XML Schema, by its name.
    fn named(&mut self, name: &Name) -> Result<Declared, String> {
        if let Some(known) = self.named.get(name) {
            return Ok(*known);
        }
        let id = self.types.len();
        self.types.push(None);
        self.named.insert(name.clone(), id);
        self.types[id] = Some(match self.sources.find(Kind::Type, name) {
            Some(inner) if inner.name.local == "complexType" => Type::Complex(self.complex(inner)?),
            _ => Type::Simple(self.simple_named(name)?),
        });
        Ok(id)
    }

    fn complex(&mut self, element: &Element) -> Result<Complex, String> {
        only(
            element,
            &["name"],
            &["sequence", "choice", "simpleContent", "complexContent", "attribute", "anyAttribute"],
        )?;
        let mut complex = Complex::default();
        let mut rest = Vec::new();
        for part in parts(element) {
            match part.name.local.as_str() {
                "simpleContent" | "complexContent" => complex = self.extended(part)?,
                _ => rest.push(part),
            }
        }
        self.add(&mut complex, &rest)?;
        Ok(complex)
    }

    fn extended(&mut self, content: &Element) -> Result<Complex, String> {
        only(content, &[], &["extension"])?;
        let extension = parts(content).next().ok_or("content without an extension")?;
        only(extension, &["base"], &["sequence", "choice", "attribute", "anyAttribute"])?;
        let base = extension.attribute("base").ok_or("an extension without a base")?;
        let base = self.named(&self.sources.qualified(extension, base)?)?;
        let mut complex = match &self.types[base] {
            Some(Type::Simple(simple)) => Complex { content: Content::Text(simple.clone()), ..Complex::default() },
            Some(Type::Complex(complex)) => complex.clone(),
            None => return Err("a type extends itself".into()),
        };
        let rest: Vec<&Element> = parts(extension).collect();
        self.add(&mut complex, &rest)?;
        Ok(complex)
    }

    /// Adds particles and attributes.
    fn add(&mut self, complex: &mut Complex, rest: &[&Element]) -> Result<(), String> {
        for part in rest {
            match part.name.local.as_str() {
                "attribute" => complex.attributes.push(self.attribute(part)?),
                "anyAttribute" => {
                    wildcard(part, &["namespace", "processContents"])?;
                    complex.is_open = true;
                }
                _ => {
                    let more = self.particle(part)?;
                    let Content::Elements(model) = &mut complex.content else {
                        return Err("simple content with elements".into());
                    };
                    *model = std::mem::take(model).then(more);
                    if let Some(why) = model.ambiguity() {
                        return Err(why);
                    }
                }
            }
        }
        Ok(())
    }

    fn particle(&mut self, element: &Element) -> Result<Model, String> {
        let model = match element.name.local.as_str() {
            "any" => {
                wildcard(element, &["namespace", "processContents", "minOccurs", "maxOccurs"])?;
                Model::leaf(Leaf::AnyOther)
            }
            "element" if element.attribute("ref").is_some() => {
                only(element, &["ref", "minOccurs", "maxOccurs"], &[])?;
                let name = self.sources.qualified(element, element.attribute("ref").unwrap_or_default())?;
                let declared = self.global(&name)?;
                Model::leaf(Leaf::Element(name, declared))
            }
            "element" => {
                only(element, &["name", "type", "minOccurs", "maxOccurs"], &["complexType", "simpleType"])?;
                let name = Name::local(element.attribute("name").ok_or("an element without a name")?);
                Model::leaf(Leaf::Element(name, self.element(element, None)?))
            }
            kind @ ("sequence" | "choice") => {
                only(element, &["minOccurs", "maxOccurs"], &["element", "any", "sequence", "choice"])?;
                let mut models = Vec::new();
                for part in parts(element) {
                    models.push(self.particle(part)?);
                }
                let models = models.into_iter();
                let joined = if kind == "choice" { models.reduce(Model::or) } else { models.reduce(Model::then) };
                joined.unwrap_or_default()
            }
            other => return Err(format!("`{other}` is not known here")),
        };
        let bound = |name| match element.attribute(name) {
            None => Ok(Some(1)),
            Some("unbounded") => Ok(None),
            Some(word) => word.parse::<u32>().map(Some).map_err(|_| format!("`{word}` is no number of occurrences")),
        };
        model.times(bound("minOccurs")?.ok_or("minOccurs unbounded")?, bound("maxOccurs")?)
    }

    fn attribute(&self, element: &Element) -> Result<Allowed, String> {
        let is_required = match element.attribute("use") {
            Some("required") => true,
            Some("optional") | None => false,
            Some(other) => return Err(format!("`use=\"{other}\"` is not known here")),
        };
        let Some(word) = element.attribute("ref") else {
            let name = Name::local(element.attribute("name").ok_or("an attribute without a name")?);
            return Ok(Allowed { name, is_required, kind: self.attribute_type(element)? });
        };
        only(element, &["ref", "use"], &[])?;
        let name = self.sources.qualified(element, word)?;
        let target = self.sources.find(Kind::Attribute, &name).ok_or_else(|| format!("no attribute `{name}`"))?;
        Ok(Allowed { kind: self.attribute_type(target)?, name, is_required })
    }

    fn attribute_type(&self, element: &Element) -> Result<Simple, String> {
        only(element, &["name", "type", "use"], &["simpleType"])?;
        match (element.attribute("type"), parts(element).next()) {
            (Some(word), _) => self.simple_named(&self.sources.qualified(element, word)?),
            (None, Some(inner)) => self.simple(inner),
            (None, None) => Ok(Simple::BuiltIn(BuiltIn::String)),
        }
    }

    fn simple_named(&self, name: &Name) -> Result<Simple, String> {
        match self.sources.find(Kind::Type, name) {
            Some(inner) if inner.name.local == "simpleType" => self.simple(inner),
            _ if name.space.as_deref() == Some(super::read::XSD) => BuiltIn::named(&name.local)
                .map(Simple::BuiltIn)
                .ok_or_else(|| format!("the type `{}` is not known here", name.local)),
            _ => Err(format!("no simple type `{name}`")),
        }
    }

    fn simple(&self, element: &Element) -> Result<Simple, String> {
        only(element, &["name"], &["union", "restriction"])?;
        let inner = parts(element).next().ok_or("a simple type without a definition")?;
        let named = |word: &str| self.simple_named(&self.sources.qualified(inner, word)?);
        if inner.name.local == "union" {
            only(inner, &["memberTypes"], &["simpleType"])?;
            let words = inner.attribute("memberTypes").unwrap_or_default().split_whitespace();
            let members = words.map(named).chain(parts(inner).map(|part| self.simple(part)));
            return Ok(Simple::Union(members.collect::<Result<_, _>>()?));
        }
        only(inner, &["base"], &["enumeration"])?;
        named(inner.attribute("base").ok_or("a restriction without a base")?)?;
        let words = parts(inner).map(|part| part.attribute("value").map(str::to_owned).ok_or("a value is missing"));
        Ok(Simple::OneOf(words.collect::<Result<_, _>>()?))
    }
}

/// The parts of a declaration that are not for readers.
fn parts(element: &Element) -> impl Iterator<Item = &Element> {
    element.children().filter(|part| part.name.local != "annotation")
}

/// What is not known here is refused: it would be a rule that is left out.
fn only(element: &Element, attributes: &[&str], inner: &[&str]) -> Result<(), String> {
    let own = &element.name.local;
    if let Some(other) =
        element.attributes.iter().find(|a| a.name.space.is_none() && !attributes.contains(&a.name.local.as_str()))
    {
        return Err(format!("the attribute `{}` of `{own}` is not known here", other.name));
    }
    match parts(element).find(|part| !inner.contains(&part.name.local.as_str())) {
        Some(other) => Err(format!("`{}` in `{own}` is not known here", other.name.local)),
        None => Ok(()),
    }
}

fn wildcard(element: &Element, attributes: &[&str]) -> Result<(), String> {
    only(element, attributes, &[])?;
    match (element.attribute("namespace"), element.attribute("processContents")) {
        (Some("##other"), Some("lax")) => Ok(()),
        other => Err(format!("a wildcard of {other:?} is not known here")),
    }
}
