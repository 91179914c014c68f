//! How a score came to be: each day on which what is claimed or proven changed, out of the record.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    About, Report,
    readiness::tally::{Counted, Tally, points, shares_of_all, shown, tier},
    scope::{LIMIT, Scope, answer, ids},
};
use crate::{
    base::values::Text,
    error::Error,
    nouns::readiness::{assessments::AssessmentId, framework_parts::FrameworkTier},
    repository::Reference,
};

/// What the history of readiness can be asked.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {
    /// Of this assessment; may be repeated. Of all when not given.
    assessment_id: Vec<AssessmentId>,
}

/// A day on which the score of an assessment changed: how it stood at its end. The framework is taken as it is now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReadinessHistoryRow)]
pub(crate) struct Row {
    /// The assessment.
    assessment_id: Uuid,
    /// Its title.
    assessment: Text,
    /// The code and edition of the framework.
    framework: String,
    /// Whether the framework was compared with what its owner publishes.
    framework_is_verified: bool,
    /// The day.
    on: NaiveDate,
    /// How many indicators had an answer.
    answered: i64,
    /// How many had none.
    unanswered: i64,
    /// How many were proven in full.
    proven_in_full: i64,
    /// Points at most; null where no indicator has points.
    max: Option<String>,
    /// Points claimed.
    claimed: Option<String>,
    /// Points proven.
    proven: Option<String>,
    /// Percent proven.
    proven_percent: Option<String>,
    /// The tier of that.
    tier: Option<String>,
}

/// An indicator of an assessment at the end of a day.
#[derive(Debug, FromRow)]
#[expect(clippy::struct_excessive_bools, reason = "a row of a query")]
struct Stood {
    assessment_id: Uuid,
    #[sqlx(json)]
    assessment: Text,
    framework: String,
    framework_is_verified: bool,
    #[sqlx(json)]
    tiers: Vec<FrameworkTier>,
    day: NaiveDate,
    area: String,
    weight: Option<Decimal>,
    max_points: Option<Decimal>,
    is_answered: bool,
    said: Option<Decimal>,
    is_met: bool,
    is_proven: bool,
}

/// Versions of a row count from the day of their change to the day before the next; of several on one day the last.
const STOOD: &str = "
with told as (
    select a.id, a.title, f.code || ' ' || f.edition as framework, f.is_verified, f.tiers, f.areas, a.created_at
    from assessments a join frameworks f on f.id = a.framework_id where $1 = '{}' or a.id = any($1)
),
said as (
    select c.entity_id as id, c.after, day_of(c.at) as starts_on, day_of(lead(c.at) over (partition by c.entity_id order by c.version)) as ends_on
    from changes c
    where c.kind = 'answer' and c.entity_id in (
        select k.entity_id from changes k where k.kind = 'answer' and (k.after ->> 'assessment_id')::uuid in (select id from told))
),
cited as (
    select c.entity_id as id, c.after, day_of(c.at) as starts_on, day_of(lead(c.at) over (partition by c.entity_id order by c.version)) as ends_on
    from changes c
    where c.kind = 'citation' and c.entity_id in (
        select k.entity_id from changes k where k.kind = 'citation' and (k.after ->> 'answer_id')::uuid in (select id from said))
),
proof as (
    select c.entity_id as id, c.after, day_of(c.at) as starts_on, day_of(lead(c.at) over (partition by c.entity_id order by c.version)) as ends_on
    from changes c
    where c.kind = 'evidence' and c.entity_id in (select (after ->> 'evidence_id')::uuid from cited)
),
-- Who is concerned by a day: what an answer belongs to never changes hands without a change of it.
belongs as (
    select distinct id, (after ->> 'assessment_id')::uuid as assessment_id from said where after is not null
),
moved as (
    select b.assessment_id, s.id as answer_id, s.starts_on as day from said s join belongs b using (id)
    union
    select b.assessment_id, b.id, c.starts_on from cited c join cited k on k.id = c.id join belongs b on b.id = (k.after ->> 'answer_id')::uuid
    union
    select b.assessment_id, b.id, d.day
    from proof p join cited k on (k.after ->> 'evidence_id')::uuid = p.id join belongs b on b.id = (k.after ->> 'answer_id')::uuid,
        lateral (values (p.starts_on), ((p.after ->> 'valid_until')::date + 1)) d(day)
),
day as (
    select distinct t.id, m.day from told t join moved m on m.assessment_id = t.id where m.day <= (select today())
        and m.day >= (select min(s.starts_on) from said s join belongs b using (id) where b.assessment_id = t.id)
)
select t.id as assessment_id, t.title as assessment, t.framework, t.is_verified as framework_is_verified, t.tiers, d.day, i.area, i.weight, i.max_points,
    w.id is not null as is_answered, w.said, coalesce(w.is_met, false) as is_met, w.id is not null and exists (
        select from cited c join proof p on p.id = (c.after ->> 'evidence_id')::uuid
        where (c.after ->> 'answer_id')::uuid = w.id and c.starts_on <= d.day and coalesce(c.ends_on > d.day, true)
            and p.after is not null and p.starts_on <= d.day and coalesce(p.ends_on > d.day, true)
            and evidence_standing(p.after ->> 'state', (p.after ->> 'valid_until')::date, d.day) = 'verified'
            and (i.accepted_evidence = '{}' or p.after ->> 'kind' = any(i.accepted_evidence))) as is_proven
