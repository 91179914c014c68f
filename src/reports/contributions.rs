//! Capacity building given and received, by year and recipient. A year without any is a row that says so.

mod sentence;
mod years;

use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Report,
    scope::{LIMIT, Scope, answer},
};
use crate::{
    base::values::{Text, codelists, words},
    error::Error,
    nouns::international::contributions::ContributionDirection,
};

/// By what the rows of a year are told apart.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum By {
    /// By the countries and regions for which the contributions are.
    #[default]
    Recipient,
    /// Not at all.
    Year,
}

/// What the report of contributions can be asked. `entity_id` of the scope is the entity of ours, or a partner.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {
    /// The first year; when not given, the first of the strategies asked for, or else four years before this one.
    #[schema(minimum = 1990, maximum = 2100)]
    from: Option<i32>,
    /// The last year; when not given, the last of the strategies asked for, but not after this one.
    #[schema(minimum = 1990, maximum = 2100)]
    to: Option<i32>,
    /// Only in this direction; may be repeated.
    #[schema(inline)]
    direction: Vec<ContributionDirection>,
    /// `recipient` (when not given) or `year`.
    #[schema(inline)]
    by: Option<By>,
}

/// Money in one currency, decimal strings; null where nothing is recorded, which is not zero.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ContributionSum)]
struct Sum {
    /// ISO 4217 alphabetic code.
    currency: String,
    /// Budgets that begin in the year; a revised one in place of the original of the same time.
    budget: Option<String>,
    /// Firm promises made in the year: outgoing of what is given, incoming of what is received.
    committed: Option<String>,
    /// Spent: of what is given disbursements and expenditure, of what is received incoming funds and disbursements.
    spent: Option<String>,
}

/// A direction and year, and a recipient; a year without any contribution has one row with zeros.
#[derive(Debug, Serialize, FromRow, ToSchema)]
#[schema(as = ContributionRow)]
pub(crate) struct Row {
    /// `given` or `received`.
    direction: String,
    /// The calendar year.
    year: i32,
    /// The country, ISO 3166-1 alpha-2.
    country: Option<String>,
    /// The region (OECD DAC), where it is no country. Both are null where it is not known for whom, or not how much for each.
    region: Option<String>,
    /// The name of the region.
    #[sqlx(skip)]
    region_name: Option<String>,
    /// The row in words. Where there is none in any of the years, also what would change that.
    #[sqlx(skip)]
    sentence: Text,
    /// Contributions that are or were carried out in the year, or in which people were trained in it. One for several recipients counts for
    /// each, and once more where some of its figures are not told apart by recipient.
    active: i64,
    /// Contributions still in the pipeline that are planned for the year.
    planned: i64,
    /// People trained; null where contributions are active and none says how many.
    trained: Option<i64>,
    /// Of these, women.
    women: Option<i64>,
    /// Of these, men.
    men: Option<i64>,
    /// Of these, counted as neither.
    other: Option<i64>,
    /// Of these, not counted by sex.
    unknown: Option<i64>,
    /// Active contributions that are training and do not say for the year how many were trained.
    unstated: i64,
    /// Sums by currency; no currency is ever added to another. Empty where no money is recorded.
    #[sqlx(json)]
    money: Vec<Sum>,
    /// The active contributions.
    contribution_ids: Vec<Uuid>,
}

