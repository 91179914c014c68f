//! Many measurements in one request: found by what they measure, so that the same batch can be sent again and again. All of them, or none.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{PgConnection, types::Json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    how::Mode,
    section::{Before, Given, Outcome, hold, import_section},
};
use crate::{
    access::{
        fields,
        own::{self, When},
        policy::Right,
    },
    api::{enough::Enough, json, shape::is_day},
    error::Error,
    nouns::indicators::{Indicator, Measurement, measurements::Disaggregation},
    repository::{self, Author, Fault, Isolation, Resource},
};

/// A batch may have so many rows.
pub const ROWS: usize = 10_000;
/// Rows of a statement.
const CHUNK: usize = 500;

/// What became of a batch.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct BatchReport {
    /// True when it was only tried.
    pub dry_run: bool,
    /// True when it is written: nothing was refused, and it was not only tried.
    pub committed: bool,
    /// New rows.
    pub created: usize,
    /// Rows that were there and are different now.
    pub changed: usize,
    /// Rows that were there, with the same content.
    pub unchanged: usize,
    /// Rows that are not valid. One is enough, and nothing is written.
    pub refused: usize,
    /// What became of each row, in the order of the request, one each.
    pub items: Vec<BatchItem>,
}

/// What became of a row of a batch.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BatchItem {
    /// The place in the request, from 0.
    pub index: usize,
    /// What became of it.
    pub outcome: Outcome,
    /// The id under which it is; null when it is not there.
    pub id: Option<Uuid>,
    /// What is wrong with it; the pointers lead into the request.
    pub errors: Vec<Fault>,
}

/// Writes the rows, in one transaction of its own or within the caller's. All of them are examined, also after one is refused.
pub async fn write(
    connection: &mut PgConnection,
    author: &Author,
    right: Right,
    rows: Vec<Value>,
    dry_run: bool,
) -> Result<BatchReport, Error> {
    let mut transaction = repository::begin(connection, Isolation::Committed).await?;
    let items = match all(&mut transaction, author, right, rows).await {
        Ok(items) => items,
        Err(error) => return Err(repository::give_up(transaction, error).await),
    };
    let count = |outcome| items.iter().filter(|item| item.outcome == outcome).count();
    let mut report = BatchReport {
        dry_run,
        committed: false,
        created: count(Outcome::Created),
        changed: count(Outcome::Changed),
        unchanged: count(Outcome::Unchanged),
        refused: count(Outcome::Refused),
        items,
    };
    if dry_run || report.refused > 0 {
        transaction.rollback().await?;
        // What was created is gone again, and so are its ids.
        for item in report.items.iter_mut().filter(|item| item.outcome == Outcome::Created) {
            item.id = None;
        }
    } else {
        repository::commit(transaction).await?;
        report.committed = true;
    }
    Ok(report)
}

