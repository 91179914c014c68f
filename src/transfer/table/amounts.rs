//! The amounts of a table: each is known by its initiative or step, its year, its source and its phase.

use std::collections::{HashMap, HashSet};

use rust_decimal::Decimal;
use serde_json::{Value, json};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::{
    amount,
    mapping::AMOUNT_OF,
    rows::{Made, Plan, Row},
    settle::{Place, Settled, id_of, named_by_id},
};
use crate::{
    api::{Error, json::integer},
    transfer::{
        names::{bare, key, slug},
        sheet::{Flaw, short},
    },
};

/// An amount of a row, as its columns give it.
struct Amount<'r> {
    /// The role of its column.
    role: String,
    cell: &'r str,
    year: Option<&'r str>,
    source: Option<&'r str>,
}

impl Plan<'_> {
    fn amounts<'r>(row: &'r Row<'_>) -> Vec<Amount<'r>> {
        let columns = row.columns.iter().filter(|(role, _)| role == "amount" || role.starts_with(AMOUNT_OF));
        let amounts = columns.filter_map(|(role, _)| {
            let cell = row.cell(role).filter(|cell| !matches!(*cell, "-" | "–" | "—"))?;
            let mut of = role.splitn(3, ':').skip(1);
            let year = of.next().or_else(|| row.cell("fiscal_year"));
            let source = of.next().or_else(|| row.cell("funding_source"));
            Some(Amount { role: role.clone(), cell, year, source })
        });
        amounts.collect()
    }

    /// Whether a row has an amount.
    pub(super) fn has_amounts(row: &Row<'_>) -> bool {
        Self::amounts(row).iter().any(|amount| !is_words(amount.cell))
    }

    /// The words that stand where amounts should.
    pub(super) fn words_for_amounts(row: &Row<'_>) -> Option<String> {
        let mut words: Vec<&str> =
            Self::amounts(row).iter().map(|one| one.cell).filter(|cell| is_words(cell)).collect();
        words.dedup();
        (!words.is_empty()).then(|| words.join("; "))
    }

    /// An amount is an estimate. In whose budget it stands is not said, so it is left open.
    pub(super) fn budgets(&mut self, row: &Row<'_>, on: (&'static str, &str)) -> Result<(), Flaw> {
        for amount in Self::amounts(row) {
            if on.0 == "step_id" || !is_words(amount.cell) {
                self.budget(row, on, &amount)?;
            }
        }
        Ok(())
    }

    fn budget(&mut self, row: &Row<'_>, (field, item): (&'static str, &str), one: &Amount<'_>) -> Result<(), Flaw> {
        let role = one.role.as_str();
        let amount =
            amount::read(one.cell, self.mapping.decimal).map_err(|detail| row.flaw(role, "wrong_format", detail))?;
        let Some(currency) = row.cell("currency").or(self.target.currency.as_deref()) else {
            return Err(row.flaw(role, "required", "has no currency; map `currency`"));
        };
        let Some(year) = one.year else {
            return Err(row.flaw(
                "fiscal_year",
                "required",
                "is empty, and an amount is of a fiscal year, such as 2024",
            ));
        };
        let year = integer(year).and_then(|year| i32::try_from(year).ok()).ok_or_else(|| {
            let detail = format!("`{}` is not a year; write it as 2024", short(year));
            row.flaw("fiscal_year", "wrong_format", detail)
        })?;
        let mut id = format!("{item}-budget-{year}");
        let mut body = json!({field: format!("external:{item}"), "fiscal_year": year, "phase": "estimate",
            "money": {"amount": amount, "currency": currency}});
        if let Some(name) = one.source {
            let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
            let by = if row.header("funding_source").is_some() { "funding_source" } else { role };
            let source = self.named("funding_sources", "funding-source", &name);
            let fields = [("name", by), ("external_id", by)];
            let made = Made { section: "funding_sources", id: &source, title: &key(&name), role: by, fields: &fields };
            self.once(row, &made, json!({"external_id": source, "name": self.text(&bare(&name)), "kind": "other"}))?;
            body["funding_source_id"] = format!("external:{source}").into();
            id = format!("{id}-{}", slug(&bare(&name)));
        }
        body["external_id"] = id.as_str().into();
        let fields = [
            ("money/currency", "currency"),
            ("money", role),
            ("fiscal_year", "fiscal_year"),
            ("funding_source_id", "funding_source"),
            ("external_id", role),
        ];
        let made = Made { section: "budget_allocations", id: &id, title: "", role, fields: &fields };
        if self.once(row, &made, body)? {
            return Ok(());
        }
        let detail = format!("an earlier row has an amount of the same item, source and year {year}; keep one of them");
        Err(row.flaw(role, "duplicate", detail))
    }
}

