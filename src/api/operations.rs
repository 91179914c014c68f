//! The operations of a noun in the OpenAPI document, described once for all.

use serde_json::{Map, Value, json};

use super::{
    document::{add_problems, merge, parameters, problems, with_references},
    format::SUFFIXES,
    history::HistoryParameters,
    query::{FindParameters, ListParameters},
    rehearsal::ChangeParameters,
    shape::{Shape, schemas},
    typed::patch_of,
};
use crate::error::Error;
use crate::{
    access::{Actor, policy::Right},
    repository::Resource,
};

/// What the operations of one noun have in common.
struct Noun {
    /// The component: `Initiative`.
    name: String,
    /// As it is spoken of: `an initiative`.
    spoken: String,
    /// The tag and the path segment: `budget-allocations`.
    plural: String,
    kind: &'static str,
    table: &'static str,
    /// Whether it may be a part of a strategy.
    is_guarded: bool,
}

/// What can be done with a noun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Lists it.
    List,
    /// Creates one.
    Create,
    /// Finds one.
    Find,
    /// Replaces one.
    Replace,
    /// Changes some fields of one.
    Patch,
    /// Deletes one.
    Delete,
    /// Tells the changes of one.
    History,
}

impl Verb {
    /// The operation id: `patch_initiative`.
    pub fn of(self, kind: &str, table: &str) -> String {
        match self {
            Self::List => format!("list_{table}"),
            Self::Create => format!("create_{kind}"),
            Self::Find => format!("find_{kind}"),
            Self::Replace => format!("replace_{kind}"),
            Self::Patch => format!("patch_{kind}"),
            Self::Delete => format!("delete_{kind}"),
            Self::History => format!("history_of_{kind}"),
        }
    }

    /// Whether the actor may do it, and to which things.
    pub fn by<R: Resource>(self, actor: &Actor) -> Result<Right, Error> {
        actor.right(&self.of(R::KIND, R::TABLE))
    }
}

/// Adds the operations and schemas of a noun to the document.
pub fn describe<R: Resource>(document: &mut Value) {
    let spoken = R::KIND.replace('_', " ");
    let article = if spoken.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
    let noun = Noun {
        name: Shape::of::<R>().name.clone(),
        spoken: format!("{article} {spoken}"),
        plural: R::TABLE.replace('_', "-"),
        kind: R::KIND,
        table: R::TABLE,
        is_guarded: !R::PARENTS.is_empty(),
    };
    let components = &mut document["components"]["schemas"];
    merge(components, schemas::<R>());
    let filter = Shape::of::<R::Filter>();
    let mut of_filter = filter.root["components"]["schemas"].as_object().cloned().unwrap_or_default();
    of_filter.shift_remove(&filter.name);
    merge(components, of_filter);
    let own = components[&noun.name].clone();
    components[noun.stored()] = stored_schema(&own);
    with_references(&mut components[&noun.name]);
    if let Some(tags) = document["tags"].as_array_mut() {
        tags.push(json!({"name": noun.plural, "description": own["description"]}));
    }
    let path = format!("/v1/{}", noun.plural);
    document["paths"][&path] = noun.collection(parameters::<R::Filter>());
    document["paths"][format!("{path}/{{id}}")] = noun.single(R::APPEND_ONLY);
    document["paths"][format!("{path}/{{id}}/history")] = noun.history();
}

fn stored_schema(own: &Value) -> Value {
    let mut properties = json!({
        "id": {"type": "string", "format": "uuid", "description": "Made by the service."},
        "version": {"type": "integer", "minimum": 1, "description": "Counts the changes; it is the ETag."},
        "created_at": {"type": "string", "format": "date-time", "description": "When it was first written."},
        "updated_at": {"type": "string", "format": "date-time", "description": "When it was last written."}
    });
    merge(&mut properties, own["properties"].as_object().cloned().unwrap_or_default());
    let mut required = vec![json!("id"), json!("version"), json!("created_at"), json!("updated_at")];
    required.extend(own["required"].as_array().cloned().unwrap_or_default());
    json!({"type": "object", "description": own["description"], "required": required, "properties": properties})
}

