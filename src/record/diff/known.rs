//! What the words about a change need besides the change: names of entities, and the leads and dates that held at the first moment.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    nouns::plan::ends::ends_of,
    repository::{self, Clearance, Error, Reading},
};

use super::net::Net;

/// Looked up for the changes of one answer.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Codes of entities, or names where there is no code.
    pub(super) entities: HashMap<Uuid, String>,
    /// Who led an item at the first moment.
    pub(super) leads: HashMap<Uuid, Uuid>,
    /// When an item was to end at the first moment.
    pub(super) ends: HashMap<Uuid, Ends>,
    /// Whether the reader sees all.
    is_whole: bool,
}

/// The last day of an item, as set and as expected.
#[derive(Debug, Clone, Copy, Default, sqlx::FromRow)]
pub(super) struct Ends {
    /// The end that counts.
    pub(super) baseline: Option<NaiveDate>,
    /// The newest forecast.
    pub(super) forecast: Option<NaiveDate>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    #[sqlx(flatten)]
    ends: Ends,
}

const ENDS: &str = concat!(
    "
with planned as (
    select id, deadline_to, starts_on from initiatives where id = any($1)
    union all
    select id, deadline_to, starts_on from steps where id = any($1)
)
select p.id, e.planned_on as baseline, e.forecast_on as forecast from planned p cross join ",
    ends_of!("p.id", "p.deadline_to", "p.starts_on"),
    " e"
);

impl Known {
    /// Looks up what these changes need.
    pub(super) async fn of(
        connection: &mut PgConnection,
        from: DateTime<Utc>,
        clearance: Clearance,
        nets: &[Net],
    ) -> Result<Self, Error> {
        let of_kind = |kind: &'static str| nets.iter().filter(move |net| net.kind == kind);
        let items: Vec<Uuid> = of_kind("timeline").chain(of_kind("assignment")).filter_map(Net::item).collect();
        if items.is_empty() {
            return Ok(Self::default());
        }
        let mut then = Reading::seen(connection, Some(from), clearance).await?;
        repository::plan_anew(&mut then).await?;
        let leads: Vec<(Uuid, Uuid)> = sqlx::query_as(
            "select item_id, entity_id from assignments where role = 'lead' and item_id = any($1)
             and coalesce(valid_from <= (select today()), true) and coalesce(valid_to >= (select today()), true)",
        )
        .bind(&items)
        .fetch_all(&mut *then)
        .await?;
        let ends: Vec<Row> = sqlx::query_as(ENDS).bind(&items).fetch_all(&mut *then).await?;
        then.end().await?;
        let entity = |fields: Option<&Value>| fields?.as_str()?.parse::<Uuid>().ok();
        let mut entities: Vec<Uuid> = leads.iter().map(|(_, entity)| *entity).collect();
        entities.extend(of_kind("assignment").flat_map(|net| {
            [&net.before, &net.after].into_iter().flatten().filter_map(|fields| entity(fields.get("entity_id")))
        }));
        let mut seen = Reading::seen(connection, None, clearance).await?;
        let names: Vec<(Uuid, String)> = sqlx::query_as(
            "select distinct on (id) id, coalesce(code, name ->> 'en', name ->> 'ro', words_of(name)) from as_of.entities_versions
             join (select distinct given.id from unnest($1) given(id)) given using (id)
             where ($2 or cleared.sees(coalesce(classification, 'internal')) and cleared.sees(cleared.today('entity', id)))
             order by id, recorded_from desc",
        )
        .bind(entities)
        .bind(clearance == Clearance::All)
        .fetch_all(&mut *seen)
        .await?;
        seen.end().await?;
        Ok(Self {
            entities: names.into_iter().collect(),
            leads: leads.into_iter().collect(),
            ends: ends.into_iter().map(|row| (row.id, row.ends)).collect(),
            is_whole: clearance == Clearance::All,
        })
    }

    /// An entity by its code or name.
    pub(super) fn entity(&self, id: Option<Uuid>) -> String {
        let Some(id) = id else { return "nobody".into() };
        let unnamed = || if self.is_whole { id.to_string() } else { "(withheld)".to_owned() };
        self.entities.get(&id).cloned().unwrap_or_else(unnamed)
    }
}
