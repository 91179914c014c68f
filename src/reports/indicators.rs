//! Where each indicator stands between its baseline and its targets, with the numbers from which that follows. What cannot be said is a state.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Report,
    scope::{LIMIT, Scope, answer},
};
use crate::{
    base::values::{Text, words},
    error::Error,
};

/// Whether it can be said how far an indicator is.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
enum State {
    /// It can, from baseline, target and measurements.
    Judged,
    /// Nothing was measured.
    NoMeasurement,
    /// Parts were measured, and never the whole.
    OnlyDisaggregated,
    /// It is in words.
    Qualitative,
    /// Its numbers are names.
    Nominal,
    /// There is no target.
    NoTarget,
    /// Periods of measurements that are to be added or averaged overlap.
    OverlappingPeriods,
    /// Nothing was measured that counts for the final target.
    NoMeasurementForTarget,
    /// The target of a sum ends later than what was measured: a part of a period is not held against the whole of another.
    PeriodNotOver,
    /// There is no baseline.
    NoBaseline,
    /// The final target is no better than the baseline: there is nothing to grow.
    TargetNotBeyondBaseline,
    /// The last measurement is no later than the baseline.
    NotSinceBaseline,
}

/// How it is on its way to the final target.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
enum Judgement {
    /// The target is reached.
    Achieved,
    /// It grows at 95 % of the rate that is required, or more.
    OnTrack,
    /// At 60 % or more.
    Accelerate,
    /// At less than 60 %.
    Limited,
    /// It goes the other way.
    Deterioration,
}

/// What the report of indicators can be asked.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {
    /// Only in this state; may be repeated.
    #[schema(inline)]
    state: Vec<State>,
    /// Only so judged; may be repeated.
    #[schema(inline)]
    judgement: Vec<Judgement>,
}

/// An indicator. All values are decimal strings; measurements of parts count in `measurements` alone.
#[derive(Debug, Serialize, FromRow, ToSchema)]
#[schema(as = IndicatorRow)]
pub(crate) struct Row {
    /// The indicator.
    id: Uuid,
    /// The strategy that it belongs to.
    strategy_id: Uuid,
    /// What it is about: `strategy`, `objective`, `initiative` or `step`.
    level: String,
    /// The code of that.
    item_code: Option<String>,
    /// The code of the indicator.
    code: Option<String>,
    /// What is measured.
    #[sqlx(json)]
    title: Text,
    /// What is counted.
    #[sqlx(json(nullable))]
    unit: Option<Text>,
    /// What its values are.
    measure: String,
    /// Which way is better.
    direction: Option<String>,
    /// How measurements become one value.
    aggregation: String,
    /// Where it stood at the start.
    baseline: Option<String>,
    /// When it stood there.
    baseline_on: Option<NaiveDate>,
    /// How many measurements hold, of the whole and of parts.
    measurements: i64,
    /// The latest measurement of the whole.
    value: Option<String>,
    /// The same, in words.
    #[sqlx(json(nullable))]
    descriptor: Option<Text>,
    /// The first day of its period.
    period_from: Option<NaiveDate>,
    /// The last day of its period.
    period_to: Option<NaiveDate>,
    /// `provisional` or `final`.
    status: Option<String>,
    /// The target of the shortest period in which the latest measurement ends.
    period_target: Option<String>,
    /// The last day of that period.
    period_target_on: Option<NaiveDate>,
    /// What was reached for that target, by the rule of `aggregation`.
    period_reached: Option<String>,
    /// How much of the way from the baseline to that target is made, in percent.
    period_attainment: Option<String>,
    /// The target that ends last.
    target: Option<String>,
    /// The same, in words.
    #[sqlx(json(nullable))]
    target_descriptor: Option<Text>,
    /// Its last day.
    target_on: Option<NaiveDate>,
    /// What was reached for it, by the rule of `aggregation`.
    reached: Option<String>,
    /// The last day measured for it.
    reached_on: Option<NaiveDate>,
    /// How much of the way from the baseline to it is made, in percent.
    attainment: Option<String>,
    /// How the rates of growth are computed: `compound`, or `linear` where a value is not above zero.
    method: Option<String>,
    /// Growth a year from the baseline to what was reached: percent when compound, units when linear.
    observed_growth: Option<String>,
    /// Growth a year from the baseline that reaches the target in time, likewise.
    required_growth: Option<String>,
    /// Observed to required growth in percent, below zero the other way; at most 99999.9 either way.
    ratio: Option<String>,
    /// How it is on its way; null where the state lets nothing be said.
    #[schema(inline)]
    judgement: Option<Judgement>,
    /// Whether it can be said how far it is.
    #[schema(inline)]
    state: State,
}

