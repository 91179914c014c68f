//! What a typed client needs of the document: schemas of what is sent apart from those of what is answered, and schemas of patches.
//!
//! A text is sent as an object of languages or as a bare string, and always answered as an object; a type that could be either would have to be
//! asked at each use. So whatever has texts has two schemas where it is both sent and answered: `Part`, and `PartInput`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

const SCHEMAS: &str = "#/components/schemas/";
const TEXT: &str = "Text";

/// Marks the body of a patch, with the component that the result has to be like.
pub fn patch_of(component: &str) -> Value {
    json!({ PATCHED: component })
}

const PATCHED: &str = "x-patch-of";

/// Tells apart what is sent and what is answered, and writes the schemas of patches. Called when all else is described.
pub fn tell_apart(document: &mut Value) {
    let (sent, answered) = (reached(document, "requestBody"), reached(document, "responses"));
    let with_text = with_text(document);
    let input = |name: &str| format!("{name}Input");
    let renamed: BTreeMap<String, String> = with_text
        .iter()
        .filter(|name| sent.contains(*name) && (answered.contains(*name) || *name == TEXT))
        .map(|name| (name.clone(), input(name)))
        .collect();
    let components = components(document);
    let copies: Vec<(String, Value)> =
        renamed.iter().filter_map(|(name, copy)| Some((copy.clone(), components.get(name)?.clone()))).collect();
    components.extend(copies);
    for name in &with_text {
        let sent_as = renamed.get(name).unwrap_or(name);
        if sent.contains(name)
            && let Some(schema) = components.get_mut(sent_as)
        {
            rename(schema, &renamed);
        }
    }
    if let Some(answer) = components.get(TEXT).and_then(answered_text) {
        components.insert(TEXT.into(), answer);
    }
    for body in operations(document).filter_map(|operation| operation.get_mut("requestBody")) {
        rename(body, &renamed);
    }
    write_patches(document);
}

/// A text as it is answered: the branch of its schema that is an object.
fn answered_text(text: &Value) -> Option<Value> {
    let branches = text.get("oneOf")?.as_array()?;
    let mut object = branches.iter().find(|branch| branch["type"] == "object")?.clone();
    object["description"] =
        "Words by language (ISO 639-1). With the parameter `lang` a string in that language.".into();
    object["examples"] = text["examples"].clone();
    Some(object)
}

fn components(document: &mut Value) -> &mut Map<String, Value> {
    document["components"]["schemas"].as_object_mut().expect("the document has schemas")
}

fn operations(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    paths.flat_map(|(_, item)| item.as_object_mut().into_iter().flatten().map(|(_, operation)| operation))
}