async fn all(
    connection: &mut PgConnection,
    author: &Author,
    right: Right,
    mut rows: Vec<Value>,
) -> Result<Vec<BatchItem>, Error> {
    let mut faults: Vec<Vec<Fault>> = vec![Vec::new(); rows.len()];
    repository::plan_anew(connection).await?;
    // Before it is looked what there is: of two batches with the same rows the second finds those of the first.
    hold::<Measurement>(connection).await?;
    repository::see_only(connection, right.clearance).await?;
    for (index, fault) in repository::resolve(connection, Measurement::REFERENCES, &mut rows).await? {
        faults[index].push(fault);
    }
    let keys: Vec<Option<Key>> = rows.iter().map(Key::of).collect();
    let there = find(connection, &keys).await?;
    let seen = if right.is_limited() { Some(Seen::among(connection, &keys).await?) } else { None };
    repository::see_all(connection, right.clearance).await?;
    if let Some(seen) = seen {
        allow(connection, right, seen, (&rows, &keys), &mut faults).await?;
        still_hidden(connection, right, (&rows, &there), &mut faults).await?;
    }
    let external = |row: &Value| row.get("external_id")?.as_str().map(str::to_owned);
    let names: Vec<String> = rows.iter().filter_map(external).collect();
    let named = if names.is_empty() {
        HashMap::new()
    } else {
        repository::named_by(connection, Measurement::TABLE, "external_id", &names).await?
    };
    for (index, row) in rows.iter().enumerate() {
        let other = external(row).and_then(|name| named.get(&name));
        if other.is_some_and(|other| there.get(&index) != Some(other)) {
            let detail = "another measurement has it; a row is found by its indicator, period and disaggregation";
            faults[index].push(fault("#/external_id", "taken", detail));
        }
    }
    let mut met = HashSet::new();
    for (index, key) in keys.iter().enumerate() {
        if key.as_ref().is_some_and(|key| !met.insert(key)) {
            let detail = "an earlier row has the same indicator, period and disaggregation; keep one of them";
            faults[index].push(fault("#", "duplicate", detail));
        }
    }
    let item = |(index, errors)| BatchItem { index, outcome: Outcome::Refused, id: None, errors };
    let mut items: Vec<BatchItem> = faults.into_iter().enumerate().map(item).collect();
    let mut good: Vec<(usize, Given)> = rows
        .into_iter()
        .enumerate()
        .filter(|(index, _)| items[*index].errors.is_empty())
        .map(|(index, body)| (index, Given { id: there.get(&index).copied(), body }))
        .collect();
    let mut enough = Enough::default();
    enough.count(items.iter().map(|item| item.errors.len()).sum());
    while !good.is_empty() {
        if let Some(faults) = enough.instead() {
            let (first, _) = good[0];
            items[first].errors = faults;
            break;
        }
        let chunk: Vec<(usize, Given)> = good.drain(..CHUNK.min(good.len())).collect();
        let (indices, given): (Vec<usize>, Vec<Given>) = chunk.into_iter().unzip();
        let verdicts =
            import_section::<Measurement>(connection, author, Mode::Merge, given, &mut Before::default()).await?;
        for (index, verdict) in indices.into_iter().zip(verdicts) {
            match verdict {
                Ok(done) => (items[index].outcome, items[index].id) = (done.outcome, Some(done.id)),
                Err(errors) => {
                    enough.count(errors.len());
                    items[index].errors = errors;
                }
            }
        }
    }
    for item in &mut items {
        for fault in &mut item.errors {
            fault.pointer = format!("#/items/{}{}", item.index, fault.pointer.trim_start_matches('#'));
        }
    }
    Ok(items)
}

/// Of what the rows refer to, what the writer sees.
struct Seen {
    indicators: Vec<Uuid>,
    measurements: HashSet<Uuid>,
}

impl Seen {
    async fn among(connection: &mut PgConnection, keys: &[Option<Key>]) -> Result<Self, Error> {
        let indicators: HashSet<Uuid> = keys.iter().flatten().map(|key| key.indicator_id).collect();
        let indicators: Vec<Uuid> = indicators.into_iter().collect();
        let restated: Vec<Uuid> = keys.iter().flatten().filter_map(|key| key.restates_id).collect();
        let indicators = repository::find_many::<Indicator>(connection, &indicators).await?;
        let measurements = repository::find_many::<Measurement>(connection, &restated).await?;
        Ok(Self {
            indicators: indicators.into_iter().map(|row| row.id).collect(),
            measurements: measurements.into_iter().map(|row| row.id).collect(),
        })
    }
}

/// Notes what the writer may not: rows of indicators that it does not see, or does not measure, and classifications beyond its own.
async fn allow(
    connection: &mut PgConnection,
    right: Right,
    seen: Seen,
    (rows, keys): (&[Value], &[Option<Key>]),
    faults: &mut [Vec<Fault>],
) -> Result<(), Error> {
    let mut refusals: HashMap<Uuid, Option<String>> = HashMap::new();
    for id in seen.indicators {
        let refusal = match own::check(connection, right.grant, ("indicator", id), When::After).await {
            Ok(()) => None,
            Err(Error::Forbidden(why)) => Some(why),
            Err(error) => return Err(error),
        };
        refusals.insert(id, refusal);
    }
    let mut enough = Enough::default();
    let missing = |pointer| fault(pointer, "not_found", "refers to something that does not exist (here)");
    for (index, (row, key)) in rows.iter().zip(keys).enumerate() {
        let given = row["classification"].as_str();
        if given.is_some() && !right.clearance.sees(given) {
            let detail = "You could not see it any more; give a classification that you may see.";
            faults[index].push(fault("#/classification", "not_allowed", detail));
        }
        if !faults[index].is_empty() {
            continue;
        }
        let Some(key) = key else {
            // What has no good key must not be written unasked; its own faults say why it has none.
            if let Some(instead) = enough.instead() {
                faults[index].extend(instead);
                continue;
            }
            let found = json::decode::<Measurement>(row.clone()).err();
            enough.count(found.as_ref().map_or(1, Vec::len));
            faults[index].extend(found.unwrap_or_else(|| vec![fault("#", "invalid", "is not a measurement")]));
            continue;
        };
        match refusals.get(&key.indicator_id) {
            None => faults[index].push(missing("#/indicator_id")),
            Some(Some(why)) => faults[index].push(fault("#/indicator_id", "forbidden", why)),
            Some(None) => {}
        }
        if key.restates_id.is_some_and(|id| !seen.measurements.contains(&id)) {
            faults[index].push(missing("#/restates_id"));
        }
    }
    Ok(())
}

