//! The service, or one strategy, as a plan file.

mod belonging;

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use self::belonging::{Chosen, Names, Rows, belonging, names_of_targets};
use super::plan_file::FORMAT;
use crate::{api::answer::internal, error::Error, nouns::plan::deadlines::Deadline, repository, router::Noun};

/// Rows of a statement.
const CHUNK: usize = 500;

/// A plan file as it is written.
#[derive(Debug)]
pub struct Exported {
    /// The file.
    pub bytes: Vec<u8>,
    /// Rows that tie the strategy to another one; they stand in `source.left_out` of the file.
    pub left_out: usize,
}

/// Writes the plan file of everything, or of one strategy: what belongs to it, and all that this refers to, directly or not. The file of one
/// strategy can be imported where there is no other; so a dependency on another strategy is no row of it, but stands in `source.left_out`.
/// It is read out of one snapshot, and the same content gives the same bytes.
pub async fn export(
    connection: &mut PgConnection,
    nouns: &'static [Noun],
    strategy: Option<Uuid>,
) -> Result<Exported, Error> {
    let mut transaction = repository::snapshot(connection).await?;
    repository::plan_anew(&mut transaction).await?;
    let chosen = match strategy {
        Some(strategy) => Some(belonging(&mut transaction, nouns, strategy).await?),
        None => None,
    };
    let exported = write(&mut transaction, nouns, chosen.as_ref()).await?;
    transaction.rollback().await?;
    Ok(exported)
}

/// The id of the strategy with this id, external id (also as `external:...`) or code (also as `code:...`).
pub async fn strategy_id(connection: &mut PgConnection, word: &str) -> Result<Uuid, Error> {
    let ids: Vec<Uuid> = match (word.split_once(':'), Uuid::try_parse(word)) {
        (Some(("external", name)), _) => {
            let query = sqlx::query_scalar("select id from strategies where external_id = $1");
            query.bind(name).fetch_all(&mut *connection).await?
        }
        (Some(("code", code)), _) => {
            let query = sqlx::query_scalar("select id from strategies where code = $1");
            query.bind(code).fetch_all(&mut *connection).await?
        }
        (_, Ok(id)) => {
            let query = sqlx::query_scalar("select id from strategies where id = $1");
            query.bind(id).fetch_all(&mut *connection).await?
        }
        (_, Err(_)) => {
            let query = sqlx::query_scalar(
                "select id from strategies where external_id = $1 or code = $1 order by external_id = $1 desc",
            );
            query.bind(word).fetch_all(&mut *connection).await?
        }
    };
    ids.first()
        .copied()
        .ok_or_else(|| Error::NotFound(format!("there is no strategy with the id, external id or code `{word}`")))
}

async fn write(
    connection: &mut PgConnection,
    nouns: &'static [Noun],
    chosen: Option<&Chosen>,
) -> Result<Exported, Error> {
    let mut names = Names::new();
    let mut sections = Vec::new();
    for noun in nouns {
        let rows = order(connection, noun, chosen.map(|chosen| &chosen.rows)).await?;
        let own = names.entry(noun.table).or_default();
        own.extend(rows.iter().filter_map(|(id, name)| Some((*id, name.clone()?))));
        sections.push((noun, rows));
    }
    let mut bytes = format!("{{\n  \"format\": \"{FORMAT}\"").into_bytes();
    let mut left_out = 0;
    if let Some(ties) = chosen.map(|chosen| &chosen.ties).filter(|ties| !ties.is_empty()) {
        let (count, sections) = tied(connection, nouns, ties, &names).await?;
        left_out = count;
        bytes.extend(format!(",\n  \"source\": {}", json!({"left_out": sections})).into_bytes());
    }
    for (noun, rows) in sections.into_iter().filter(|(_, rows)| !rows.is_empty()) {
        bytes.extend(format!(",\n  \"{}\": [", noun.table).into_bytes());
        let mut separator = "\n    ";
        for chunk in rows.chunks(CHUNK) {
            let ids: Vec<Uuid> = chunk.iter().map(|(id, _)| *id).collect();
            let mut found: HashMap<String, Value> = (noun.fetch)(connection, &ids)
                .await?
                .into_iter()
                .filter_map(|row| Some((row.get("id")?.as_str()?.to_owned(), row)))
                .collect();
            for id in ids {
                let Some(Value::Object(row)) = found.remove(&id.to_string()) else {
                    continue;
                };
                bytes.extend(separator.as_bytes());
                serde_json::to_writer(&mut bytes, &body(noun, row, &names)).map_err(internal)?;
                separator = ",\n    ";
            }
        }
        bytes.extend(b"\n  ]");
    }
    bytes.extend(b"\n}\n");
    Ok(Exported { bytes, left_out })
}

