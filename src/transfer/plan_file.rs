//! `PlanFile`: the sections of a plan file, not yet decoded.

use std::{collections::HashSet, fmt};

use serde::{
    Deserializer as _,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{base::text::unknown, error::Error, repository::Faults, router::Noun};

/// The word in `format`.
pub const FORMAT: &str = "mandate-plan/1";

/// The rows of a plan file by section, in the order of the nouns. They borrow from the file, so a large one is in memory only once.
#[derive(Debug)]
pub struct PlanFile<'a> {
    /// One list a noun.
    pub sections: Vec<Vec<&'a RawValue>>,
}

impl<'a> PlanFile<'a> {
    /// Splits a file into its rows, or says all that is wrong with its frame.
    pub fn parse(bytes: &'a [u8], nouns: &[Noun]) -> Result<Self, Error> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            Error::Malformed(format!("the file is not UTF-8: byte {} cannot be read", error.valid_up_to()))
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut frame = Frame {
            nouns,
            seen: HashSet::new(),
            format: None,
            sections: vec![Vec::new(); nouns.len()],
            faults: Faults::default(),
        };
        let mut deserializer = serde_json::Deserializer::from_str(text);
        deserializer.deserialize_any(&mut frame).and_then(|()| deserializer.end()).map_err(|error| broken(&error))?;
        let Frame { format, sections, mut faults, .. } = frame;
        match format.as_deref() {
            Some(FORMAT) => {}
            Some(_) => faults.add("format", "not_allowed", format!("must be \"{FORMAT}\"; other formats are not read")),
            None => faults.add("format", "required", format!("is required: \"{FORMAT}\"")),
        }
        if faults.0.is_empty() { Ok(Self { sections }) } else { Err(Error::Invalid(faults.0)) }
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.sections.iter().map(Vec::len).sum()
    }
}

fn broken(error: &serde_json::Error) -> Error {
    let place = format!("line {}, column {}", error.line(), error.column());
    Error::Malformed(match error.classify() {
        serde_json::error::Category::Eof => "the file ends before the JSON does".into(),
        serde_json::error::Category::Data => "a plan file is an object with `format` and sections".into(),
        _ => format!("the file is not JSON from here on: {place}"),
    })
}

struct Frame<'a, 'n> {
    nouns: &'n [Noun],
    seen: HashSet<String>,
    format: Option<String>,
    sections: Vec<Vec<&'a RawValue>>,
    faults: Faults,
}

impl<'a> Visitor<'a> for &mut Frame<'a, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plan file")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(name) = entries.next_key::<String>()? {
            if !self.seen.insert(name.clone()) {
                self.faults.add(&name, "duplicate", "stands twice; put all rows into one section");
                entries.next_value::<IgnoredAny>()?;
                continue;
            }
            let value: &'a RawValue = entries.next_value()?;
            let section = self.nouns.iter().position(|noun| noun.table == name);
            match (name.as_str(), section) {
                ("format", _) => {
                    self.format = Some(serde_json::from_str(value.get()).unwrap_or_default());
                }
                ("source", _) => self.faults.check(
                    value.get().starts_with('{'),
                    "source",
                    "wrong_type",
                    "must be an object that says where the plan was taken from",
                ),
                (_, Some(section)) => match serde_json::from_str(value.get()) {
                    Ok(rows) => self.sections[section] = rows,
                    Err(_) => self.faults.add(&name, "wrong_type", "must be a list of rows"),
                },
                (_, None) => {
                    let tables = self.nouns.iter().map(|noun| noun.table);
                    let known = tables.chain(["format", "source"]);
                    self.faults.add(&escaped(&name), "unknown_field", unknown("section", &name, known));
                }
            }
        }
        Ok(())
    }
}

/// A name as a step of a JSON Pointer.
pub fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::router::nouns;

    fn faults(text: &str) -> Vec<(String, String, String)> {
        match PlanFile::parse(text.as_bytes(), nouns()) {
            Err(Error::Invalid(faults)) => faults.into_iter().map(|f| (f.pointer, f.code, f.detail)).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn rows_are_sorted_into_sections() {
        let text = "\u{feff}{\"steps\": [{\"code\": \"1\"}, 2], \"format\": \"mandate-plan/1\", \"source\": {}}";
        let file = PlanFile::parse(text.as_bytes(), nouns()).unwrap();
        assert_eq!(file.rows(), 2);
        let steps = nouns().iter().position(|noun| noun.table == "steps").unwrap();
        assert_eq!(file.sections[steps][0].get(), "{\"code\": \"1\"}");
    }

    #[test]
    fn every_fault_of_the_frame_is_named() {
        let found = faults(r#"{"format": "mandate-plan/2", "initiativs": [], "steps": {}, "steps": []}"#);
        let codes: Vec<_> = found.iter().map(|(pointer, code, _)| (pointer.as_str(), code.as_str())).collect();
        assert_eq!(
            codes,
            [
                ("#/initiativs", "unknown_field"),
                ("#/steps", "wrong_type"),
                ("#/steps", "duplicate"),
                ("#/format", "not_allowed")
            ]
        );
        assert!(found[0].2.contains("did you mean `initiatives`?"));
        assert_eq!(faults("{}")[0].1, "required");
    }

    #[test]
    fn what_is_not_json_is_malformed() {
        for text in ["", "{", "[]", "{} x", "{\"format\": }", "7"] {
            let outcome = PlanFile::parse(text.as_bytes(), nouns());
            assert!(matches!(outcome, Err(Error::Malformed(_))), "{text}: {outcome:?}");
        }
    }
}
