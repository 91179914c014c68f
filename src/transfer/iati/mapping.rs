//! An activity as a contribution, with its partners.

mod money;
mod results;
mod shares;

use mandate_xsd::{Element, Flaw};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    Settings,
    codes::{self, Codes},
    file::identifier,
    identifier::{LONGEST, external},
    part::{LeftOut, Listing, Part},
};
use crate::{
    base::{
        text::brief,
        values::{codelists, languages},
    },
    nouns::international::contributions::{MOST_DOCUMENTS, MOST_RESULTS},
};

/// What a file is read with.
#[derive(Debug)]
pub struct Given {
    /// `given` or `received`.
    pub direction: String,
    /// The language of narratives that name none, and whose activity names none.
    pub language: Option<String>,
    /// The organisation that publishes for the service.
    pub ours: Settings,
    /// How far new contributions may be known; not given: as one that says nothing.
    pub classification: Option<String>,
    /// Whether the activities that can be taken are taken, where others are refused.
    pub partial: bool,
}

/// An activity as rows.
#[derive(Debug)]
pub struct Draft {
    /// The line of the activity.
    pub line: usize,
    /// Its `iati-identifier`.
    pub external_id: Option<String>,
    /// The id of the contribution, where the identifier was made of it by an export.
    pub id: Option<Uuid>,
    /// The fields that an activity has a place for.
    pub fields: Map<String, Value>,
    /// The fields of its partners.
    pub partners: Vec<Map<String, Value>>,
    /// What has no place.
    pub left_out: Vec<LeftOut>,
    /// Why it cannot be a contribution at all.
    pub flaws: Vec<Flaw>,
}

/// Maps an activity that the schema allows.
pub fn draft(activity: Element, given: &Given) -> Draft {
    let (line, place) = (activity.place.line, activity.place);
    let identifier = identifier(&activity);
    let mut flaws = Vec::new();
    let mut refuse = |name: &str, code, detail: &str| {
        flaws.push(Flaw { path: format!("/iati-activities/iati-activity/{name}"), ..Flaw::new(place, code, detail) });
    };
    let mut activity = Part::activity(activity);
    let language = activity.language().and_then(|word| known_language(&word));
    let language = language.or_else(|| given.language.clone()).unwrap_or_else(|| languages()[0].clone());
    let mut mapper = Mapper { listing: Listing::default(), language, currency: None };
    let mut fields = Map::new();
    fields.insert("direction".into(), json!(given.direction));
    let id = match (&identifier, &given.ours.reference) {
        (Some(word), Some(ours)) => {
            let rest = word.strip_prefix(ours.as_str()).and_then(|rest| rest.strip_prefix('-'));
            rest.and_then(|rest| Uuid::try_parse(rest).ok())
        }
        _ => None,
    };
    if let Some(mut part) = activity.one("iati-identifier") {
        part.words();
        match &identifier {
            None => {
                part.leave("text()", &mut mapper.listing, "is empty, so every import makes a contribution of its own");
            }
            Some(word) if external(word).chars().count() > LONGEST => {
                refuse("iati-identifier", "wrong_format", "an identifier has at most 200 characters");
            }
            Some(_) => {}
        }
        part.rest(&mut mapper.listing);
    }
    mapper.reporter(&mut activity, &given.ours);
    mapper.currency = mapper.code(&mut activity, "default-currency", codelists::is_currency);
    fields.insert("default_currency".into(), json!(mapper.currency));
    match activity.one("title").and_then(|part| mapper.text(part)) {
        Some(title) => drop(fields.insert("title".into(), title)),
        None => refuse("title", "required", "a contribution needs a title: write words into a `narrative`"),
    }
    mapper.descriptions(&mut activity, &mut fields);
    let partners = activity.all("participating-org").into_iter().filter_map(|part| mapper.partner(part)).collect();
    let status = activity.one("activity-status").map(|part| mapper.status(part));
    fields.insert("status".into(), json!(status));
    mapper.dates(&mut activity, &mut fields);
    mapper.recipients(&mut activity, &mut fields);
    mapper.themes(&mut activity, &mut fields);
    mapper.money(&mut activity, &mut fields);
    let documents = mapper.first(&mut activity, "document-link", MOST_DOCUMENTS);
    let documents = documents.into_iter().filter_map(|part| mapper.document(part));
    fields.insert("documents".into(), documents.collect());
    let results = mapper.first(&mut activity, "result", MOST_RESULTS);
    let results = results.into_iter().filter_map(|part| mapper.result(part));
    fields.insert("results".into(), results.collect());
    activity.rest(&mut mapper.listing);
    let external_id = identifier.filter(|_| id.is_none()).map(|word| external(&word));
    Draft { line, external_id, id, fields, partners, left_out: mapper.listing.0, flaws }
}