/// The rows that tie a strategy to others, as they would be posted where the others are, and how many they are.
async fn tied(
    connection: &mut PgConnection,
    nouns: &'static [Noun],
    ties: &Rows,
    names: &Names,
) -> Result<(usize, Map<String, Value>), Error> {
    let (mut count, mut sections) = (0, Map::new());
    for noun in nouns.iter().filter(|noun| ties.contains_key(noun.table)) {
        let ids: Vec<Uuid> = order(connection, noun, Some(ties)).await?.into_iter().map(|(id, _)| id).collect();
        let names = names_of_targets(connection, noun, &ids, names.clone()).await?;
        let mut found: HashMap<String, Value> = HashMap::new();
        for row in (noun.fetch)(connection, &ids).await? {
            found.insert(row["id"].as_str().unwrap_or_default().to_owned(), row);
        }
        count += ids.len();
        let row = |id: &Uuid| match found.remove(&id.to_string())? {
            Value::Object(row) => Some(body(noun, row, &names)),
            _ => None,
        };
        sections.insert(noun.table.into(), ids.iter().filter_map(row).collect());
    }
    Ok((count, sections))
}

/// The ids and external ids of a section, in the order of the file.
async fn order(
    connection: &mut PgConnection,
    noun: &Noun,
    chosen: Option<&Rows>,
) -> Result<Vec<(Uuid, Option<String>)>, Error> {
    let has_code = (noun.shape)().properties().any(|(name, _)| name == "code");
    let code = if has_code { "code_order" } else { "''" };
    let sql = format!(
        "select id, external_id from {} where $1 is null or id = any($1) \
         order by {code} collate \"C\", external_id collate \"C\" nulls last, id",
        noun.table
    );
    let none = HashSet::new();
    let ids: Option<Vec<Uuid>> = chosen.map(|chosen| chosen.get(noun.table).unwrap_or(&none).iter().copied().collect());
    Ok(sqlx::query_as(AssertSqlSafe(sql)).bind(ids).fetch_all(connection).await?)
}

/// What a client would post to make this row.
fn body(noun: &Noun, row: Map<String, Value>, names: &Names) -> Value {
    let is_named = row.get("external_id").is_some_and(Value::is_string);
    let mut body = Map::new();
    for (field, mut value) in row {
        let left_out = match field.as_str() {
            "version" | "created_at" | "updated_at" => true,
            "id" => is_named,
            _ => false,
        };
        if left_out || is_empty(&value) {
            continue;
        }
        if let Value::Object(deadline) = &mut value
            && field == "deadline"
        {
            forget_what_the_words_say(deadline);
        }
        if let Some(reference) = noun.references.iter().find(|reference| reference.field == field)
            && let Some(id) = value.as_str().and_then(|id| Uuid::try_parse(id).ok())
            && let Some(name) = names.get(reference.table).and_then(|names| names.get(&id))
        {
            value = format!("external:{name}").into();
        }
        strip(&mut value);
        body.insert(field, value);
    }
    Value::Object(body)
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !is_empty(value));
            fields.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

/// Leaves the words of a deadline alone, when the service reads the same out of them again.
fn forget_what_the_words_say(deadline: &mut Map<String, Value>) {
    let text = deadline.get("text").cloned().unwrap_or_default();
    let read = |value: Value| serde_json::from_value::<Deadline>(value).ok();
    if read(json!({"text": text})) == read(Value::Object(deadline.clone())) {
        deadline.retain(|name, _| name == "text");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::router::nouns;

    #[test]
    fn a_row_is_written_as_it_would_be_posted() {
        let steps = nouns().iter().find(|noun| noun.table == "steps").unwrap();
        let id = Uuid::now_v7();
        let names = HashMap::from([("initiatives", HashMap::from([(id, "one".to_owned())]))]);
        let row = json!({"id": id, "version": 3, "created_at": "x", "updated_at": "x", "external_id": "s",
            "initiative_id": id, "evidence": null, "tags": [], "deadline": {"text": "2024", "kind": "year", "from": "2024-01-01", "to": "2024-12-31"}});
        let Value::Object(row) = row else { unreachable!() };
        assert_eq!(
            body(steps, row, &names),
            json!({"external_id": "s", "initiative_id": "external:one", "deadline": {"text": "2024"}})
        );
    }
}