/// The indicators in the scope. Those of strategies and objectives have no status, no deadline, and no entity but who measures them.
const CHOSEN: &str = ",
placed as not materialized (
    select n.*, coalesce(n.strategy_id, o.strategy_id, i.strategy_id) as of_strategy, coalesce(n.objective_id, i.objective_id) as of_objective,
        coalesce(i.level, case when n.objective_id is null then 'strategy' else 'objective' end) as level,
        coalesce(i.code, o.code) as below_code, i.code_order as item_order, i.initiative_order
    from indicators n left join objectives o on o.id = n.objective_id left join every_item i on i.id = n.item_id
),
chosen as (
    select * from placed p
    where p.item_id in (select id from item)
        or $4 = '{}' and $5 is null and $6 is null and ($1 = '{}' or p.of_strategy = any($1))
            and ($2 = '{}' or p.of_objective in (select id from branch))
            and case when $3 = '{}' then p.item_id is null else p.entity_id = any($3) end
),
held as not materialized (
    select m.* from measurements m
    where m.status <> 'withdrawn' and not exists (select from measurements r where r.restates_id = m.id)
),
total as not materialized (
    select * from held where disaggregation = '{}'
),
latest as (
    select n.id as of, l.* from chosen n, lateral (
        select * from total m where m.indicator_id = n.id order by m.period_to desc, m.period_from desc, m.id desc limit 1) l
),
goal as (
    select distinct on (t.indicator_id) 'final' as which, t.*
    from chosen n join indicator_targets t on t.indicator_id = n.id
    order by t.indicator_id, t.period_to desc, t.period_from, t.id
),
goals as (
    select * from goal
    union all
    select * from (
        select distinct on (t.indicator_id) 'period', t.*
        from latest l join indicator_targets t on t.indicator_id = l.of and l.period_to between t.period_from and t.period_to
        order by t.indicator_id, t.period_to - t.period_from, t.id) near
),";

/// What was reached for each target. Rows are in the order of their beginning, so if any two overlap, two neighbours do.
const REACHED: &str = "
reached as (
    select g.which, g.indicator_id, g.value as target, g.descriptor, g.period_to as target_on, v.reached_on,
        -- A sum over a part of the period of its target is no figure to hold against that of another period, unless it only grows, from nothing.
        coalesce(n.aggregation = 'sum' and v.overlap is not true and v.days < g.period_to - g.period_from + 1
            and (n.direction = 'descending' or n.baseline_value <> 0 and v.sum < g.value), false) as is_partial,
        coalesce(v.overlap and n.aggregation in ('sum', 'average'), false) as has_overlap,
        case when v.overlap and n.aggregation in ('sum', 'average') then null
            when n.aggregation = 'sum' then v.sum when n.aggregation = 'average' then v.average else v.last end as value
    from goals g join chosen n on n.id = g.indicator_id, lateral (
        select sum(value) as sum, sum(period_to - period_from + 1) as days, trim_scale(round(avg(value), 6)) as average, max(period_to) as reached_on, bool_or(overlap) as overlap,
            (array_agg(value order by period_to desc, period_from desc, id desc))[1] as last
        from (
            select m.*, lag(m.period_to) over (order by m.period_from, m.period_to) >= m.period_from as overlap
            from total m
            where m.indicator_id = n.id and m.period_to <= g.period_to
                and case n.aggregation when 'latest' then true
                    when 'none' then m.period_from = g.period_from and m.period_to = g.period_to
                    else m.period_from >= g.period_from end) within
    ) v
),
figure as (
    select n.*, l.value, l.descriptor, l.period_from, l.period_to, l.status,
        (select count(*) from held m where m.indicator_id = n.id) as measurements, l.of is not null as is_measured,
        p.target as period_target, p.target_on as period_target_on, p.value as period_reached,
        f.indicator_id is not null as has_target, f.target, f.descriptor as target_descriptor, f.target_on, f.value as reached, f.reached_on,
        f.has_overlap, n.baseline_value as base, case n.direction when 'descending' then -1 else 1 end as sign,
        n.measure in ('unit', 'percentage', 'ordinal') as is_number,
        coalesce(f.is_partial, false) as is_partial, coalesce(p.is_partial, false) as is_period_partial,
        (f.reached_on - n.baseline_on) / 365.25 as years, (f.target_on - n.baseline_on) / 365.25 as all_years
    from chosen n
    left join latest l on l.of = n.id
    left join reached f on f.indicator_id = n.id and f.which = 'final'
    left join reached p on p.indicator_id = n.id and p.which = 'period'
),
-- A rate of growth is of something above zero, and one too small to be told from zero divides nothing: those are linear.
rated as (
    select *, is_number and sign * (target - base) > 0 as is_beyond,
        is_number and sign * (period_target - base) > 0 as is_period_beyond,
        is_number and sign * (target - base) > 0 and reached is not null and years > 0 and not is_partial as has_rates,
        least(base, target, reached) > 0 and abs(target - base) > base / 1000000000 as is_compound
    from figure
),
-- The rates as powers of e, which PostgreSQL computes up to the 6000th.
powers as (
    select *, case when has_rates and is_compound then greatest(least(ln(reached / base) / years, 1000), -1000) end as observed_power,
        case when has_rates and is_compound then greatest(least(ln(target / base) / all_years, 1000), -1000) end as required_power
    from rated
),
grown as (
    select *, case when has_rates and is_compound then exp(observed_power) - 1 when has_rates then (reached - base) / years end as observed,
        case when has_rates and is_compound then exp(required_power) - 1 when has_rates then (target - base) / all_years end as required
    from powers
),
compared as (
    -- What a division left is taken off, so that exactly 95 percent is 95 percent.
    select *, round(sign * observed / abs(nullif(required, 0)), 12) as ratio from grown
),";