const CHOSEN: &str = ",
chosen as (
    select c.*, case when c.actual_starts_on is not null or c.status not in ('pipeline', 'cancelled') then c.starts_on end as begun_on
    from contributions c
    where ($10 = '{}' or c.direction = any($10))
        and ($7 = '{}' or c.lead_id = any($7)
            or exists (select from contribution_partners p where p.contribution_id = c.id and p.entity_id = any($7)))
        and ";

/// `$8` and `$9` are the years, `$11` whether rows are told apart by recipient. A fact is what one contribution adds to one row.
const SQL: &str = "
),
life as (
    select c.id, extract(year from c.begun_on)::integer as first,
        extract(year from greatest(c.begun_on, case
            when c.actual_ends_on is not null then c.actual_ends_on
            when c.status in ('implementation', 'finalisation') then greatest(c.planned_ends_on, (select today()))
            when c.status = 'closed' then c.planned_ends_on
            when c.status = 'suspended' then least(c.planned_ends_on, (select today()))
        end))::integer as last
    from chosen c where c.begun_on is not null
),
active as (
    select id, year from life, generate_series(greatest(first, $8), least(last, $9)) year
    union
    select c.id, (t ->> 'year')::integer from chosen c, jsonb_array_elements(c.trainees) t where (t ->> 'count')::integer > 0
),
recipient as (
    select c.id, r ->> 'country' as country, r ->> 'region' as region,
        case when jsonb_array_length(c.recipients) = 1 then 1 else (r ->> 'percentage')::numeric / 100 end as share
    from chosen c, jsonb_array_elements(c.recipients) r where $11
),
-- Money goes to recipients by their shares, and where there are none to nobody in particular.
shared as (
    select id, country, region, share from recipient where share is not null
    union all
    select id, null, null, 1 from chosen c where not exists (select from recipient r where r.id = c.id and r.share is not null)
),
-- People are from where they were counted, else from the only country for which it is.
only_one as (
    select id, max(country) as country, max(region) as region from recipient group by id having count(*) = 1
),
paid as (
    select c.id, extract(year from (b ->> 'from')::date)::integer as year, 'budget' as sum, b -> 'money' ->> 'currency' as currency,
        (b -> 'money' ->> 'amount')::numeric as amount
    from chosen c, jsonb_array_elements(c.budgets) b
    where c.status <> 'cancelled' and (b ->> 'kind' = 'revised' or not exists (
        select from jsonb_array_elements(c.budgets) r where r ->> 'kind' = 'revised'
            and (r ->> 'from')::date <= (b ->> 'to')::date and (r ->> 'to')::date >= (b ->> 'from')::date))
    union all
    select c.id, extract(year from (t ->> 'dated_on')::date)::integer,
        case when t ->> 'kind' in ('outgoing_commitment', 'incoming_commitment') then 'committed' else 'spent' end,
        t -> 'money' ->> 'currency',
        (t -> 'money' ->> 'amount')::numeric * case when (t ->> 'is_reversal')::boolean then -1 else 1 end
    from chosen c, jsonb_array_elements(c.transactions) t
    where t ->> 'kind' = any(case c.direction when 'given' then array['outgoing_commitment', 'disbursement', 'expenditure']
        else array['incoming_commitment', 'incoming_funds', 'disbursement'] end)
),
fact as (
    select a.id, a.year, r.country, r.region, true as is_active, false as is_planned,
        coalesce(c.modality = 'training', false)
            and not exists (select from jsonb_array_elements(c.trainees) t where (t ->> 'year')::integer = a.year) as is_unstated,
        null as sex, null::bigint as people, null as sum, null as currency, null::numeric as amount
    from active a join chosen c on c.id = a.id left join recipient r on r.id = a.id
    union all
    select c.id, year, r.country, r.region, false, true, false, null, null, null, null, null
    from chosen c left join recipient r on r.id = c.id, generate_series(
        greatest(extract(year from c.planned_starts_on)::integer, $8),
        least(extract(year from coalesce(c.planned_ends_on, c.planned_starts_on))::integer, $9)) year
    where c.status = 'pipeline' and c.actual_starts_on is null
    union all
    select c.id, (t ->> 'year')::integer, case when $11 then coalesce(t ->> 'country', o.country) end,
        case when t ->> 'country' is null then o.region end, (t ->> 'count')::integer > 0, false, false, t ->> 'sex', (t ->> 'count')::bigint, null, null, null
    from chosen c left join only_one o on o.id = c.id, jsonb_array_elements(c.trainees) t
    union all
    select p.id, p.year, s.country, s.region, (p.id, p.year) in (select id, year from active), false, false, null, null, p.sum, p.currency, p.amount * s.share
    from paid p join shared s on s.id = p.id
),
told as (
    select c.direction, f.* from fact f join chosen c on c.id = f.id where f.year between $8 and $9
),
summed as (
    select direction, year, country, region,
        count(distinct id) filter (where is_active) as active, count(distinct id) filter (where is_planned) as planned,
        sum(people)::bigint as trained, sum(people) filter (where sex = 'female')::bigint as women,
        sum(people) filter (where sex = 'male')::bigint as men, sum(people) filter (where sex = 'other')::bigint as other,
        sum(people) filter (where sex = 'unknown')::bigint as unknown,
        count(distinct id) filter (where is_unstated) as unstated,
        coalesce(array_agg(distinct id) filter (where is_active), '{}') as contribution_ids
    from told group by direction, year, country, region
),
by_currency as (
    select direction, year, country, region, currency, written(sum(amount) filter (where sum = 'budget'), currency) as budget,
        written(sum(amount) filter (where sum = 'committed'), currency) as committed,
        written(sum(amount) filter (where sum = 'spent'), currency) as spent
    from told where currency is not null group by direction, year, country, region, currency
)
select d.direction, y.year, s.country, s.region, coalesce(s.active, 0) as active, coalesce(s.planned, 0) as planned,
    case when s.trained is null and coalesce(s.active, 0) = 0 then 0 else s.trained end as trained,
    case when s.trained is null and s.active > 0 then null else coalesce(s.women, 0) end as women,
    case when s.trained is null and s.active > 0 then null else coalesce(s.men, 0) end as men,
    case when s.trained is null and s.active > 0 then null else coalesce(s.other, 0) end as other,
    case when s.trained is null and s.active > 0 then null else coalesce(s.unknown, 0) end as unknown,
    coalesce(s.unstated, 0) as unstated,
    coalesce((select jsonb_agg(jsonb_build_object('currency', m.currency, 'budget', m.budget, 'committed', m.committed, 'spent', m.spent)
            order by m.currency)
        from by_currency m where m.direction = d.direction and m.year = y.year
            and m.country is not distinct from s.country and m.region is not distinct from s.region), '[]') as money,
    coalesce(s.contribution_ids, '{}') as contribution_ids
