//! The amounts of a table: each is known by its initiative or step, its year, its source and its phase.

use std::collections::{HashMap, HashSet};

use rust_decimal::Decimal;
use serde_json::json;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::{
    amount,
    mapping::AMOUNT_OF,
    rows::{Made, Plan, Row, Slot},
    settle::{Place, Settled, id_of, named_by_id, rename},
};
use crate::{
    api::json::integer,
    error::Error,
    transfer::{
        directory::{Directory, Meant},
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
            let cell = row.cell(role).filter(|cell| !is_dash(cell))?;
            let mut of = role.splitn(3, ':').skip(1);
            let year = of.next().or_else(|| row.cell("fiscal_year"));
            let source = of.next().or_else(|| row.cell("funding_source"));
            Some(Amount { role: role.clone(), cell, year, source })
        });
        amounts.collect()
    }

    /// The places that a row has for amounts.
    fn slots(row: &Row<'_>) -> Vec<Slot> {
        let columns = row.columns.iter().filter(|(role, _)| role == "amount" || role.starts_with(AMOUNT_OF));
        let slots = columns.filter_map(|(role, _)| {
            let mut of = role.splitn(3, ':').skip(1);
            let year = year(of.next().or_else(|| row.cell("fiscal_year"))?)?;
            let source = of.next();
            let is_empty = row.cell(role).is_none_or(|cell| is_dash(cell) || is_words(cell));
            Some(Slot {
                year,
                source: source.or_else(|| row.cell("funding_source")).map(str::to_owned),
                is_of_source: source.is_some(),
                is_empty,
            })
        });
        slots.collect()
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
        self.subjects.entry(on.1.to_owned()).or_default().slots.extend(Self::slots(row));
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
        let year = self::year(year).ok_or_else(|| {
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
            if row.cell("currency").is_none() {
                self.by_default("budget_allocations", "money/currency");
            }
            return Ok(());
        }
        let detail = format!("an earlier row has an amount of the same item, source and year {year}; keep one of them");
        Err(row.flaw(role, "duplicate", detail))
    }
}

fn year(words: &str) -> Option<i32> {
    integer(words).and_then(|year| i32::try_from(year).ok())
}

fn is_dash(cell: &str) -> bool {
    matches!(cell, "-" | "–" | "—")
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
    sources: &Directory,
) -> Result<(), Error> {
    let known: Vec<Known> = sqlx::query_as(
        "select b.id, b.external_id, coalesce(b.step_id, b.initiative_id) as item_id, b.fiscal_year, b.funding_source_id, b.amount, b.currency
         from budget_allocations b left join steps s on s.id = b.step_id join initiatives i on i.id = coalesce(b.initiative_id, s.initiative_id)
         where i.strategy_id = $1 and b.phase = 'estimate' order by b.created_at, b.id",
    )
    .bind(plan.target.strategy)
    .fetch_all(&mut *connection)
    .await?;
    let mut by_item: HashMap<(Uuid, i32), Vec<&Known>> = HashMap::new();
    for one in &known {
        by_item.entry((one.item_id, one.fiscal_year)).or_default().push(one);
    }
    let has_sources = plan.mapping.has("funding_source");
    let (mut met, mut new) = (HashSet::new(), Vec::new());
    let count = plan.sections.get("budget_allocations").map_or(0, Vec::len);
    for index in 0..count {
        let is_default = plan.is_default("budget_allocations", index, "money/currency");
        let Some(body) = plan.sections.get_mut("budget_allocations").and_then(|bodies| bodies.get_mut(index)) else {
            continue;
        };
        let year = body["fiscal_year"].as_i64().and_then(|year| i32::try_from(year).ok()).unwrap_or_default();
        let Some(item) = id_of(&body["initiative_id"]).or_else(|| id_of(&body["step_id"])) else {
            new.push(index);
            continue;
        };
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
            candidates.iter().copied().filter(|one| settled.is_of_table(one.external_id.as_deref())).collect();
        match (&candidates[..], &own[..]) {
            ([one], _) | (_, [one]) => {
                met.insert(one.id);
                if is_default {
                    body["money"]["currency"] = one.currency.as_str().into();
                }
                named_by_id(body, one.id, one.external_id.as_deref());
            }
            ([], _) => new.push(index),
            ([first, second, ..], _) => {
                let detail = format!(
                    "several amounts of {year} are there ({} and {}), and the table does not say which is meant; map `funding_source`, or change them one by one",
                    first.id, second.id
                );
                settled.refuse(Place { section: "budget_allocations", index, field: "money" }, "ambiguous", detail);
            }
        }
    }
    rename(connection, plan, "budget_allocations", &new).await?;
    end(plan, settled, sources, known.iter().filter(|one| !met.contains(&one.id) && !one.amount.is_zero()));
    Ok(())
}

/// Ends the amounts that the table does not name any more: those in the place of an empty cell, whoever entered them, and those that an import
/// made of a year that the table has.
fn end<'k>(plan: &Plan<'_>, settled: &mut Settled, sources: &Directory, left: impl Iterator<Item = &'k Known>) {
    let mut ids: HashMap<&str, Option<Uuid>> = HashMap::new();
    let slots = || plan.subjects.values().flat_map(|subject| &subject.slots);
    for source in slots().filter_map(|slot| slot.source.as_deref()) {
        ids.entry(source).or_insert_with(|| match sources.find(source, source) {
            Meant::One(id) => Some(id),
            _ => None,
        });
    }
    let id_of = |slot: &Slot| slot.source.as_deref().and_then(|source| ids.get(source).copied().flatten());
    let is_at = |slot: &Slot, one: &Known| {
        slot.year == one.fiscal_year
            && (slot.source.is_none() || one.funding_source_id.is_some() && id_of(slot) == one.funding_source_id)
    };
    let years: HashSet<i32> = slots().filter(|slot| !slot.is_of_source).map(|slot| slot.year).collect();
    let columns: HashSet<(i32, Option<Uuid>)> =
        slots().filter(|slot| slot.is_of_source).map(|slot| (slot.year, id_of(slot))).collect();
    for one in left {
        let Some((place, subject)) = settled.place(one.item_id).zip(settled.subject(plan, one.item_id)) else {
            continue;
        };
        let is_empty = subject.slots.iter().any(|slot| slot.is_empty && is_at(slot, one));
        let is_of_year = years.contains(&one.fiscal_year)
            || one.funding_source_id.is_some() && columns.contains(&(one.fiscal_year, one.funding_source_id));
        let is_ended = is_empty || is_of_year && settled.is_of_table(one.external_id.as_deref());
        if !is_ended {
            continue;
        }
        if settled.prune {
            let body = json!({"id": one.id, "money": {"amount": "0", "currency": one.currency}});
            settled.ended.push(("budget_allocations", body, place));
        } else {
            let words = format!("{} {} of {}", one.amount, one.currency, one.fiscal_year);
            settled.left_over.add(place.pointer(), &words);
        }
    }
}