const JUDGED: &str = "
judged as (
    select *,
        case when not is_number or reached is null or target is null or is_partial then null
            when sign * (reached - target) >= 0 then 'achieved'
            when base is null then null
            when not is_beyond then 'deterioration'
            when ratio >= 0.95 then 'on_track' when ratio >= 0.6 then 'accelerate' when ratio >= 0 then 'limited' when ratio < 0 then 'deterioration'
        end as judgement,
        case when measurements = 0 then 'no_measurement'
            when measure = 'qualitative' then 'qualitative'
            when measure = 'nominal' then 'nominal'
            when not is_measured then 'only_disaggregated'
            when not has_target then 'no_target'
            when has_overlap then 'overlapping_periods'
            when reached is null then 'no_measurement_for_target'
            when is_partial then 'period_not_over'
            when base is null then 'no_baseline'
            when not is_beyond then 'target_not_beyond_baseline'
            when ratio is null then 'not_since_baseline'
            else 'judged' end as state
    from compared
)
select j.id, st.id as strategy_id, j.level, coalesce(j.below_code, st.code) as item_code, j.code, j.title, j.unit, j.measure, j.direction,
    j.aggregation, j.base::text as baseline, j.baseline_on, j.measurements, j.value::text as value, j.descriptor, j.period_from, j.period_to,
    j.status, j.period_target::text as period_target, j.period_target_on, j.period_reached::text as period_reached,
    case when j.is_period_beyond and not j.is_period_partial then round(100 * (j.period_reached - j.base) / (j.period_target - j.base), 1)::text end as period_attainment,
    j.target::text as target, j.target_descriptor, j.target_on, j.reached::text as reached, j.reached_on,
    case when j.is_beyond and not j.is_partial then round(100 * (j.reached - j.base) / (j.target - j.base), 1)::text end as attainment,
    case when j.ratio is null then null when j.is_compound then 'compound' else 'linear' end as method,
    trim_scale(round(case when j.ratio is null or abs(j.observed_power) >= 1000 then null when j.is_compound then 100 * j.observed else j.observed end, 4))::text as observed_growth,
    trim_scale(round(case when j.ratio is null then null when j.is_compound then 100 * j.required else j.required end, 4))::text as required_growth,
    case when j.ratio is not null then greatest(least(round(100 * j.ratio, 1), 99999.9), -99999.9)::text end as ratio, j.judgement, j.state
from judged j
join strategies st on st.id = j.of_strategy
left join objectives o on o.id = j.of_objective
where ($7 = '{}' or j.state = any($7)) and ($8 = '{}' or j.judgement = any($8))
order by st.code is null, st.code_order, st.id, j.level <> 'strategy', o.code_order nulls last, o.id, j.level <> 'objective', j.initiative_order,
    j.level = 'step', j.item_order, j.code_order, j.id";

impl Report for Parameters {
    const NAME: &'static str = "indicators";
    const SUMMARY: &'static str =
        "Where each indicator stands between its baseline and its targets, and whether it is on track.";
    const READS: &'static [&'static str] = &[
        "assignments",
        "indicator_targets",
        "indicators",
        "initiatives",
        "measurements",
        "objectives",
        "steps",
        "strategies",
    ];
    type Row = Row;

    async fn rows(self, scope: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        let query = scope.query(&[CHOSEN, REACHED, JUDGED, LIMIT]);
        answer(connection, query.bind(words(&self.state)).bind(words(&self.judgement))).await
    }
}
