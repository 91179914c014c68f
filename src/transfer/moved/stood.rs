//! What stood of an initiative or a step before an import: the forecast that counts, and the percent of the report that counts.

use std::collections::{HashMap, hash_map::Entry};

use chrono::NaiveDate;
use serde::Serialize;
use serde_json::{Map, Value};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::{api::answer::internal, error::Error, nouns::plan::ends::ends_of, repository::Fault};

/// What counts of an initiative or a step.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
struct Counted {
    item_id: Uuid,
    /// Whether there is a forecast.
    has_forecast: bool,
    /// The day on which it ends.
    forecast_on: Option<NaiveDate>,
    /// The percent that was last reported.
    percent: Option<i32>,
    /// The status that was last reported.
    status: Option<String>,
}

const COUNTED: &str = concat!(
    "select g.id as item_id, e.forecast_on, r.percent, r.status,
    exists (select from timelines t where t.item_id = g.id and t.basis = 'forecast' and num_nonnulls(t.ends_on, t.deadline_text) > 0) as has_forecast
from unnest($1) g(id) cross join ",
    ends_of!("g.id", "null::date", "null::date"),
    " e left join lateral (
    select r.percent, r.status from progress_reports r join reporting_cycles c on c.id = r.cycle_id, periods_of(c.periods) p
    where r.item_id = g.id and p.code = r.period and r.state not in ('draft', 'returned')
    order by p.ends_on desc, r.created_at desc, r.id desc limit 1
) r on true"
);

/// What stood before the import touched it, by the initiative or step.
#[derive(Debug, Default)]
pub(in crate::transfer) struct Stood(HashMap<Uuid, Counted>);

/// A row that is about an initiative or a step, as it was and as it is to be.
pub(in crate::transfer) struct About {
    index: usize,
    before: Option<Map<String, Value>>,
    after: Map<String, Value>,
}

/// What the rows are about that are to be written.
pub(in crate::transfer) fn about<'a, R: Serialize + 'a>(
    rows: impl Iterator<Item = (usize, Option<&'a R>, &'a R)>,
) -> Result<Vec<About>, Error> {
    let fields = |row: &R| match serde_json::to_value(row).map_err(internal)? {
        Value::Object(fields) => Ok(fields),
        _ => Ok::<_, Error>(Map::new()),
    };
    rows.map(|(index, before, after)| {
        Ok(About { index, before: before.map(fields).transpose()?, after: fields(after)? })
    })
    .collect()
}

impl About {
    fn items(&self) -> impl Iterator<Item = Uuid> {
        let sides = self.before.iter().chain([&self.after]);
        let ids =
            sides.flat_map(|side| ["step_id", "initiative_id"].into_iter().filter_map(|name| side.get(name)?.as_str()));
        ids.filter_map(|id| Uuid::try_parse(id).ok())
    }

    /// Whether it says what counts here: a forecast, or a report that was submitted.
    fn counts(&self, kind: &str) -> bool {
        let mut sides = self.before.iter().chain([&self.after]);
        match kind {
            "timeline" => sides.any(|side| side["basis"] == "forecast"),
            "progress_report" => sides.any(|side| side["state"] != "draft" && side["state"] != "returned"),
            _ => false,
        }
    }

    /// The field by which it changes what counts.
    fn field(&self, kind: &str) -> &'static str {
        let fields: &[&str] = match kind {
            "timeline" => &["initiative_id", "step_id", "basis", "set_on", "ends_on", "deadline"],
            _ => &["initiative_id", "step_id", "period", "state", "percent", "status"],
        };
        let is_other =
            |field: &&&str| self.before.as_ref().is_some_and(|before| before[**field] != self.after[**field]);
        let own = if kind == "timeline" { "ends_on" } else { "percent" };
        fields.iter().find(is_other).copied().unwrap_or(own)
    }
}

impl Stood {
    /// Notes what stands of what the rows are about, unless it is noted already.
    pub(in crate::transfer) async fn note(
        &mut self,
        connection: &mut PgConnection,
        kind: &str,
        rows: &[About],
    ) -> Result<(), Error> {
        let items = items(kind, rows);
        for one in counted(connection, &items).await? {
            if let Entry::Vacant(place) = self.0.entry(one.item_id) {
                place.insert(one);
            }
        }
        Ok(())
    }

    /// The rows after which something else counts than stood: a fault for each, with its index.
    pub(in crate::transfer) async fn lost(
        &self,
        connection: &mut PgConnection,
        kind: &str,
        rows: &[About],
    ) -> Result<Vec<(usize, Fault)>, Error> {
        let is_lost = |now: &Counted| self.0.get(&now.item_id).and_then(|before| before.lost(now, kind));
        let now = counted(connection, &items(kind, rows)).await?;
        let lost: HashMap<Uuid, &str> = now.iter().filter_map(|now| Some((now.item_id, is_lost(now)?))).collect();
        let rows = rows.iter().filter(|row| row.counts(kind)).filter_map(|row| {
            let what = row.items().find_map(|item| lost.get(&item))?;
            let detail = format!(
                "{what}; leave it as it stands, or say in the header Mandate-Reason or with --reason why it changes"
            );
            Some((row.index, Fault { pointer: format!("#/{}", row.field(kind)), code: "needs_reason".into(), detail }))
        });
        Ok(rows.collect())
    }
}

impl Counted {
    /// What counted and does not any more.
    fn lost(&self, now: &Self, kind: &str) -> Option<&'static str> {
        let forecast = |side: &Self| (side.has_forecast, side.forecast_on);
        if kind == "timeline" {
            return (self.has_forecast && forecast(self) != forecast(now))
                .then_some("another forecast would count than was reported");
        }
        let is_less = self.percent.zip(now.percent).is_some_and(|(before, now)| now < before);
        let is_gone = self.status.is_some() && now.status.is_none();
        (is_less || is_gone).then_some("what was last reported would be set back")
    }
}

fn items(kind: &str, rows: &[About]) -> Vec<Uuid> {
    let mut items: Vec<Uuid> = rows.iter().filter(|row| row.counts(kind)).flat_map(About::items).collect();
    items.sort_unstable();
    items.dedup();
    items
}

async fn counted(connection: &mut PgConnection, items: &[Uuid]) -> Result<Vec<Counted>, Error> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    Ok(sqlx::query_as(COUNTED).bind(items).fetch_all(connection).await?)
}