/// Calls with the name of each component that a schema refers to.
fn refer(schema: &Value, found: &mut impl FnMut(&str)) {
    match schema {
        Value::Object(fields) => {
            for name in [fields.get("$ref"), fields.get(PATCHED)].into_iter().flatten().filter_map(Value::as_str) {
                found(name.strip_prefix(SCHEMAS).unwrap_or(name));
            }
            fields.values().for_each(|value| refer(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| refer(value, found)),
        _ => {}
    }
}

/// The components that a part of the operations leads to.
fn reached(document: &Value, part: &str) -> BTreeSet<String> {
    let mut open: Vec<String> = Vec::new();
    let paths = document["paths"].as_object().into_iter().flatten();
    for (_, operation) in paths.flat_map(|(_, item)| item.as_object().into_iter().flatten()) {
        refer(&operation[part], &mut |name| open.push(name.to_owned()));
    }
    let mut all = BTreeSet::new();
    while let Some(name) = open.pop() {
        if all.insert(name.clone()) {
            refer(&document["components"]["schemas"][&name], &mut |inner| open.push(inner.to_owned()));
        }
    }
    all
}

/// The components that have a text somewhere, and that itself.
fn with_text(document: &Value) -> BTreeSet<String> {
    let mut all = BTreeSet::from([TEXT.to_owned()]);
    loop {
        let before = all.len();
        for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
            let mut has = false;
            refer(schema, &mut |inner| has |= all.contains(inner));
            if has {
                all.insert(name.clone());
            }
        }
        if all.len() == before {
            return all;
        }
    }
}

fn rename(schema: &mut Value, renamed: &BTreeMap<String, String>) {
    match schema {
        Value::Object(fields) => {
            if let Some(Value::String(target)) = fields.get_mut("$ref")
                && let Some(name) = target.strip_prefix(SCHEMAS).and_then(|name| renamed.get(name))
            {
                *target = format!("{SCHEMAS}{name}");
            }
            fields.values_mut().for_each(|value| rename(value, renamed));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| rename(value, renamed)),
        _ => {}
    }
}

/// Writes the schemas of all bodies that are patches (RFC 7396).
fn write_patches(document: &mut Value) {
    let mut patches = Patches { components: components(document).clone(), written: Map::new() };
    for operation in operations(document) {
        let content = operation.pointer_mut("/requestBody/content").and_then(Value::as_object_mut);
        for (_, media) in content.into_iter().flatten() {
            let base = media.pointer(&format!("/schema/{PATCHED}")).and_then(Value::as_str).map(str::to_owned);
            if let Some(base) = base {
                media["schema"] = json!({"$ref": format!("{SCHEMAS}{}", patches.write(&base))});
            }
        }
    }
    components(document).extend(patches.written);
}

struct Patches {
    components: Map<String, Value>,
    written: Map<String, Value>,
}

impl Patches {
    /// The name of the patch of a component, which is written the first time.
    fn write(&mut self, base: &str) -> String {
        let stem = ["Change", "Input"].iter().find_map(|end| base.strip_suffix(end)).unwrap_or(base);
        let name = format!("{stem}Patch");
        if self.written.contains_key(&name) {
            return name;
        }
        // Before its fields: one may lead back to it.
        self.written.insert(name.clone(), Value::Null);
        let own = self.components.get(base).cloned().unwrap_or_default();
        let patch = if stem == TEXT { text_patch(&own) } else { self.object(&own) };
        self.written.insert(name.clone(), patch);
        name
    }

    fn object(&mut self, own: &Value) -> Value {
        let required: Vec<&str> = own["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut properties = Map::new();
        for (name, field) in own["properties"].as_object().into_iter().flatten() {
            let field = self.field(field);
            let field = if required.contains(&name.as_str()) { field } else { nullable(field) };
            properties.insert(name.clone(), field);
        }
        let words = own["description"].as_str().unwrap_or_default();
        json!({"type": "object", "additionalProperties": own.get("additionalProperties").cloned().unwrap_or(true.into()), "properties": properties,
            "description": format!("Some fields of it (JSON Merge Patch): what is left out stays, null empties a field. {words}")})
    }

    /// A field of a patch: an object is patched in its turn, all else is replaced.
    fn field(&mut self, field: &Value) -> Value {
        let mut field = field.clone();
        if let Some(target) =
            field.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix(SCHEMAS)).map(str::to_owned)
        {
            let schema = &self.components[&target];
            if target.strip_suffix("Input") == Some(TEXT) || schema.get("properties").is_some() {
                field["$ref"] = format!("{SCHEMAS}{}", self.write(&target)).into();
            }
        } else if let Some(branches) = field.get_mut("oneOf").and_then(Value::as_array_mut) {
            *branches = branches.iter().map(|branch| self.field(branch)).collect();
        } else if field.get("additionalProperties").is_some_and(Value::is_object) {
            field["additionalProperties"] = nullable(field["additionalProperties"].take());
        }
        field
    }
}

fn text_patch(text: &Value) -> Value {
    let mut patch = text.clone();
    patch["description"] =
        "Words by language (ISO 639-1), of which null takes one away; or a bare string in the first configured language.".into();
    for branch in patch["oneOf"].as_array_mut().into_iter().flatten().filter(|branch| branch["type"] == "object") {
        branch["additionalProperties"] = nullable(branch["additionalProperties"].take());
        if let Value::Object(branch) = branch {
            branch.shift_remove("minProperties");
        }
    }
    patch
}

/// The same, or null.
fn nullable(mut schema: Value) -> Value {
    let null = json!({"type": "null"});
    match (schema.get("type").cloned(), schema.get("oneOf").and_then(Value::as_array)) {
        (Some(Value::Array(kinds)), _) if kinds.contains(&json!("null")) => schema,
        (Some(Value::Array(mut kinds)), _) => {
            kinds.push("null".into());
            schema["type"] = kinds.into();
            schema
        }
        (Some(Value::String(kind)), _) if kind != "null" && schema.get("enum").is_none() => {
            schema["type"] = json!([kind, "null"]);
            schema
        }
        (_, Some(branches)) if branches.contains(&null) => schema,
        _ => {
            let description = schema.as_object_mut().and_then(|fields| fields.shift_remove("description"));
            let mut either = json!({"oneOf": [{"type": "null"}, schema]});
            if let Some(description) = description {
                either["description"] = description;
            }
            either
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Value {
        json!({
            "paths": {"/things": {
                "get": {"responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/StoredThing"}}}}}},
                "post": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
                    "responses": {"201": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/StoredThing"}}}}}},
                "patch": {"requestBody": {"content": {"application/merge-patch+json": {"schema": patch_of("Thing")}}}, "responses": {}}}},
            "components": {"schemas": {
                "Text": {"oneOf": [{"type": "string"}, {"type": "object", "minProperties": 1, "additionalProperties": {"type": "string"}}], "examples": []},
                "Money": {"type": "object", "required": ["amount"], "properties": {"amount": {"type": "string"}}},
                "Part": {"type": "object", "properties": {"name": {"$ref": "#/components/schemas/Text"}}},
                "Thing": {"type": "object", "description": "A thing.", "additionalProperties": false, "required": ["title"], "properties": {
                    "title": {"$ref": "#/components/schemas/Text", "description": "Its title."},
                    "money": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Money"}]},
                    "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Part"}},
                    "status": {"type": "string", "enum": ["a"], "description": "How it is."}}},
                "StoredThing": {"type": "object", "properties": {"title": {"$ref": "#/components/schemas/Text"},
                    "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Part"}}}}}}
        })
    }

    #[test]
    fn what_is_sent_and_what_is_answered_have_schemas_of_their_own() {
        let mut document = small();
        tell_apart(&mut document);
        let schemas = &document["components"]["schemas"];
        assert_eq!(schemas["Text"]["type"], "object");
        assert!(schemas["TextInput"]["oneOf"].is_array());
        assert_eq!(schemas["Thing"]["properties"]["title"]["$ref"], "#/components/schemas/TextInput");
        assert_eq!(schemas["Thing"]["properties"]["parts"]["items"]["$ref"], "#/components/schemas/PartInput");
        assert_eq!(schemas["PartInput"]["properties"]["name"]["$ref"], "#/components/schemas/TextInput");
        assert_eq!(schemas["Part"]["properties"]["name"]["$ref"], "#/components/schemas/Text");
        assert_eq!(schemas["StoredThing"], small()["components"]["schemas"]["StoredThing"]);
        assert_eq!(
            document["paths"]["/things"]["get"],
            small()["paths"]["/things"]["get"],
            "nothing is added to what has no body"
        );
        assert!(schemas.get("MoneyInput").is_none() && schemas.get("ThingInput").is_none(), "{schemas}");
    }

    #[test]
    fn a_patch_has_each_field_and_demands_none() {
        let mut document = small();
        tell_apart(&mut document);
        let body =
            &document["paths"]["/things"]["patch"]["requestBody"]["content"]["application/merge-patch+json"]["schema"];
        assert_eq!(body["$ref"], "#/components/schemas/ThingPatch");
        let patch = &document["components"]["schemas"]["ThingPatch"];
        assert!(patch.get("required").is_none());
        assert_eq!(patch["additionalProperties"], false);
        assert_eq!(
            patch["properties"],
            json!({
                "title": {"$ref": "#/components/schemas/TextPatch", "description": "Its title."},
                "money": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/MoneyPatch"}]},
                "parts": {"type": ["array", "null"], "items": {"$ref": "#/components/schemas/PartInput"}},
                "status": {"oneOf": [{"type": "null"}, {"type": "string", "enum": ["a"]}], "description": "How it is."}
            })
        );
        let text = &document["components"]["schemas"]["TextPatch"]["oneOf"][1];
        assert_eq!(
            (&text["additionalProperties"]["type"], text.get("minProperties")),
            (&json!(["string", "null"]), None)
        );
    }
}
