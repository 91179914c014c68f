//! The JSON Schema of a plan file, made from the schemas that judge its rows.

use serde_json::{Map, Value, json};

use super::plan_file::FORMAT;
use crate::{repository::CODED, router::Noun};

/// The schema of a plan file.
pub fn plan_schema(nouns: &[Noun]) -> Value {
    let mut definitions = Map::new();
    for noun in nouns {
        let shape = (noun.shape)();
        if let Some(schemas) = shape.root.pointer("/components/schemas").and_then(Value::as_object) {
            definitions.extend(schemas.clone());
        }
    }
    for noun in nouns {
        if let Some(schema) = definitions.get_mut(&(noun.shape)().name) {
            widen(schema, noun);
        }
    }
    let mut schema = frame(nouns, "#/components/schemas/");
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["$defs"] = Value::Object(definitions);
    relocate(&mut schema);
    schema
}

/// The sections, with their rows at `{prefix}{name}`.
pub fn frame(nouns: &[Noun], prefix: &str) -> Value {
    let mut properties = Map::new();
    properties.insert("format".into(), json!({"const": FORMAT}));
    properties.insert(
        "source".into(),
        json!({"type": "object", "description": "Where the plan was taken from; for readers, not kept."}),
    );
    for noun in nouns {
        let rows = json!({"type": "array", "items": {"$ref": format!("{prefix}{}", (noun.shape)().name)}});
        properties.insert(noun.table.into(), rows);
    }
    json!({
        "title": "Mandate plan file",
        "description": "A plan, one section a noun. A reference is an id, or `external:` and the external_id of a row of this file or of the service; to strategies, entities, funding sources, treaties and forums also `code:` and the code.",
        "type": "object",
        "required": ["format"],
        "additionalProperties": false,
        "properties": properties
    })
}

/// A row may say its id, and refer to others by their external ids, or codes where these are unique.
fn widen(schema: &mut Value, noun: &Noun) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
        return;
    };
    for reference in noun.references {
        if let Some(field) = properties.get_mut(reference.field) {
            let given = field.take();
            let names = if CODED.contains(&reference.table) { "^(external|code):." } else { "^external:." };
            *field = json!({"anyOf": [given, {"type": "string", "pattern": names}]});
        }
    }
    let id =
        json!({"type": "string", "format": "uuid", "description": "The id to keep, or the id of the row to change."});
    properties.insert("id".into(), id);
}

fn relocate(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get_mut("$ref") {
                *reference = reference.replace("#/components/schemas/", "#/$defs/");
            }
            fields.values_mut().for_each(relocate);
        }
        Value::Array(items) => items.iter_mut().for_each(relocate),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::router::nouns;

    #[test]
    fn the_schema_judges_a_file() {
        let judge = jsonschema::options().should_validate_formats(true).build(&plan_schema(nouns())).unwrap();
        let objective = |strategy: &str| {
            json!({"format": FORMAT, "objectives": [
                {"code": "1", "title": "Educație", "strategy_id": strategy}]})
        };
        assert!(judge.is_valid(&objective("external:plan")));
        assert!(judge.is_valid(&objective("code:plan")));
        assert!(!judge.is_valid(&objective("plan")));
        assert!(!judge.is_valid(&json!({"format": "other"})));
        assert!(!judge.is_valid(&json!({"format": FORMAT, "stpes": []})));
    }
}