from (values ('given', 1), ('received', 2)) d (direction, place) cross join generate_series($8, $9) y (year)
left join summed s on s.direction = d.direction and s.year = y.year
where $10 = '{}' or d.direction = any($10)
order by d.place, y.year, s.country nulls last, s.region nulls last";

impl Report for Parameters {
    const NAME: &'static str = "contributions";
    const SUMMARY: &'static str =
        "Capacity building given and received by year and recipient; a year without any is a row that says so.";
    const READS: &'static [&'static str] = &[
        "assignments",
        "contribution_partners",
        "contributions",
        "entities",
        "initiatives",
        "objectives",
        "steps",
        "strategies",
    ];
    type Row = Row;

    async fn rows(self, mut scope: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        let (from, to) = years::asked(connection, self.from, self.to, &scope).await?;
        // Here the entity is the one that answers for a contribution or takes part in it, not one that takes part in the work.
        let entities: Vec<Uuid> = std::mem::take(&mut scope.entity_id).iter().map(|id| id.uuid()).collect();
        let query = scope
            .query(&[CHOSEN, scope.of_work(), SQL, LIMIT])
            .bind(entities)
            .bind(from)
            .bind(to)
            .bind(words(&self.direction))
            .bind(self.by.unwrap_or_default() == By::Recipient);
        let mut rows: Vec<Row> = answer(connection, query).await?;
        for row in &mut rows {
            row.region_name = row.region.as_deref().and_then(codelists::dac_region).map(str::to_owned);
        }
        sentence::write(&mut rows, (from, to));
        Ok(rows)
    }
}
