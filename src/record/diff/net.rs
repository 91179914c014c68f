//! What changed between two moments, one row a resource: as it was at the first, as it was at the second, who did it and why.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use sqlx::{FromRow, PgConnection, types::Json};
use uuid::Uuid;

use crate::repository::{Clearance, Error};

/// The fields of a resource, as the record has them.
pub(super) type Fields = Map<String, Value>;

/// What became of a resource.
#[derive(Debug, FromRow)]
pub(super) struct Net {
    pub(super) kind: String,
    pub(super) resource_id: Uuid,
    /// At the first moment; `None` when it was not there.
    pub(super) before: Option<Json<Fields>>,
    /// At the second moment; `None` when it was not there.
    pub(super) after: Option<Json<Fields>>,
    /// The strategy that it belongs to, if it is of a plan.
    pub(super) strategy_id: Option<Uuid>,
    /// The code of the initiative or step that it is about.
    pub(super) item_code: Option<String>,
    /// Of the reversal of a revision: which way that went.
    pub(super) revised: Option<String>,
    pub(super) actors: Vec<String>,
    pub(super) reasons: Vec<String>,
    pub(super) changes: i64,
    pub(super) recorded_at: DateTime<Utc>,
}

impl Net {
    /// Its fields at the later of the two moments when it was there.
    pub(super) fn fields(&self) -> Option<&Fields> {
        self.after.as_ref().or(self.before.as_ref()).map(|fields| &fields.0)
    }

    /// The initiative or step that it is about.
    pub(super) fn item(&self) -> Option<Uuid> {
        let fields = self.fields()?;
        ["step_id", "initiative_id"].iter().find_map(|name| fields.get(*name)?.as_str()?.parse().ok())
    }
}

/// What a row is about is looked up among all versions, of which a reader sees those of what it sees today: it may itself have come or gone in
/// between.
const SQL: &str = "
with bounds as (
    select kind, entity_id, min(position) as first, max(position) as last, count(*) as changes,
        coalesce(array_agg(distinct actor order by actor) filter (where actor is not null), '{}') as actors,
        coalesce(array_agg(distinct reason order by reason) filter (where reason is not null), '{}') as reasons
    from changes
    where position > coalesce((select position from changes where recorded_at <= $1 order by recorded_at desc, position desc limit 1), 0)
        and position <= (select position from changes where recorded_at <= $2 order by recorded_at desc, position desc limit 1)
        and kind <> all($6)
    group by kind, entity_id
),
net as (
    select b.*, f.before, l.after, l.recorded_at, coalesce(l.after, f.before) as fields
    from bounds b join changes f on f.position = b.first join changes l on l.position = b.last
    where f.before is not null or l.after is not null
)
select n.kind, n.entity_id as resource_id, n.before, n.after, n.actors, n.reasons, n.changes, n.recorded_at,
    case n.kind when 'strategy' then n.entity_id else coalesce((n.fields ->> 'strategy_id')::uuid, i.strategy_id, m.strategy_id, o.strategy_id, p.strategy_id)
    end as strategy_id,
    coalesce(s.code, i.code) as item_code,
    (select v.direction from as_of.budget_movements_versions v where ($5 or cleared.sees(cleared.today('budget_movement', v.id))) and v.id = (n.fields ->> 'reverses_id')::uuid limit 1) as revised