from told t join day d on d.id = t.id cross join lateral framework_indicators(t.areas) i
left join lateral (
    select s.id, points_said(i.levels, i.max_points, (s.after ->> 'points')::numeric, s.after ->> 'level', (s.after ->> 'is_met')::boolean) as said,
        (s.after ->> 'is_met')::boolean as is_met
    from said s
    where (s.after ->> 'assessment_id')::uuid = t.id and s.after ->> 'indicator' = i.code and s.starts_on <= d.day and coalesce(s.ends_on > d.day, true)
    limit 1
) w on true
order by t.created_at, t.id, d.day, i.place";

impl Report for Parameters {
    const NAME: &'static str = "readiness-history";
    const SUMMARY: &'static str =
        "Each day on which the points claimed or proven of an assessment changed, out of the record.";
    const ABOUT: About = About::Other;
    const REFERENCES: &'static [Reference] = &[Reference { field: "assessment_id", table: "assessments" }];
    const READS: &'static [&'static str] = &["answers", "assessments", "citations", "evidence", "frameworks"];
    type Row = Row;

    async fn rows(self, _: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        let query = sqlx::query_as(AssertSqlSafe([STOOD, LIMIT].concat())).bind(ids(&self.assessment_id));
        let stood: Vec<Stood> = answer(connection, query).await?;
        let mut rows: Vec<Row> = Vec::new();
        for of_day in stood.chunk_by(|a, b| (a.assessment_id, a.day) == (b.assessment_id, b.day)) {
            let row = of_one(of_day);
            let is_same = rows.last().is_some_and(|last| last.says_the_same(&row));
            if !is_same {
                rows.push(row);
            }
        }
        Ok(rows)
    }
}

impl Row {
    fn says_the_same(&self, later: &Self) -> bool {
        let said =
            |row: &Self| (row.assessment_id, row.claimed.clone(), row.proven.clone(), row.answered, row.proven_in_full);
        said(self) == said(later)
    }
}

fn of_one(stood: &[Stood]) -> Row {
    let (mut whole, mut areas) = (Tally::default(), Vec::new());
    for area in stood.chunk_by(|a, b| a.area == b.area) {
        let mut tally = Tally::default();
        for each in area {
            let said = each.said.unwrap_or_default();
            tally.add(&Counted {
                most: each.max_points,
                is_answered: each.is_answered,
                claimed: said,
                proven: if each.is_proven { said } else { Decimal::ZERO },
                is_met: each.is_met,
                is_met_proven: each.is_met && each.is_proven,
            });
        }
        whole.join(&tally);
        areas.push((area[0].weight, tally));
    }
    let (first, shares) = (&stood[0], shares_of_all(&areas, &whole));
    let has_points = whole.unscored < whole.indicators;
    Row {
        assessment_id: first.assessment_id,
        assessment: first.assessment.clone(),
        framework: first.framework.clone(),
        framework_is_verified: first.framework_is_verified,
        on: first.day,
        answered: whole.answered,
        unanswered: whole.indicators - whole.answered,
        proven_in_full: whole.proven_in_full,
        max: has_points.then(|| points(whole.most)),
        claimed: has_points.then(|| points(whole.claimed)),
        proven: has_points.then(|| points(whole.proven)),
        proven_percent: shares.map(|(_, proven)| shown(proven)),
        tier: shares.and_then(|(_, proven)| tier(&first.tiers, proven)),
    }
}
