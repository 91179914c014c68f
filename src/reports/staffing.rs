//! People planned, at work, and there, by entity, profile and period.

use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Report,
    scope::{LIMIT, Scope, answer},
};
use crate::{base::values::Text, error::Error, nouns::people::profiles::Profile};

/// How long a period is.
#[derive(Debug, Default, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Per {
    /// A calendar month.
    Month,
    /// A quarter of a calendar year.
    Quarter,
    /// A calendar year.
    #[default]
    Year,
}

/// What the report of staffing can be asked.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {
    /// How long a period is; `year` when not given.
    #[schema(inline)]
    per: Option<Per>,
    /// With this profile; may be repeated.
    #[schema(inline)]
    profile: Vec<Profile>,
}

/// The people of an entity with a profile in a period, as full-time equivalents on the average of its days; decimal strings.
#[derive(Debug, Serialize, FromRow, ToSchema)]
#[schema(as = StaffingRow)]
pub(crate) struct Row {
    /// The entity.
    entity_id: Uuid,
    /// Its code.
    entity: Option<String>,
    /// Its name.
    #[sqlx(json)]
    name: Text,
    /// The profile.
    profile: String,
    /// The first day of the period.
    from: chrono::NaiveDate,
    /// Its last day.
    to: chrono::NaiveDate,
    /// Planned for the work of the scope; null when nothing is.
    planned: Option<String>,
    /// Known to do it; null where nothing is known.
    filled: Option<String>,
    /// Planned and not filled, of the allocations where that is known; null where it is of none.
    gap: Option<String>,
    /// Allocations of which it is not known whether they are filled.
    unknown: i64,
    /// What the entity has; null where that is not known.
    capacity: Option<String>,
    /// More is planned than the entity has; null where that is not known.
    over_allocated: Option<bool>,
}

/// Days count, so that half a year of two people is one in the year. `$9` is the word for a period, `$10` its length, `$11` whether the scope is all.
const SQL: &str = ",
line as (
    select s.entity_id, s.profile, s.starts_on, s.ends_on, s.fte_planned, s.fte_filled
    from item i join staff_allocations s on s.item_id = i.id
    where ($7 = '{}' or s.entity_id = any($7)) and ($8 = '{}' or s.profile = any($8))
),
period as (
    select p.day::date as first, (p.day + $10::interval)::date - 1 as last, (p.day + $10::interval)::date - p.day::date as days
    from (select min(starts_on) as first, max(ends_on) as last from line) l,
        generate_series(date_trunc($9, l.first::timestamp), l.last::timestamp, $10::interval) p(day)
),
planned as (
    select l.entity_id, l.profile, p.first,
        sum(l.fte_planned * c.days) / p.days as planned, sum(l.fte_filled * c.days) / p.days as filled,
        sum((l.fte_planned - l.fte_filled) * c.days) / p.days as gap, count(*) filter (where l.fte_filled is null) as unknown
    from period p join line l on l.starts_on <= p.last and l.ends_on >= p.first,
        lateral (select least(l.ends_on, p.last) - greatest(l.starts_on, p.first) + 1 as days) c
    group by l.entity_id, l.profile, p.first, p.days
),
held as (
    select s.entity_id, s.profile, p.first, sum(s.fte * c.days) / p.days as capacity
    from period p join staff_capacities s on s.starts_on <= p.last and coalesce(s.ends_on >= p.first, true),
        lateral (select least(s.ends_on, p.last) - greatest(s.starts_on, p.first) + 1 as days) c
    where ($7 = '{}' or s.entity_id = any($7)) and ($8 = '{}' or s.profile = any($8))
        -- Of a part of the plan: what those have who are to work on it.
        and ($11 or exists (select from line l where (l.entity_id, l.profile) = (s.entity_id, s.profile)))
    group by s.entity_id, s.profile, p.first, p.days
)
select entity_id, e.code as entity, e.name, profile, p.first as \"from\", p.last as \"to\",
    round(planned, 2)::text as planned, round(filled, 2)::text as filled, round(gap, 2)::text as gap, coalesce(unknown, 0) as unknown,
    round(capacity, 2)::text as capacity, round(coalesce(planned, 0), 2) > round(capacity, 2) as over_allocated
from planned full join held using (entity_id, profile, first)
join period p using (first)
join entities e on e.id = entity_id
order by natural_order(coalesce(e.code, words_of(e.name))) collate \"C\", e.id, profile, p.first";

impl Per {
    fn word(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }

    fn length(self) -> &'static str {
        match self {
            Self::Month => "1 month",
            Self::Quarter => "3 months",
            Self::Year => "1 year",
        }
    }
}

impl Report for Parameters {
    const NAME: &'static str = "staffing";
    const SUMMARY: &'static str = "People planned, at work, missing and there, by entity, profile and period.";
    const READS: &'static [&'static str] = &[
        "assignments",
        "entities",
        "initiatives",
        "objectives",
        "staff_allocations",
        "staff_capacities",
        "steps",
        "strategies",
    ];
    type Row = Row;

    async fn rows(self, mut scope: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        // Here the entity is the one whose people they are, not one that takes part in the work.
        let entities: Vec<Uuid> = std::mem::take(&mut scope.entity_id).iter().map(|id| id.uuid()).collect();
        let is_all = scope.is_of_strategies() && scope.strategy_id.is_empty();
        let profiles: Vec<String> = self.profile.into_iter().map(|profile| profile.0).collect();
        let per = self.per.unwrap_or_default();
        let query = scope.query(&[SQL, LIMIT]).bind(entities).bind(profiles);
        answer(connection, query.bind(per.word()).bind(per.length()).bind(is_all)).await
    }
}
