//! Which rows make up a strategy.

use std::collections::{HashMap, HashSet};

use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use crate::{error::Error, router::Noun};

/// The tables whose rows make up a strategy; rows that point into them belong to it too.
const PLAN: [&str; 11] = [
    "strategies",
    "objectives",
    "initiatives",
    "steps",
    "indicators",
    "budget_allocations",
    "engagements",
    "contributions",
    "training_programmes",
    "assessments",
    "answers",
];

/// Ids by table.
pub(super) type Rows = HashMap<&'static str, HashSet<Uuid>>;
/// External ids by table and id.
pub(super) type Names = HashMap<&'static str, HashMap<Uuid, String>>;

/// The rows of a strategy.
pub(super) struct Chosen {
    /// What belongs to it, and all that this refers to.
    pub(super) rows: Rows,
    /// What belongs to it with one end only, and to another strategy with the other.
    pub(super) ties: Rows,
}

/// The rows of one strategy, by table.
pub(super) async fn belonging(
    connection: &mut PgConnection,
    nouns: &'static [Noun],
    strategy: Uuid,
) -> Result<Chosen, Error> {
    let (mut chosen, mut ties) = (Rows::new(), Rows::new());
    chosen.entry("strategies").or_default().insert(strategy);
    let after = nouns.iter().skip_while(|noun| noun.table != "strategies").skip(1);
    for noun in after {
        let into_plan =
            noun.references.iter().filter(|reference| reference.table != noun.table && PLAN.contains(&reference.table));
        let (mut any, mut all) = (Vec::new(), Vec::new());
        for field in into_plan.map(|reference| reference.field) {
            any.push(format!("{field} = any($1)"));
            all.push(format!("({field} is null or {field} = any($1))"));
        }
        if any.is_empty() {
            continue;
        }
        let core: Vec<Uuid> = PLAN.iter().filter_map(|table| chosen.get(table)).flatten().copied().collect();
        let sql = format!("select id, {} from {} where {}", all.join(" and "), noun.table, any.join(" or "));
        let rows: Vec<(Uuid, bool)> = sqlx::query_as(AssertSqlSafe(sql)).bind(core).fetch_all(&mut *connection).await?;
        for (id, is_within) in rows {
            let place = if is_within { &mut chosen } else { &mut ties };
            place.entry(noun.table).or_default().insert(id);
        }
    }
    let mut fresh = chosen.clone();
    while !fresh.is_empty() {
        let mut next = Rows::new();
        for noun in nouns {
            let Some(ids) = fresh.get(noun.table).filter(|ids| !ids.is_empty()) else {
                continue;
            };
            let ids: Vec<Uuid> = ids.iter().copied().collect();
            for reference in noun.references {
                let (field, table) = (reference.field, noun.table);
                let sql = format!("select distinct {field} from {table} where id = any($1) and {field} is not null");
                let targets: Vec<Uuid> =
                    sqlx::query_scalar(AssertSqlSafe(sql)).bind(&ids).fetch_all(&mut *connection).await?;
                let known = chosen.entry(reference.table).or_default();
                let new: Vec<Uuid> = targets.into_iter().filter(|id| known.insert(*id)).collect();
                if !new.is_empty() {
                    next.entry(reference.table).or_default().extend(new);
                }
            }
        }
        fresh = next;
    }
    Ok(Chosen { rows: chosen, ties })
}

/// The same names, with those of all that some rows refer to.
pub(super) async fn names_of_targets(
    connection: &mut PgConnection,
    noun: &Noun,
    ids: &[Uuid],
    mut names: Names,
) -> Result<Names, Error> {
    for reference in noun.references {
        let sql = format!(
            "select id, external_id from {} where external_id is not null and id in (select {} from {} where id = any($1))",
            reference.table, reference.field, noun.table
        );
        let found: Vec<(Uuid, String)> =
            sqlx::query_as(AssertSqlSafe(sql)).bind(ids).fetch_all(&mut *connection).await?;
        names.entry(reference.table).or_default().extend(found);
    }
    Ok(names)
}