from net n
left join lateral (
    select v.strategy_id, v.objective_id, v.initiative_id, v.step_id from as_of.indicators_versions v
    where ($5 or cleared.sees(cleared.today('indicator', v.id))) and v.id = (n.fields ->> 'indicator_id')::uuid order by v.recorded_from desc limit 1
) m on true
left join lateral (
    select v.initiative_id, v.step_id from as_of.budget_allocations_versions v
    where ($5 or cleared.sees(cleared.today('budget_allocation', v.id))) and v.id = (n.fields ->> 'allocation_id')::uuid order by v.recorded_from desc limit 1
) a on true
-- What is a part of something that is a part of a plan.
left join lateral (
    select w.* from (
        select v.strategy_id, v.initiative_id, null::uuid as objective_id, v.recorded_from from as_of.contributions_versions v
            where ($5 or cleared.sees(cleared.today('contribution', v.id))) and v.id = (n.fields ->> 'contribution_id')::uuid
        union all
        select v.strategy_id, v.initiative_id, null, v.recorded_from from as_of.training_programmes_versions v
            where ($5 or cleared.sees(cleared.today('training_programme', v.id))) and v.id = (n.fields ->> 'programme_id')::uuid
        union all
        select null, v.follow_up_initiative_id, v.objective_id, v.recorded_from from as_of.engagements_versions v
            where ($5 or cleared.sees(cleared.today('engagement', v.id))) and v.id = (n.fields ->> 'engagement_id')::uuid
        union all
        select v.strategy_id, null, null, v.recorded_from from as_of.assessments_versions v
            where ($5 or cleared.sees(cleared.today('assessment', v.id))) and v.id = coalesce((n.fields ->> 'assessment_id')::uuid,
                (select r.assessment_id from as_of.answers_versions r where ($5 or cleared.sees(cleared.today('answer', r.id))) and r.id = (n.fields ->> 'answer_id')::uuid order by r.recorded_from desc limit 1))
    ) w order by w.recorded_from desc limit 1
) p on true
left join lateral (
    select v.initiative_id, v.code from as_of.steps_versions v
    where ($5 or cleared.sees(cleared.today('step', v.id))) and v.id = coalesce((n.fields ->> 'step_id')::uuid, (n.fields ->> 'predecessor_step_id')::uuid, m.step_id, a.step_id)
    order by v.recorded_from desc limit 1
) s on true
left join lateral (
    select v.strategy_id, v.code from as_of.initiatives_versions v
    where ($5 or cleared.sees(cleared.today('initiative', v.id))) and v.id = coalesce(
        (n.fields ->> 'initiative_id')::uuid, (n.fields ->> 'predecessor_initiative_id')::uuid, (n.fields ->> 'follow_up_initiative_id')::uuid,
        m.initiative_id, a.initiative_id, s.initiative_id, p.initiative_id)
    order by v.recorded_from desc limit 1
) i on true
left join lateral (
    select v.strategy_id from as_of.objectives_versions v
    where ($5 or cleared.sees(cleared.today('objective', v.id))) and v.id = coalesce((n.fields ->> 'objective_id')::uuid, m.objective_id, p.objective_id) order by v.recorded_from desc limit 1
) o on true
-- What went from one plan to another is told in both.
left join lateral (
    select v.strategy_id from as_of.initiatives_versions v
    where ($5 or cleared.sees(cleared.today('initiative', v.id))) and v.id = coalesce((n.before ->> 'initiative_id')::uuid, (
        select w.initiative_id from as_of.steps_versions w where ($5 or cleared.sees(cleared.today('step', w.id))) and w.id = (n.before ->> 'step_id')::uuid order by w.recorded_from desc limit 1))
    order by v.recorded_from desc limit 1
) was on true
where $3 = '{}' or n.entity_id = any($3) or (n.fields ->> 'strategy_id')::uuid = any($3) or i.strategy_id = any($3)
    or m.strategy_id = any($3) or o.strategy_id = any($3) or p.strategy_id = any($3)
    or (n.before ->> 'strategy_id')::uuid = any($3) or was.strategy_id = any($3)
order by array_position($4, n.kind), natural_order(coalesce(n.fields ->> 'code', s.code, i.code, '')) collate \"C\", n.entity_id
limit 100001";

/// The net changes after one moment and until another that a reader sees, in the order of these kinds; kinds may be left out.
pub(super) async fn net(
    connection: &mut PgConnection,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    strategies: &[Uuid],
    kinds: &[&str],
    (clearance, left_out): (Clearance, &[&str]),
) -> Result<Vec<Net>, Error> {
    let query = sqlx::query_as(SQL).bind(from).bind(to).bind(strategies).bind(kinds);
    let query = query.bind(clearance == Clearance::All).bind(left_out);
    Ok(query.fetch_all(connection).await?)
}

/// Also of those that are not there any more.
const UNDER: &str = "
with recursive under(id) as (
    select unnest($1::uuid[])
    union
    select v.id from under u join as_of.strategies_versions v on v.parent_id = u.id and v.recorded_from <= $3 and v.recorded_to > $2
)
select id from under";

/// These strategies, and all that were anywhere under them between the two moments.
pub(super) async fn under(
    connection: &mut PgConnection,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    strategies: Vec<Uuid>,
) -> Result<Vec<Uuid>, Error> {
    Ok(sqlx::query_scalar(UNDER).bind(strategies).bind(from).bind(to).fetch_all(connection).await?)
}