/// What holds for a whole activity while it is mapped.
struct Mapper {
    listing: Listing,
    language: String,
    currency: Option<String>,
}

impl Mapper {
    /// The first elements of a name; those beyond what a contribution can hold are listed.
    fn first(&mut self, part: &mut Part, name: &str, most: usize) -> Vec<Part> {
        let mut all = part.all(name);
        for one in all.split_off(all.len().min(most)) {
            one.refuse(&mut self.listing, &format!("a contribution has at most {most} of them"));
        }
        all
    }

    fn code(&mut self, part: &mut Part, name: &str, is_known: impl Fn(&str) -> bool) -> Option<String> {
        part.code(name, &mut self.listing, is_known)
    }

    /// The word of a coded attribute.
    fn word(&mut self, part: &mut Part, name: &str, codes: Codes) -> Option<&'static str> {
        let code = self.code(part, name, |code| codes::word(codes, code).is_some())?;
        codes::word(codes, &code)
    }

    /// The narratives of an element as words by language; the rest of it is listed.
    fn text(&mut self, mut part: Part) -> Option<Value> {
        let words = self.narratives(&mut part);
        part.rest(&mut self.listing);
        words
    }

    fn narratives(&mut self, part: &mut Part) -> Option<Value> {
        let mut words = Map::new();
        for mut narrative in part.all("narrative") {
            let own = narrative.language();
            let language = own.as_deref().map_or_else(|| Some(self.language.clone()), known_language);
            let text = narrative.words();
            match language {
                _ if text.is_empty() => {}
                Some(language) if !words.contains_key(&language) => drop(words.insert(language, text.into())),
                Some(language) => {
                    narrative.leave(
                        "text()",
                        &mut self.listing,
                        &format!("there is a narrative in `{language}` already"),
                    );
                }
                None => {
                    let own = own.unwrap_or_default();
                    let why = format!("`{}` is no language of ISO 639-1", brief(&own));
                    narrative.leave("text()", &mut self.listing, &why);
                }
            }
            narrative.rest(&mut self.listing);
        }
        (!words.is_empty()).then_some(Value::Object(words))
    }

    /// A day of an attribute.
    fn day(&mut self, part: &mut Part, name: &str) -> Option<String> {
        let word = part.attribute(name)?;
        let day = word.get(..10).filter(|day| day.parse::<chrono::NaiveDate>().is_ok() && !word.starts_with('-'));
        let why = match day {
            None => "is no day of the years 1 to 9999",
            Some(day) if day.len() < word.len() => "the time zone of a day",
            Some(_) => return day.map(str::to_owned),
        };
        part.leave(&format!("@{name}"), &mut self.listing, why);
        day.map(str::to_owned)
    }

    /// The day of a child such as `period-start`.
    fn day_of(&mut self, part: &mut Part, child: &str) -> Option<String> {
        let mut child = part.one(child)?;
        let day = self.day(&mut child, "iso-date");
        child.rest(&mut self.listing);
        day
    }

    fn reporter(&mut self, activity: &mut Part, ours: &Settings) {
        let Some(mut part) = activity.one("reporting-org") else { return };
        let reference = part.attribute("ref");
        if reference.is_some() && ours.reference == reference {
            // Its type and name are settings.
            let _ = (part.attribute("type"), part.all("narrative"));
            part.rest(&mut self.listing);
        } else {
            let other = brief(reference.as_deref().unwrap_or_default()).into_owned();
            part.refuse(&mut self.listing, &format!("`{other}` is not the organisation of MANDATE_IATI_ORG_REF"));
        }
    }

    fn descriptions(&mut self, activity: &mut Part, fields: &mut Map<String, Value>) {
        for (_, field) in codes::DESCRIPTIONS {
            fields.insert((*field).into(), Value::Null);
        }
        for mut part in activity.all("description") {
            let code = part.attribute("type");
            let field = codes::word(codes::DESCRIPTIONS, code.as_deref().unwrap_or("1"));
            match field {
                Some(field) if fields[field].is_null() => {
                    let text = self.text(part);
                    fields.insert(field.into(), json!(text));
                }
                Some(_) => part.refuse(&mut self.listing, "there is one of this type already"),
                None => part.refuse(&mut self.listing, "only the types 1, 2 and 3 have a place"),
            }
        }
    }

    fn status(&mut self, mut part: Part) -> &'static str {
        let code = part.attribute("code").unwrap_or_default();
        let status = codes::word(codes::STATUSES, &code).unwrap_or_else(|| {
            let why = format!("`{}` is no status of the standard; `pipeline` stands in its place", brief(&code));
            part.leave("@code", &mut self.listing, &why);
            "pipeline"
        });
        part.rest(&mut self.listing);
        status
    }

    fn dates(&mut self, activity: &mut Part, fields: &mut Map<String, Value>) {
        for (_, field) in codes::DATES {
            fields.insert((*field).into(), Value::Null);
        }
        for mut part in activity.all("activity-date") {
            let code = part.attribute("type").unwrap_or_default();
            match codes::word(codes::DATES, &code) {
                Some(field) if fields[field].is_null() => {
                    let day = self.day(&mut part, "iso-date");
                    fields.insert(field.into(), json!(day));
                    part.rest(&mut self.listing);
                }
                Some(_) => part.refuse(&mut self.listing, "there is one of this type already"),
                None => part.refuse(&mut self.listing, &format!("`{}` is no type of the standard", brief(&code))),
            }
        }
    }

    fn partner(&mut self, mut part: Part) -> Option<Map<String, Value>> {
        let code = part.attribute("role").unwrap_or_default();
        let Some(role) = codes::word(codes::ROLES, &code) else {
            part.refuse(&mut self.listing, &format!("`{}` is no role of the standard", brief(&code)));
            return None;
        };
        let party = self.organisation(&mut part, "activity-id");
        part.rest(&mut self.listing);
        let mut party = party?;
        // A partner has a name; the identifier is one.
        if party["name"].is_null() {
            party.insert("name".into(), json!({self.language.as_str(): party["reference"]}));
        }
        party.insert("role".into(), role.into());
        Some(party)
    }

    /// An organisation by name and identifier; nothing when it has neither.
    fn organisation(&mut self, part: &mut Part, activity: &str) -> Option<Map<String, Value>> {
        let is_identifier = |word: &str| word.len() <= 200 && !word.contains(char::is_whitespace);
        let name = self.narratives(part);
        let reference = self.code(part, "ref", is_identifier);
        let kind = self.code(part, "type", codelists::is_organisation_type);
        let activity = self.code(part, activity, is_identifier);
        if name.is_none() && reference.is_none() {
            part.leave("text()", &mut self.listing, "has neither a narrative nor a ref, so there is nobody to name");
            return None;
        }
        let party =
            json!({"name": name, "reference": reference, "organisation_type": kind, "activity_reference": activity});
        match party {
            Value::Object(party) => Some(party),
            _ => None,
        }
    }

    fn document(&mut self, mut part: Part) -> Option<Value> {
        let url = part.attribute("url").unwrap_or_default();
        if !is_url(&url) {
            part.refuse(&mut self.listing, &format!("`{}` is no address of the web", brief(&url)));
            return None;
        }
        let Some(title) = part.one("title").and_then(|title| self.text(title)) else {
            part.refuse(&mut self.listing, "has no title");
            return None;
        };
        let description = part.one("description").and_then(|description| self.text(description));
        let is_format = |word: &str| {
            let is_word =
                |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || ".+_-".contains(c));
            word.len() <= 200 && word.split_once('/').is_some_and(|(kind, rest)| is_word(kind) && is_word(rest))
        };
        let format = self.code(&mut part, "format", is_format);
        let is_category = |word: &str| {
            word.len() == 3 && word.starts_with(['A', 'B']) && word[1..].bytes().all(|byte| byte.is_ascii_digit())
        };
        let mut category = None;
        for mut one in part.all("category") {
            if category.is_none() {
                category = self.code(&mut one, "code", is_category);
                one.rest(&mut self.listing);
            } else {
                one.refuse(&mut self.listing, "a document has one category");
            }
        }
        let mut languages: Vec<String> = Vec::new();
        for mut one in part.all("language") {
            let language = self.code(&mut one, "code", |word| known_language(word).is_some());
            languages.extend(language.and_then(|word| known_language(&word)).filter(|word| !languages.contains(word)));
            one.rest(&mut self.listing);
        }
        let dated_on = self.day_of(&mut part, "document-date");
        part.rest(&mut self.listing);
        Some(json!({"url": url, "title": title, "description": description, "format": format, "category": category,
            "languages": languages, "dated_on": dated_on}))
    }
}

fn is_url(word: &str) -> bool {
    let rest = word.strip_prefix("https://").or_else(|| word.strip_prefix("http://"));
    word.len() <= 2000 && rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace))
}

/// The language of a tag such as `en` or `en-GB`, where ISO 639-1 has it.
fn known_language(tag: &str) -> Option<String> {
    let language = tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
    codelists::is_language(&language).then_some(language)
}