fn header(name: &str, description: &str, example: &str) -> Value {
    json!({"name": name, "in": "header", "description": description, "schema": {"type": "string"}, "example": example})
}

fn id() -> Value {
    json!({"name": "id", "in": "path", "required": true, "schema": {"type": "string", "minLength": 1},
        "description": "The id that the service gave, or `external:` and your own.", "example": "external:erp-4711"})
}

fn if_match() -> Value {
    header("If-Match", "The version that you have read, in quotes; `*` for any.", "\"3\"")
}

/// The header of a reading that may be had already.
pub fn if_none_match() -> Value {
    header("If-None-Match", "The ETag that you have; the answer is 304 when it is still good.", "\"3\"")
}

fn reason() -> Value {
    header(
        "Mandate-Reason",
        "Why; kept in the record. A strategy in force needs it for what weighs, a closed one for every change, and each strategy for another status. Percent-encoded UTF-8, a value of RFC 8187, or raw UTF-8; at most 1000 characters.",
        "agreed in the council of 12 May",
    )
}

/// What a write answers besides the resource.
fn receipt() -> Value {
    json!({"description": "The change in the log: its id, and the hash of its leaf in base64. Kept by the writer, it proves an omission; see /v1/changes/{id}/proof.",
        "schema": {"type": "string"}, "example": "0192f0c0-0000-7000-8000-000000000001; leaf=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="})
}

/// What is answered when it is.
pub fn not_modified() -> Value {
    json!({"description": "You have it already."})
}

fn body(media_type: &str, schema: &Value) -> Value {
    json!({"required": true, "content": {media_type: {"schema": schema}}})
}

/// An answer in every format of lists: JSON with its schema, and the others by suffix. They are no content of their own, because a typed client
/// would have to tell a page from a string at each use.
pub fn formats(description: &str, json_schema: &Value) -> Value {
    let others: Map<String, Value> = SUFFIXES
        .iter()
        .map(|(suffix, format)| {
            ((*suffix).to_owned(), format.media_type().split(';').next().unwrap_or_default().into())
        })
        .collect();
    json!({"description": description, "content": {"application/json": {"schema": json_schema}}, "x-formats": others})
}

/// The answers of a reading that has no pages: all rows of a schema in every format, not modified, and these problems.
pub fn of_whole(description: &str, schema: &str, wrong: &[&str]) -> Map<String, Value> {
    let rows = json!({"type": "object", "required": ["items"], "properties": {
        "items": {"type": "array", "items": {"$ref": format!("#/components/schemas/{schema}")}},
        "withheld": {"type": "object", "additionalProperties": {"type": "integer"},
            "description": "To readers who may not see all: how many rows of the nouns that were read are above them, by noun, of all there are. The header Mandate-Withheld has the same in every format."},
        "as_of": {"type": "string", "format": "date-time", "description": "The past moment, when asked for."}}});
    let mut responses = problems(wrong);
    responses.insert("200".into(), formats(description, &rows));
    responses.insert("304".into(), not_modified());
    responses
}

impl Noun {
    fn stored(&self) -> String {
        format!("Stored{}", self.name)
    }

    fn reference(&self) -> Value {
        json!({"$ref": format!("#/components/schemas/{}", self.stored())})
    }

    fn input(&self) -> Value {
        json!({"$ref": format!("#/components/schemas/{}", self.name)})
    }

    fn answer(&self, words: &str) -> Value {
        json!({"description": words,
            "headers": {"ETag": {"description": "The version, in quotes.", "schema": {"type": "string"}}},
            "content": {"application/json": {"schema": self.reference()}}})
    }

    fn written(&self, words: &str) -> Value {
        let mut answer = self.answer(words);
        answer["headers"]["Mandate-Receipt"] = receipt();
        answer
    }

    fn operation(&self, verb: Verb, summary: &str, parameters: &[Value], ok: (&str, Value), wrong: &[&str]) -> Value {
        let mut responses: Map<String, Value> = problems(wrong);
        responses.insert(ok.0.into(), ok.1);
        json!({"operationId": verb.of(self.kind, self.table), "tags": [self.plural], "summary": summary, "parameters": parameters, "responses": responses})
    }

