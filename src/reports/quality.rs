//! What a plan lacks of what the references for national strategies ask of one.

use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Report, contradictions,
    gaps::{self, Kind},
    scope::{LIMIT, Scope, answer},
};
use crate::{base::values::Text, error::Error};

/// What the report of quality can be asked.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {}

/// Something that the plan lacks.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QualityRow)]
pub(crate) struct Row {
    /// What is lacking, such as `initiative_without_lead`.
    kind: String,
    /// What lacks it: `strategy`, `objective`, `initiative`, `step`, `dependency` or `indicator`.
    noun: String,
    /// Its id.
    id: Uuid,
    /// Its code; of a dependency the codes of both sides.
    code: Option<String>,
    /// Its title.
    title: Option<Text>,
    /// What is missing or wrong.
    detail: String,
    /// Who asks for it, separated by semicolons; null for what contradicts itself, which nobody has to ask for.
    asked_by: Option<String>,
}

/// The gaps that matter here.
const GAPS: [Kind; 9] = [
    Kind::StrategyWithoutLegalAct,
    Kind::ObjectiveWithoutInitiative,
    Kind::InitiativeWithoutStep,
    Kind::InitiativeWithoutLead,
    Kind::InitiativeWithoutDeadline,
    Kind::DeadlineUnparsed,
    Kind::InitiativeWithoutMoney,
    Kind::InitiativeWithoutPeople,
    Kind::DependencyContradictsDates,
];

/// What is wrong with the measures. An objective is measured by what measures it, an objective under it, or the work on these.
const MEASURES: &str = ",
measured as (
    select n.id, n.code, n.title, n.value_chain_stage as stage, n.measure, n.direction, n.baseline_value, n.baseline_descriptor, n.baseline_on,
        coalesce(n.strategy_id, o.strategy_id, i.strategy_id) as strategy_id, coalesce(n.objective_id, i.objective_id) as objective_id, n.item_id,
        coalesce(i.status = 'completed' or s.status = 'completed', false) as is_done
    from indicators n
    left join steps s on s.id = n.step_id
    left join initiatives i on i.id = coalesce(n.initiative_id, s.initiative_id)
    left join objectives o on o.id = n.objective_id
    -- What is given up measures nothing.
    where i.status is distinct from 'cancelled' and s.status is distinct from 'cancelled'
),
-- Objectives that may be measured by what the reader does not see.
veiled(objective_id) as (
    select objective_id from withheld_indicators
    union all select i.objective_id from withheld_indicators w join initiatives i on i.id = w.initiative_id
    union all select i.objective_id from withheld_indicators w join steps s on s.id = w.step_id join initiatives i on i.id = s.initiative_id
    union all select i.objective_id from withheld_steps w join initiatives i on i.id = w.initiative_id
    union all select objective_id from withheld_initiatives
    union all select parent_id from withheld_objectives
),
served(id) as (
    select objective_id from measured where stage in ('outcome', 'impact') and objective_id is not null
    union
    select w.objective_id from veiled w where w.objective_id is not null
    union
    select o.parent_id from served s join objectives o on o.id = s.id where o.parent_id is not null
),
finding as (
    select 1 as place, 'objective_without_outcome_measure' as kind, 'objective' as noun, o.id, o.code, o.title, o.strategy_id, o.id as objective_id, null::uuid as item_id,
        'no indicator of an outcome or impact measures it or what is under it' as detail
    from objectives o where o.parent_id is null and o.id not in (select id from served)
    union all
    select 2, 'indicator_without_baseline', 'indicator', id, code, title, strategy_id, objective_id, item_id, 'it is not said where it stood at the start'
    from measured where baseline_value is null and baseline_descriptor is null and not is_done
    union all
    select 3, 'indicator_without_target', 'indicator', id, code, title, strategy_id, objective_id, item_id, 'it has no target'
    from measured m where not exists (select from indicator_targets t where t.indicator_id = m.id) and not is_done
        and not exists (select from withheld_indicator_targets w where w.indicator_id = m.id)
    union all
    select 4, 'target_impossible', 'indicator', m.id, m.code, m.title, m.strategy_id, m.objective_id, m.item_id,
        'the target ' || t.value || ' for ' || t.period_to || ' ' || w.why
    from measured m
    join indicator_targets t on t.indicator_id = m.id
    join strategies st on st.id = m.strategy_id,
        lateral (
            select case
                when m.measure = 'percentage' and t.value not between 0 and 100 then 'is no part of a hundred'
                when m.direction = 'ascending' and t.value < m.baseline_value then 'is less than the baseline ' || m.baseline_value || ', and more is better'
                when m.direction = 'descending' and t.value > m.baseline_value then 'is more than the baseline ' || m.baseline_value || ', and less is better'
                when t.period_to < m.baseline_on then 'is to be reached before the baseline of ' || m.baseline_on
                when t.period_to < st.starts_on then 'is to be reached before the plan begins on ' || st.starts_on
            end as why
        ) w
    where w.why is not null and not m.is_done
)
select f.kind, f.noun, f.id, f.code, f.title, f.detail
from finding f join strategies st on st.id = f.strategy_id
where f.item_id in (select id from item)
    or $3 = '{}' and $4 = '{}' and $5 is null and $6 is null and ($1 = '{}' or f.strategy_id = any($1))
        and ($2 = '{}' or f.objective_id in (select id from branch))
