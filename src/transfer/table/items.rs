//! The objectives, initiatives and steps of a table: found by their code where they belong, and not by the external ids that the table makes.

use std::collections::HashMap;

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, FromRow, PgConnection, types::Json};
use uuid::Uuid;

use super::{
    rows::Plan,
    settle::{Place, Settled, id_of, named_by_id, rename, replace},
};
use crate::{
    base::values::{Text, languages},
    error::Error,
    transfer::{names::folded, sheet::short},
};

/// One that is there.
#[derive(Debug, FromRow)]
struct Known {
    id: Uuid,
    external_id: Option<String>,
    code: String,
    title: Json<Text>,
    strategy_id: Uuid,
    /// The initiative of a step.
    initiative_id: Option<Uuid>,
    /// What people call that to which it belongs.
    place: String,
}

const STRATEGY: &str = "coalesce(y.code, y.external_id, y.id::text)";

/// The sections, each with the table that a row of it belongs to through which field.
const SECTIONS: [(&str, bool); 3] = [("objectives", false), ("initiatives", false), ("steps", true)];

async fn known(
    connection: &mut PgConnection,
    (section, is_step): (&str, bool),
    strategy: Uuid,
    names: &[String],
) -> Result<Vec<Known>, Error> {
    let from = if is_step {
        format!(
            "select t.id, t.external_id, t.code, t.title, i.strategy_id, t.initiative_id, 'the initiative ' || i.code || ' of the strategy ' || {STRATEGY} as place
             from steps t join initiatives i on i.id = t.initiative_id join strategies y on y.id = i.strategy_id"
        )
    } else {
        format!(
            "select t.id, t.external_id, t.code, t.title, t.strategy_id, null::uuid as initiative_id, 'the strategy ' || {STRATEGY} as place
             from {section} t join strategies y on y.id = t.strategy_id"
        )
    };
    let sql = format!("{from} where y.id = $1 union {from} where t.external_id = any($2)");
    Ok(sqlx::query_as(AssertSqlSafe(sql)).bind(strategy).bind(names).fetch_all(connection).await?)
}

/// Finds those of the plan that are there.
pub(super) async fn settle(
    connection: &mut PgConnection,
    plan: &mut Plan<'_>,
    settled: &mut Settled,
) -> Result<(), Error> {
    let strategy = plan.target.strategy;
    let mut names: HashMap<String, String> = HashMap::new();
    for (section, is_step) in SECTIONS {
        replace(plan, section, &["objective_id", "initiative_id"], &names);
        let bodies = plan.sections.get(section).map(Vec::as_slice).unwrap_or_default();
        let made: Vec<String> =
            bodies.iter().filter_map(|body| body["external_id"].as_str().map(str::to_owned)).collect();
        let there = known(connection, (section, is_step), strategy, &made).await?;
        let by_external: HashMap<&str, &Known> =
            there.iter().filter_map(|one| Some((one.external_id.as_deref()?, one))).collect();
        let own = there.iter().filter(|one| one.strategy_id == strategy);
        let by_code: HashMap<(Option<Uuid>, &str), &Known> =
            own.map(|one| ((one.initiative_id, one.code.as_str()), one)).collect();
        let mut new = Vec::new();
        for (index, name) in made.iter().enumerate() {
            let has_code = !plan.is_default(section, index, "code");
            let has_title = !plan.is_default(section, index, "title");
            let Some(body) = plan.sections.get_mut(section).and_then(|bodies| bodies.get_mut(index)) else { continue };
            let within = id_of(&body["initiative_id"]);
            let code = body["code"].as_str().unwrap_or_default();
            let place = Place { section, index, field: "title" };
            let mut found = by_code.get(&(within, code)).copied().filter(|_| within.is_some() == is_step);
            if let Some(one) = by_external.get(name.as_str()).filter(|_| found.is_none()) {
                // Where no column has a code, the title says what it is.
                let is_same = one.code == code || !has_code && is_called(&one.title.0, &body["title"]);
                if one.strategy_id == strategy && one.initiative_id == within {
                    found = is_same.then_some(one);
                } else if is_same && within.is_some() == is_step {
                    let detail = format!(
                        "`{}` is in {} now (external id `{name}`); bring it there, or move it back first",
                        short(one.title.0.preferred()),
                        one.place
                    );
                    settled.refuse(place, "elsewhere", detail);
                    continue;
                }
            }
            let Some(one) = found else {
                new.push(index);
                continue;
            };
            if !has_code {
                body["code"] = json!(one.code);
            }
            if !has_title {
                body["title"] = json!(one.title.0);
            }
            named_by_id(body, one.id, one.external_id.as_deref());
            if plan.subjects.contains_key(name) {
                settled.items.insert(one.id, (name.clone(), place));
            }
            names.insert(name.clone(), one.id.to_string());
        }
        let renamed = rename(connection, plan, section, &new).await?;
        names.extend(renamed.into_iter().map(|(name, free)| (name, format!("external:{free}"))));
    }
    for section in ["assignments", "budget_allocations"] {
        replace(plan, section, &["initiative_id", "step_id"], &names);
    }
    Ok(())
}

/// Whether one is called so, in the language of the table or in any where that is not said.
fn is_called(title: &Text, given: &Value) -> bool {
    let (language, words) = match given {
        Value::Object(words) => match words.iter().next() {
            Some((language, words)) => (language.as_str(), words.as_str()),
            None => return false,
        },
        words => (languages()[0].as_str(), words.as_str()),
    };
    let own = title.0.get(language).map(|words| folded(words));
    own.is_some() && own == words.map(folded)
}
