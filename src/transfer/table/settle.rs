//! A plan out of a table, held against what is there: its items, bodies, assignments and amounts are found before any is made.
//!
//! A row is known by what it is (an initiative by its code, an assignment by its item, role and entity); the external id that is made of that is
//! for what is new. One that was made so and is something else by now is not touched.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use super::{
    amounts, assignments, items,
    rows::{Plan, Subject},
};
use crate::{
    error::Error,
    repository::Fault,
    transfer::{
        directory::{Directory, Meant},
        report::{Notes, Refused},
    },
};

/// Where something stands in the plan.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) section: &'static str,
    pub(super) index: usize,
    pub(super) field: &'static str,
}

impl Place {
    pub(super) fn pointer(&self) -> String {
        format!("#/{}/{}/{}", self.section, self.index, self.field)
    }
}

/// What was found out.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// Whether what the table does not name any more is to end.
    pub(super) prune: bool,
    /// What cannot be decided. The pointers lead into the plan.
    pub(super) faults: Vec<Refused>,
    /// What stands in the way of assignments, by their index; said when the database refuses them.
    pub(super) in_the_way: HashMap<usize, String>,
    /// What the table does not name any more, and stays.
    pub(super) left_over: Notes,
    /// What ends: the section, the row, and which item it is about.
    pub(super) ended: Vec<(&'static str, Value, Place)>,
    /// The initiatives and steps that rows of the table are about and that are there: what external ids are made of, and where they stand.
    pub(super) items: HashMap<Uuid, (String, Place)>,
    /// What all external ids that imports of tables made in the strategy start with.
    made: String,
}

impl Settled {
    pub(super) fn refuse(&mut self, place: Place, code: &str, detail: String) {
        let fault = Fault { pointer: place.pointer(), code: code.into(), detail };
        self.faults.push(Refused { section: place.section.into(), index: place.index, line: None, fault });
    }

    pub(super) fn place(&self, item: Uuid) -> Option<Place> {
        self.items.get(&item).map(|(_, place)| *place)
    }

    /// What the rows about an item say of it.
    pub(super) fn subject<'p>(&self, plan: &'p Plan<'_>, item: Uuid) -> Option<&'p Subject> {
        plan.subjects.get(&self.items.get(&item)?.0)
    }

    /// Whether an external id was made by an import of a table.
    pub(super) fn is_of_table(&self, external_id: Option<&str>) -> bool {
        external_id.is_some_and(|name| name.starts_with(&self.made))
    }
}

/// The id in a reference, where it is one.
pub(super) fn id_of(reference: &Value) -> Option<Uuid> {
    reference.as_str().and_then(|word| Uuid::try_parse(word).ok())
}

/// Holds the plan against what is there.
pub(super) async fn settle(connection: &mut PgConnection, plan: &mut Plan<'_>, prune: bool) -> Result<Settled, Error> {
    let mut settled = Settled { prune, made: format!("{}-initiative-", plan.target.prefix), ..Settled::default() };
    items::settle(connection, plan, &mut settled).await?;
    let entities = Directory::entities(connection).await?;
    known(plan, &mut settled, ("entities", &["entity_id"]), &entities);
    let sources = Directory::funding_sources(connection).await?;
    known(plan, &mut settled, ("funding_sources", &["funding_source_id"]), &sources);
    assignments::settle(connection, plan, &mut settled).await?;
    amounts::settle(connection, plan, &mut settled, &sources).await?;
    for (section, body, place) in std::mem::take(&mut settled.ended) {
        let places = plan.origin.places.entry(place.section).or_default();
        let origin = places.get(place.index).cloned().unwrap_or_default();
        plan.sections.entry(section).or_default().push(body);
        plan.origin.places.entry(section).or_default().push(origin);
    }
    Ok(settled)
}

/// Lets a row be found by the id of what is there. An external id that is made of what it is does not become that of another.
pub(super) fn named_by_id(body: &mut Value, id: Uuid, external_id: Option<&str>) {
    if let Some(fields) = body.as_object_mut() {
        if fields.get("external_id").and_then(Value::as_str) != external_id {
            fields.shift_remove("external_id");
        }
        fields.insert("id".into(), json!(id));
    }
}