    fn collection(&self, filter: Vec<Value>) -> Value {
        let mut parameters = parameters::<ListParameters>();
        parameters.extend(filter);
        parameters.push(if_none_match());
        let page = json!({"type": "object", "required": ["items", "next"], "properties": {
            "items": {"type": "array", "items": self.reference()},
            "next": {"type": ["string", "null"], "description": "What to give as `after` for the next page; null at the end."},
            "count": {"type": "integer", "description": "The exact number, when asked for."},
            "withheld": {"type": "integer", "description": "With `count`: how many of these nouns the reader may not see, of all there are, whatever the filter."},
            "as_of": {"type": "string", "format": "date-time", "description": "The past moment, when asked for."}}});
        let listed = formats("A page, or the whole list as CSV or NDJSON.", &page);
        let summary = format!("Lists {}.", self.plural.replace('-', " "));
        let mut list = self.operation(Verb::List, &summary, &parameters, ("200", listed), &["not_acceptable"]);
        list["responses"]["304"] = not_modified();
        let mut create = self.operation(
            Verb::Create,
            &format!("Creates {}.", self.spoken),
            &[reason()],
            ("201", self.written("It is created.")),
            &["conflict", "too_large", "unsupported_media_type", "invalid"],
        );
        self.add_guard(&mut create);
        create["requestBody"] = body("application/json", &self.input());
        json!({"get": list, "post": create})
    }

    fn single(&self, is_append_only: bool) -> Value {
        const CHANGE: [&str; 7] =
            ["conflict", "deleted", "stale", "too_large", "unsupported_media_type", "invalid", "version_required"];
        let write = || [id(), if_match(), reason()];
        let owing = || {
            let mut parameters = write();
            parameters[1]["required"] = true.into();
            parameters
        };
        let mut asked = vec![id(), if_none_match()];
        asked.extend(parameters::<FindParameters>());
        let mut find = self.operation(
            Verb::Find,
            &format!("Finds {}.", self.spoken),
            &asked,
            ("200", self.answer("Here it is.")),
            &["deleted"],
        );
        find["responses"]["304"] = not_modified();
        if is_append_only {
            return json!({"get": find});
        }
        let mut replace = self.operation(
            Verb::Replace,
            &format!("Replaces {}; under an external id that is not there yet, creates it.", self.spoken),
            &write(),
            ("200", self.written("It is replaced.")),
            &[&CHANGE[..], &["absent"]].concat(),
        );
        self.add_guard(&mut replace);
        replace["responses"]["201"] = self.written("It is created.");
        replace["requestBody"] = body("application/json", &self.input());
        let mut patch = self.operation(
            Verb::Patch,
            &format!("Changes some fields of {} (JSON Merge Patch).", self.spoken),
            &[&owing()[..], &parameters::<ChangeParameters>()].concat(),
            (
                "200",
                self.written("It is changed; with `dry_run`, what it would be, and in `dry_run` who would see what."),
            ),
            &CHANGE,
        );
        self.add_guard(&mut patch);
        patch["requestBody"] = body("application/merge-patch+json", &patch_of(&self.name));
        let mut delete = self.operation(
            Verb::Delete,
            &format!("Deletes {}; the record keeps it.", self.spoken),
            &owing(),
            ("204", json!({"description": "It is deleted.", "headers": {"Mandate-Receipt": receipt()}})),
            &["conflict", "deleted", "stale", "version_required"],
        );
        self.add_guard(&mut delete);
        json!({"get": find, "put": replace, "patch": patch, "delete": delete})
    }

    /// Adds the problems that the guard of plans makes: no reason for what weighs, and an archived strategy.
    fn add_guard(&self, operation: &mut Value) {
        if self.is_guarded {
            add_problems(operation, &["archived", "invalid"]);
        }
    }

    fn history(&self) -> Value {
        let mut asked = vec![id()];
        asked.extend(parameters::<HistoryParameters>());
        let changes = formats("The changes, newest first.", &json!({"$ref": "#/components/schemas/History"}));
        let mut history = self.operation(
            Verb::History,
            &format!("Tells the changes of {}, also when it is deleted.", self.spoken),
            &asked,
            ("200", changes),
            &["not_acceptable"],
        );
        history["responses"]["304"] = not_modified();
        json!({"get": history})
    }
}