/// Notes rows that would be open to more readers than before, where that is not the writer's to say.
async fn still_hidden(
    connection: &mut PgConnection,
    right: Right,
    (rows, there): (&[Value], &HashMap<usize, Uuid>),
    faults: &mut [Vec<Fault>],
) -> Result<(), Error> {
    let Some(reserved) = fields::reserved_opening(right.role) else { return Ok(()) };
    let ids: Vec<Uuid> = there.values().copied().collect();
    let known: HashMap<Uuid, Measurement> = repository::find_many::<Measurement>(connection, &ids)
        .await?
        .into_iter()
        .map(|row| (row.id, row.data))
        .collect();
    let (mut indices, mut sides) = (Vec::new(), Vec::new());
    for (index, row) in rows.iter().enumerate() {
        let Some(given) = row.get("classification") else { continue };
        match there.get(&index).and_then(|id| known.get(id)) {
            // What is not a classification is refused where the row is judged.
            Some(before) => {
                let Ok(classification) = serde_json::from_value(given.clone()) else { continue };
                indices.push(index);
                sides.push((before, Measurement { classification, ..before.clone() }));
            }
            None if given == "public" => faults[index].push(reserved.clone()),
            None => {}
        }
    }
    let pairs: Vec<_> = sides.iter().map(|(before, after)| (*before, after)).collect();
    for (index, opens) in indices.into_iter().zip(repository::opens(connection, &pairs).await?) {
        if opens {
            faults[index].push(reserved.clone());
        }
    }
    Ok(())
}

/// What a measurement is known by.
#[derive(Debug, PartialEq, Eq, Hash, Serialize)]
struct Key {
    indicator_id: Uuid,
    period_from: String,
    period_to: String,
    disaggregation: Disaggregation,
    restates_id: Option<Uuid>,
}

impl Key {
    /// The key of a row that has a good one; what is wrong with any other is said when the row is judged.
    fn of(row: &Value) -> Option<Self> {
        let id = |name: &str| row.get(name)?.as_str().and_then(|id| Uuid::try_parse(id).ok());
        let day = |name: &str| Some(row.get(name)?.as_str().filter(|day| is_day(day))?.to_owned());
        let disaggregation = match row.get("disaggregation") {
            None => Disaggregation::default(),
            Some(given) => serde_json::from_value(given.clone()).ok()?,
        };
        let restates_id = id("restates_id");
        if restates_id.is_none() && row.get("restates_id").is_some_and(|given| !given.is_null()) {
            return None;
        }
        Some(Self {
            indicator_id: id("indicator_id")?,
            period_from: day("period_from")?,
            period_to: day("period_to")?,
            disaggregation,
            restates_id,
        })
    }
}

/// The measurements that are there already, by the index of their key.
async fn find(connection: &mut PgConnection, keys: &[Option<Key>]) -> Result<HashMap<usize, Uuid>, Error> {
    let wanted: Vec<Value> = keys
        .iter()
        .enumerate()
        .filter_map(|(index, key)| Some(serde_json::json!({"index": index, "key": key.as_ref()?})))
        .collect();
    let found: Vec<(i64, Uuid)> = sqlx::query_as(
        "select g.index, m.id
         from jsonb_to_recordset($1) g(index bigint, key jsonb),
             jsonb_to_record(g.key) k(indicator_id uuid, period_from date, period_to date, disaggregation jsonb, restates_id uuid)
         join measurements m using (indicator_id, period_from, period_to, disaggregation)
         where m.restates_id is not distinct from k.restates_id",
    )
    .bind(Json(wanted))
    .fetch_all(connection)
    .await?;
    Ok(found.into_iter().filter_map(|(index, id)| Some((usize::try_from(index).ok()?, id))).collect())
}

fn fault(pointer: &str, code: &str, detail: &str) -> Fault {
    Fault { pointer: pointer.into(), code: code.into(), detail: detail.into() }
}