/// Gives rows that are to be new other external ids, where theirs is that of something else: what is refused or moved otherwise would be that.
pub(super) async fn rename(
    connection: &mut PgConnection,
    plan: &mut Plan<'_>,
    section: &'static str,
    new: &[usize],
) -> Result<HashMap<String, String>, Error> {
    let bodies = plan.sections.get(section).map(Vec::as_slice).unwrap_or_default();
    let name = |index: &usize| bodies.get(*index)?["external_id"].as_str().map(str::to_owned);
    let names: Vec<String> = new.iter().filter_map(name).collect();
    if names.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = format!("select g.name from unnest($1) g(name) join {section} t on t.external_id = g.name");
    let taken: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql)).bind(&names).fetch_all(&mut *connection).await?;
    if taken.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = format!(
        "select t.external_id from unnest($1) g(name) join {section} t on starts_with(t.external_id, g.name || '-')"
    );
    let others: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql)).bind(&taken).fetch_all(connection).await?;
    let mut used: HashSet<String> = others.into_iter().collect();
    used.extend(bodies.iter().filter_map(|body| body["external_id"].as_str().map(str::to_owned)));
    let mut renamed = HashMap::new();
    for name in taken {
        let free = (2..=used.len() + 2).map(|number| format!("{name}-{number}")).find(|name| !used.contains(name));
        if let Some(free) = free {
            used.insert(free.clone());
            renamed.insert(name, free);
        }
    }
    for index in new {
        let Some(body) = plan.sections.get_mut(section).and_then(|bodies| bodies.get_mut(*index)) else { continue };
        if let Some(free) = body["external_id"].as_str().and_then(|name| renamed.get(name)) {
            body["external_id"] = json!(free);
        }
    }
    Ok(renamed)
}

/// Puts ids, or other external ids, in the place of external ids.
pub(super) fn replace(plan: &mut Plan<'_>, section: &str, fields: &[&str], names: &HashMap<String, String>) {
    for body in plan.sections.get_mut(section).into_iter().flatten() {
        for field in fields {
            let other = body.get(*field).and_then(|word| names.get(word.as_str()?.strip_prefix("external:")?));
            if let Some(other) = other {
                body[*field] = json!(other);
            }
        }
    }
}

/// Takes what is there out of a section, and refers to it instead.
fn known(
    plan: &mut Plan<'_>,
    settled: &mut Settled,
    (section, fields): (&'static str, &[&str]),
    directory: &Directory,
) {
    let Some(bodies) = plan.sections.get_mut(section) else { return };
    let mut ids: HashMap<String, String> = HashMap::new();
    let mut keep = Vec::with_capacity(bodies.len());
    for (index, body) in bodies.iter().enumerate() {
        let made = body["external_id"].as_str().unwrap_or_default();
        let name = match &body["name"] {
            Value::Object(words) => words.values().find_map(Value::as_str),
            words => words.as_str(),
        };
        let meant = directory.find(name.unwrap_or_default(), made);
        keep.push(!matches!(meant, Meant::One(_)));
        match meant {
            Meant::One(id) => drop(ids.insert(made.to_owned(), id.to_string())),
            Meant::Nobody => {}
            Meant::Several(first, second) => {
                let name = name.unwrap_or_default();
                let detail = format!("`{name}` can mean {first} or {second}; write the code of the one that is meant");
                settled.refuse(Place { section, index, field: "name" }, "ambiguous", detail);
            }
        }
    }
    let mut kept = keep.iter();
    bodies.retain(|_| kept.next().copied().unwrap_or(true));
    if let Some(places) = plan.origin.places.get_mut(section) {
        let mut kept = keep.iter();
        places.retain(|_| kept.next().copied().unwrap_or(true));
    }
    for section in ["assignments", "budget_allocations"] {
        replace(plan, section, fields, &ids);
    }
}
