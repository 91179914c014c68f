//! `Activities`: a file of IATI activities, one in memory at a time, each judged by the published schema.

use std::{io::BufRead, sync::LazyLock};

use mandate_xsd::{Element, Flaw, Name, Reader, Schema, Step, Walk, compile, is_space};

use crate::{base::text::brief, error::Error, repository::Fault};

/// The versions whose files the schema of 2.03 judges; what came with 2.02 and 2.03 can be left out.
const VERSIONS: [&str; 3] = ["2.01", "2.02", "2.03"];
const ROOT: &str = "iati-activities";

/// The schema of IATI 2.03 as the IATI publishes it.
pub fn schema() -> Result<&'static Schema, Error> {
    static SCHEMA: LazyLock<Result<Schema, String>> = LazyLock::new(|| {
        compile(&[
            include_str!("../../../schemas/iati/2.03/iati-activities-schema.xsd"),
            include_str!("../../../schemas/iati/2.03/iati-common.xsd"),
            include_str!("../../../schemas/iati/2.03/xml.xsd"),
        ])
    });
    SCHEMA.as_ref().map_err(|why| Error::Internal(std::sync::Arc::new(anyhow::anyhow!("the schema of IATI: {why}"))))
}

/// A file of activities.
pub struct Activities<R> {
    reader: Reader<R>,
    schema: &'static Schema,
    root: Element,
    walk: Walk,
    /// What is wrong with the file around its activities.
    flaws: Vec<Flaw>,
}

impl From<Flaw> for Fault {
    /// Points as `line 12, column 5: /iati-activities/iati-activity`.
    fn from(flaw: Flaw) -> Self {
        let Flaw { place, path, code, detail } = flaw;
        let pointer = if path.is_empty() { place.to_string() } else { format!("{place}: {path}") };
        Self { pointer, code: code.into(), detail }
    }
}

/// What stands in a file.
#[derive(Debug)]
pub enum Piece {
    /// An activity that the schema allows.
    Activity(Element),
    /// An activity that is refused: why, and its `iati-identifier` if it has one.
    Refused(Vec<Flaw>, Option<String>),
    /// What is wrong around the activities.
    Around(Vec<Flaw>),
}

impl<R: BufRead> Activities<R> {
    /// Reads the beginning. What is no file of activities of a known version is refused at once.
    pub fn open(source: R, schema: &'static Schema) -> Result<Self, Flaw> {
        let mut reader = Reader::new(source)?;
        let root = loop {
            if let Step::Open(root) = reader.step()? {
                break root;
            }
        };
        let refuse =
            |code, detail: String| Flaw { path: format!("/{}", root.name), ..Flaw::new(root.place, code, detail) };
        if root.name.local == ROOT && root.name.space.is_some() {
            return Err(refuse("not_allowed", format!("IATI has no namespace; write `<{ROOT}>` without `xmlns=`")));
        }
        if root.name.is("iati-organisations") {
            let detail = "this is a file of organisations; only files of activities (`iati-activities`) are imported";
            return Err(refuse("not_allowed", detail.into()));
        }
        if !root.name.is(ROOT) {
            let detail =
                format!("a file of IATI activities begins with `<{ROOT}>`, not with `<{}>`", brief(&root.name.local));
            return Err(refuse("not_allowed", detail));
        }
        // The official test files say `xx`; what is no number is left to the schema, which asks for some text.
        let is_other = |version: &&str| version.trim().parse::<f32>().is_ok() && !VERSIONS.contains(&version.trim());
        if let Some(version) = root.attribute("version").filter(is_other) {
            let detail = format!(
                "the file is IATI {}; only 2.03 is read, and 2.01 and 2.02, which it extends: convert it, and say `version=\"2.03\"`",
                brief(version)
            );
            return Err(refuse("version", detail));
        }
        let flaws = schema.judge_start(&root);
        Ok(Self { reader, schema, root, walk: Walk::default(), flaws })
    }

    /// The attributes of the whole file.
    pub fn root(&self) -> &Element {
        &self.root
    }

    /// What stands next, or nothing at the end of the file. After an error there is no reading on.
    pub fn read(&mut self) -> Result<Option<Piece>, Flaw> {
        let name = &self.root.name;
        loop {
            match self.reader.step()? {
                Step::Open(child) => {
                    let refused = self.schema.step(&mut self.walk, name, &child);
                    let is_activity = child.name.is("iati-activity");
                    let child = self.reader.rest(child)?;
                    // What may not stand there at all is not judged too.
                    let flaws =
                        refused.map_or_else(|| self.schema.judge(&child, &format!("/{name}")), |flaw| vec![flaw]);
                    if !is_activity {
                        self.flaws.extend(flaws);
                    } else if flaws.is_empty() {
                        return Ok(Some(Piece::Activity(child)));
                    } else {
                        return Ok(Some(Piece::Refused(flaws, identifier(&child))));
                    }
                }
                Step::Text(text, place) => {
                    if !text.chars().all(is_space) {
                        let detail = format!("`{name}` holds no text of its own; here stands `{}`", brief(text.trim()));
                        self.flaws.push(Flaw { path: format!("/{name}"), ..Flaw::new(place, "not_allowed", detail) });
                    }
                }
                Step::Close => self.flaws.extend(self.schema.end(self.walk, name, self.root.place)),
                Step::End => {
                    let flaws = std::mem::take(&mut self.flaws);
                    return Ok((!flaws.is_empty()).then_some(Piece::Around(flaws)));
                }
            }
            if self.flaws.len() > 100 {
                return Ok(Some(Piece::Around(std::mem::take(&mut self.flaws))));
            }
        }
    }
}

/// The `iati-identifier` of an activity, without the white space around it.
pub fn identifier(activity: &Element) -> Option<String> {
    let own = Name::local("iati-identifier");
    let text = activity.children().find(|child| child.name == own)?.text();
    let text = text.trim_matches(is_space);
    (!text.is_empty()).then(|| text.to_owned())
}