order by f.place, st.code is null, st.code_order, st.id, natural_order(f.code) collate \"C\" nulls last, f.id";

/// Who asks for what is lacking: NCSI 3.0 indicator 1.5 (action plan), Directive (EU) 2022/2555 (NIS2) article 7, and the findings of
/// GAO-24-106916 on the plan of the United States. Nobody has to ask that a plan does not contradict itself.
fn asked_by(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "strategy_without_legal_act" => "NCSI 1.5 (the action plan is approved)",
        "objective_without_initiative" => "NCSI 1.5 (objectives are translated into initiatives)",
        "initiative_without_step" => "NCSI 1.5 (concrete steps)",
        "initiative_without_lead" => {
            "NCSI 1.5 (named entities); NIS2 art. 7(1)(f) (authorities and stakeholders involved)"
        }
        "initiative_without_deadline" | "deadline_unparsed" => "NCSI 1.5 (timelines)",
        "initiative_without_money" => {
            "NCSI 1.5 (financial resources); NIS2 art. 7(1) (resources required); GAO-24-106916 (estimates of cost)"
        }
        "initiative_without_people" => "NCSI 1.5 (human resources); NIS2 art. 7(1) (resources required)",
        "objective_without_outcome_measure" => "GAO-24-106916 (outcome-oriented measures); NCSI 1.5 (metrics)",
        "indicator_without_baseline" | "indicator_without_target" => "NCSI 1.5 (metrics)",
        _ => return None,
    })
}

impl Report for Parameters {
    const NAME: &'static str = "quality";
    const SUMMARY: &'static str = "What the plan lacks of what NCSI, NIS2 and GAO ask of one.";
    const READS: &'static [&'static str] = &[
        "assignments",
        "budget_allocations",
        "dependencies",
        "indicator_targets",
        "indicators",
        "initiatives",
        "objectives",
        "staff_allocations",
        "steps",
        "strategies",
    ];
    type Row = Row;

    async fn rows(self, scope: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        let mut found: Vec<gaps::Row> = answer(connection, scope.query(&[MEASURES, LIMIT])).await?;
        let gaps = gaps::Parameters { kind: GAPS.to_vec() };
        found.extend(contradictions::rows(&scope, connection).await?);
        found.splice(0..0, gaps.rows(scope, connection).await?);
        let row = |gap: gaps::Row| Row {
            asked_by: asked_by(&gap.kind).map(str::to_owned),
            kind: gap.kind,
            noun: gap.noun,
            id: gap.id,
            code: gap.code,
            title: gap.title,
            detail: gap.detail,
        };
        Ok(found.into_iter().map(row).collect())
    }
}
