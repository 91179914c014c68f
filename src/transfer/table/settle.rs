//! A plan out of a table, held against what is there: its items, bodies, assignments and amounts are found before any is made.

use std::collections::HashMap;

use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{amounts, assignments, rows::Plan};
use crate::{
    api::Error,
    repository::Fault,
    transfer::{
        directory::{Directory, Meant},
        origin::Origin,
        report::Notes,
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
    /// What cannot be decided. The pointers lead into the table.
    pub(super) faults: Vec<Fault>,
    /// What stands in the way of assignments, by their index; said when the database refuses them.
    pub(super) in_the_way: HashMap<usize, String>,
    /// What the table does not name any more, and stays.
    pub(super) left_over: Notes,
    /// What ends: the section, the row, and which item it is about.
    pub(super) ended: Vec<(&'static str, Value, Place)>,
    /// The initiatives and steps of the table that are there: what their external ids are made of, and where they stand.
    items: HashMap<Uuid, (String, Place)>,
}

impl Settled {
    pub(super) fn refuse(&mut self, origin: &Origin, place: Place, detail: String) {
        let pointer = origin.located(&place.pointer());
        self.faults.push(Fault { pointer, code: "ambiguous".into(), detail });
    }

    pub(super) fn place(&self, item: Uuid) -> Option<Place> {
        self.items.get(&item).map(|(_, place)| *place)
    }

    /// Whether an external id was made for something of this item by an import of the table.
    pub(super) fn is_of_table(&self, item: Uuid, external_id: Option<&str>) -> bool {
        let made = self.items.get(&item).zip(external_id);
        made.is_some_and(|((start, _), name)| {
            name.strip_prefix(start.as_str()).is_some_and(|rest| rest.starts_with('-'))
        })
    }
}

/// The id in a reference, where it is one.
pub(super) fn id_of(reference: &Value) -> Option<Uuid> {
    reference.as_str().and_then(|word| Uuid::try_parse(word).ok())
}

/// Holds the plan against what is there.
pub(super) async fn settle(connection: &mut PgConnection, plan: &mut Plan<'_>, prune: bool) -> Result<Settled, Error> {
    let mut settled = Settled { prune, ..Settled::default() };
    items(connection, plan, &mut settled).await?;
    let entities = Directory::entities(connection).await?;
    known(plan, &mut settled, ("entities", &["entity_id"]), &entities);
    let sources = Directory::funding_sources(connection).await?;
    known(plan, &mut settled, ("funding_sources", &["funding_source_id"]), &sources);
    assignments::settle(connection, plan, &mut settled).await?;
    amounts::settle(connection, plan, &mut settled).await?;
    for (section, body, place) in std::mem::take(&mut settled.ended) {
        let places = plan.origin.places.entry(place.section).or_default();
        let origin = places.get(place.index).cloned().unwrap_or_default();
        plan.sections.entry(section).or_default().push(body);
        plan.origin.places.entry(section).or_default().push(origin);
    }
    Ok(settled)
}

/// Finds the objectives, initiatives and steps: by the external id that the table makes of them, or by their code in the strategy.
async fn items(connection: &mut PgConnection, plan: &mut Plan<'_>, settled: &mut Settled) -> Result<(), Error> {
    type Found = (Uuid, Option<String>, String, Option<Uuid>);
    const SECTIONS: [(&str, &str); 3] = [
        ("objectives", "select id, external_id, code, null::uuid from objectives where strategy_id = $1"),
        ("initiatives", "select id, external_id, code, null::uuid from initiatives where strategy_id = $1"),
        (
            "steps",
            "select s.id, s.external_id, s.code, s.initiative_id from steps s join initiatives i on i.id = s.initiative_id where i.strategy_id = $1",
        ),
    ];
    let mut ids: HashMap<String, Uuid> = HashMap::new();
    for (section, sql) in SECTIONS {
        let rows: Vec<Found> = sqlx::query_as(sql).bind(plan.target.strategy).fetch_all(&mut *connection).await?;
        let by_external: HashMap<&str, Uuid> =
            rows.iter().filter_map(|(id, external, ..)| Some((external.as_deref()?, *id))).collect();
        let by_code: HashMap<(Option<Uuid>, &str), Uuid> =
            rows.iter().map(|(id, _, code, within)| ((*within, code.as_str()), *id)).collect();
        for (index, body) in plan.sections.get_mut(section).into_iter().flatten().enumerate() {
            for field in ["objective_id", "initiative_id"] {
                let known = body[field].as_str().and_then(|word| ids.get(word.strip_prefix("external:")?));
                if let Some(id) = known {
                    body[field] = json!(id);
                }
            }
            let Some(name) = body["external_id"].as_str().map(str::to_owned) else { continue };
            let within = (section == "steps").then(|| id_of(&body["initiative_id"])).flatten();
            let is_below_new = section == "steps" && within.is_none();
            let by_code = || by_code.get(&(within, body["code"].as_str()?)).filter(|_| !is_below_new);
            let Some(id) = by_external.get(name.as_str()).or_else(by_code).copied() else { continue };
            if !by_external.contains_key(name.as_str()) {
                named_by_id(body, id);
            }
            if section != "objectives" {
                settled.items.insert(id, (name.clone(), Place { section, index, field: "title" }));
            }
            ids.insert(name, id);
        }
    }
    for section in ["assignments", "budget_allocations"] {
        replace(plan, section, &["initiative_id", "step_id"], &ids);
    }
    Ok(())
}

/// Lets a row be found by the id of what is there, whatever that is called.
pub(super) fn named_by_id(body: &mut Value, id: Uuid) {
    if let Some(fields) = body.as_object_mut() {
        fields.shift_remove("external_id");
        fields.insert("id".into(), json!(id));
    }
}

/// Puts ids in the place of external ids.
fn replace(plan: &mut Plan<'_>, section: &str, fields: &[&str], ids: &HashMap<String, Uuid>) {
    for body in plan.sections.get_mut(section).into_iter().flatten() {
        for field in fields {
            let id = body.get(*field).and_then(|word| ids.get(word.as_str()?.strip_prefix("external:")?));
            if let Some(id) = id {
                body[*field] = json!(id);
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
    let mut ids: HashMap<String, Uuid> = HashMap::new();
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
            Meant::One(id) => drop(ids.insert(made.to_owned(), id)),
            Meant::Nobody => {}
            Meant::Several(first, second) => {
                let name = name.unwrap_or_default();
                let detail = format!("`{name}` can mean {first} or {second}; write the code of the one that is meant");
                settled.refuse(&plan.origin, Place { section, index, field: "name" }, detail);
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
