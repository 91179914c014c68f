//! The assignments of a table: those that are there are found, and those that it does not name any more end where that is asked for.

use std::collections::{HashMap, HashSet};

use chrono::{Days, NaiveDate};
use serde_json::json;
use sqlx::{FromRow, PgConnection, types::Json};
use uuid::Uuid;

use super::{
    rows::Plan,
    settle::{Settled, id_of, named_by_id, rename},
};
use crate::{base::values::Text, error::Error};

/// An assignment that is there.
#[derive(Debug, FromRow)]
struct Known {
    id: Uuid,
    external_id: Option<String>,
    item_id: Uuid,
    entity_id: Uuid,
    role: String,
    valid_from: Option<NaiveDate>,
    is_over: bool,
    name: Json<Text>,
    code: Option<String>,
    yesterday: NaiveDate,
}

impl Known {
    /// What people call the entity.
    fn words(&self) -> &str {
        self.code.as_deref().unwrap_or_else(|| self.name.preferred())
    }

    /// The last day, when it ends now: the day before today, or that on which it begins.
    fn last_day(&self) -> NaiveDate {
        self.valid_from.map_or(self.yesterday, |from| from.max(self.yesterday))
    }
}

const KNOWN: &str = "
select a.id, a.external_id, coalesce(a.step_id, a.initiative_id) as item_id, a.entity_id, a.role, a.valid_from,
    coalesce(a.valid_to < today(), false) as is_over, e.name, e.code, today() - 1 as yesterday
from assignments a join entities e on e.id = a.entity_id left join steps s on s.id = a.step_id
join initiatives i on i.id = coalesce(a.initiative_id, s.initiative_id) where i.strategy_id = $1 order by a.created_at, a.id";

/// The columns of assignments, and the roles that come of each.
const COLUMNS: [(&str, &[&str]); 2] = [("lead", &["lead", "co_lead"]), ("support", &["support"])];

pub(super) async fn settle(
    connection: &mut PgConnection,
    plan: &mut Plan<'_>,
    settled: &mut Settled,
) -> Result<(), Error> {
    let known: Vec<Known> = sqlx::query_as(KNOWN).bind(plan.target.strategy).fetch_all(&mut *connection).await?;
    let current: HashMap<(Uuid, &str, Uuid), &Known> = known
        .iter()
        .filter(|one| !one.is_over)
        .map(|one| ((one.item_id, one.role.as_str(), one.entity_id), one))
        .collect();
    let mut met: HashSet<Uuid> = HashSet::new();
    // The new leads, by their item.
    let mut leads: HashMap<Uuid, usize> = HashMap::new();
    let mut new = Vec::new();
    for (index, body) in plan.sections.get_mut("assignments").into_iter().flatten().enumerate() {
        let item = id_of(&body["initiative_id"]).or_else(|| id_of(&body["step_id"]));
        let role = body["role"].as_str().unwrap_or_default().to_owned();
        let entity = id_of(&body["entity_id"]);
        let same = item.zip(entity).and_then(|(item, entity)| current.get(&(item, role.as_str(), entity)));
        if let Some(one) = same {
            met.insert(one.id);
            // Where it stands in the table is no news of one that is there.
            if let Some(fields) = body.as_object_mut() {
                fields.shift_remove("source_label");
            }
            named_by_id(body, one.id, one.external_id.as_deref());
            continue;
        }
        new.push(index);
        let Some(item) = item else { continue };
        if let Some(one) =
            known.iter().find(|one| one.item_id == item && one.role == role && Some(one.entity_id) == entity)
        {
            // It had this role before, until it ended; it has it again from today on.
            body["valid_from"] = json!(one.yesterday.checked_add_days(Days::new(1)));
        }
        if role == "lead" {
            leads.insert(item, index);
        }
    }
    rename(connection, plan, "assignments", &new).await?;
    for (column, roles) in COLUMNS {
        if !plan.mapping.has(column) {
            continue;
        }
        for one in known.iter().filter(|one| !one.is_over && !met.contains(&one.id)) {
            let Some(place) = settled.place(one.item_id) else { continue };
            let replaced = leads.get(&one.item_id).filter(|_| one.role == "lead");
            // An empty cell says that there is nobody; one that names others says so of those that came of it.
            let is_empty = settled.subject(plan, one.item_id).is_some_and(|subject| subject.empty.contains(&column));
            let is_ended = replaced.is_some() || is_empty || settled.is_of_table(one.external_id.as_deref());
            if !roles.contains(&one.role.as_str()) || !is_ended {
                continue;
            }
            if settled.prune {
                let last = one.last_day();
                settled.ended.push(("assignments", json!({"id": one.id, "valid_to": last}), place));
                if let Some(new) = replaced.and_then(|new| plan.sections.get_mut("assignments")?.get_mut(*new)) {
                    new["valid_from"] = json!(last.checked_add_days(Days::new(1)));
                }
            } else if let Some(new) = replaced {
                let detail = format!(
                    "{} leads it (assignment {}); `prune` (--prune) ends that and lets the new lead begin the day after",
                    one.words(),
                    one.id
                );
                settled.in_the_way.insert(*new, detail);
            } else {
                settled.left_over.add(place.pointer(), &format!("{}: {}", one.role, one.words()));
            }
        }
    }
    first(plan, settled);
    Ok(())
}

/// What ends is written before what begins in its place.
fn first(plan: &mut Plan<'_>, settled: &mut Settled) {
    let ended: Vec<_> = settled.ended.extract_if(.., |(section, ..)| *section == "assignments").collect();
    if ended.is_empty() {
        return;
    }
    let (mut bodies, mut places) = (Vec::new(), Vec::new());
    for (_, body, place) in ended {
        let origin = plan.origin.places.get(place.section).and_then(|places| places.get(place.index));
        bodies.push(body);
        places.push(origin.cloned().unwrap_or_default());
    }
    let count = bodies.len();
    settled.in_the_way = settled.in_the_way.drain().map(|(index, detail)| (index + count, detail)).collect();
    plan.sections.entry("assignments").or_default().splice(0..0, bodies);
    plan.origin.places.entry("assignments").or_default().splice(0..0, places);
}
