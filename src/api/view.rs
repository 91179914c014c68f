//! Which fields of a resource are shown, which references with their targets, and in which language.

use super::{answer::Form, columns::Columns, format::Format, language, operations::Verb, query::fault, shape::Shape};
use crate::{
    access::Actor,
    base::values::Language,
    repository::{Fault, Resource},
    router::nouns,
};
use crate::{base::text::unknown, error::Error};

/// Which fields of a resource are shown, and which references with what they refer to.
#[derive(Debug, Default, Clone)]
pub struct View {
    /// Only these.
    pub fields: Option<Vec<String>>,
    /// Fields whose target is shown too.
    pub expand: Vec<&'static str>,
    /// Each text is told in this language only.
    pub language: Option<String>,
}

impl View {
    /// Whether the actor may find what would be shown beside.
    pub fn by<R: Resource>(&self, actor: &Actor) -> Result<(), Error> {
        for reference in R::REFERENCES.iter().filter(|reference| self.expand.contains(&reference.field)) {
            if let Some(noun) = nouns().iter().find(|noun| noun.table == reference.table) {
                actor.may(&Verb::Find.of(noun.kind, noun.table))?;
            }
        }
        Ok(())
    }

    /// True when a resource is shown as it is.
    pub fn is_plain(&self) -> bool {
        self.fields.is_none() && self.expand.is_empty() && self.language.is_none()
    }

    /// How rows are written that are shown so.
    pub fn form<R: Resource>(&self, format: Format) -> Form {
        let mut columns = Columns::stored(Shape::of::<R>());
        if let Some(fields) = &self.fields {
            columns = columns.only(|name| fields.iter().any(|field| field == name));
        }
        for reference in R::REFERENCES.iter().filter(|reference| self.expand.contains(&reference.field)) {
            if let Some(noun) = nouns().iter().find(|noun| noun.table == reference.table) {
                columns = columns.with(reference.field.trim_end_matches("_id"), Columns::stored((noun.shape)()));
            }
        }
        Form { format, columns, language: self.language.clone() }
    }

    /// Reads `fields` and `expand`, which are allow-lists, and `lang`.
    pub fn read<R: Resource>(
        fields: Option<&str>,
        expand: Option<&str>,
        lang: Option<Language>,
        faults: &mut Vec<Fault>,
    ) -> Self {
        let own = ["id", "version", "created_at", "updated_at"];
        let shape = Shape::of::<R>();
        let names: Vec<&str> = own.into_iter().chain(shape.properties().map(|(name, _)| name.as_str())).collect();
        let targets: Vec<&str> =
            R::REFERENCES.iter().map(|reference| reference.field.trim_end_matches("_id")).collect();
        let mut view = Self { language: language::asked(lang, faults), ..Self::default() };
        if let Some(fields) = fields {
            let mut wanted = Vec::new();
            for name in fields.split(',').map(str::trim) {
                if names.contains(&name) {
                    wanted.push(name.to_owned());
                } else {
                    faults.push(fault("fields", "unknown_field", unknown("field", name, names.iter().copied())));
                }
            }
            view.fields = Some(wanted);
        }
        for name in expand.into_iter().flat_map(|expand| expand.split(',')).map(str::trim) {
            match targets.iter().position(|target| *target == name) {
                Some(index) => view.expand.push(R::REFERENCES[index].field),
                None => {
                    faults.push(fault("expand", "unknown_field", unknown("reference", name, targets.iter().copied())));
                }
            }
        }
        view
    }
}