/// Whether a cell says something, but no amount.
fn is_words(cell: &str) -> bool {
    cell.chars().any(char::is_alphabetic) && !cell.chars().any(char::is_numeric)
}

/// An amount that is there.
#[derive(Debug, FromRow)]
struct Known {
    id: Uuid,
    external_id: Option<String>,
    item_id: Uuid,
    fiscal_year: i32,
    funding_source_id: Option<Uuid>,
    amount: Decimal,
    currency: String,
}

/// Finds the amounts that are there already; those that the table does not name any more end, or are listed.
pub(super) async fn settle(
    connection: &mut PgConnection,
    plan: &mut Plan<'_>,
    settled: &mut Settled,
) -> Result<(), Error> {
    let known: Vec<Known> = sqlx::query_as(
        "select b.id, b.external_id, coalesce(b.step_id, b.initiative_id) as item_id, b.fiscal_year, b.funding_source_id, b.amount, b.currency
         from budget_allocations b left join steps s on s.id = b.step_id join initiatives i on i.id = coalesce(b.initiative_id, s.initiative_id)
         where i.strategy_id = $1 and b.phase = 'estimate' order by b.created_at, b.id",
    )
    .bind(plan.target.strategy)
    .fetch_all(connection)
    .await?;
    let mut by_item: HashMap<(Uuid, i32), Vec<&Known>> = HashMap::new();
    for one in &known {
        by_item.entry((one.item_id, one.fiscal_year)).or_default().push(one);
    }
    let taken: HashSet<&str> = known.iter().filter_map(|one| one.external_id.as_deref()).collect();
    let has_sources = plan.mapping.columns.iter().any(|(role, _)| role == "funding_source");
    let (mut met, mut years) = (HashSet::new(), HashSet::new());
    for (index, body) in plan.sections.get_mut("budget_allocations").into_iter().flatten().enumerate() {
        let year = body["fiscal_year"].as_i64().and_then(|year| i32::try_from(year).ok()).unwrap_or_default();
        years.insert(year);
        let Some(item) = id_of(&body["initiative_id"]).or_else(|| id_of(&body["step_id"])) else { continue };
        let source = id_of(&body["funding_source_id"]);
        let is_new_source = source.is_none() && body["funding_source_id"].is_string();
        let candidates: Vec<&&Known> = by_item
            .get(&(item, year))
            .into_iter()
            .flatten()
            .filter(|one| {
                let says_nothing = source.is_none() && !is_new_source && !has_sources;
                !met.contains(&one.id) && (says_nothing || !is_new_source && one.funding_source_id == source)
            })
            .collect();
        let own: Vec<&&Known> =
            candidates.iter().copied().filter(|one| settled.is_of_table(item, one.external_id.as_deref())).collect();
        let found: Option<&Known> = match (&candidates[..], &own[..]) {
            ([one], _) | (_, [one]) => Some(one),
            ([], _) => None,
            ([first, second, ..], _) => {
                let detail = format!(
                    "several amounts of {year} are there ({} and {}), and the table does not say which is meant; map `funding_source`, or change them one by one",
                    first.id, second.id
                );
                settled.refuse(&plan.origin, Place { section: "budget_allocations", index, field: "money" }, detail);
                continue;
            }
        };
        if let Some(one) = found {
            met.insert(one.id);
            if one.external_id.as_deref() != body["external_id"].as_str() {
                named_by_id(body, one.id);
            }
        } else if body["external_id"].as_str().is_some_and(|name| taken.contains(name)) {
            // An amount whose year or source is another by now keeps its name.
            let name = body["external_id"].as_str().unwrap_or_default();
            let free = (2..=taken.len() + 2)
                .map(|number| format!("{name}-{number}"))
                .find(|name| !taken.contains(name.as_str()));
            body["external_id"] = free.map_or(Value::Null, Value::from);
        }
    }
    for one in known.iter().filter(|one| years.contains(&one.fiscal_year) && !met.contains(&one.id)) {
        let is_zero = one.amount.is_zero();
        if is_zero || !settled.is_of_table(one.item_id, one.external_id.as_deref()) {
            continue;
        }
        let Some(place) = settled.place(one.item_id) else { continue };
        if settled.prune {
            let body = json!({"id": one.id, "money": {"amount": "0", "currency": one.currency}});
            settled.ended.push(("budget_allocations", body, place));
        } else {
            let words = format!("{} {} of {}", one.amount, one.currency, one.fiscal_year);
            settled.left_over.add(place.pointer(), &words);
        }
    }
    Ok(())
}
