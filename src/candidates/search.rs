//! The search for records that could prove something: one statement for all the rules of an assessment.

use chrono::NaiveDate;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, FromRow, PgConnection};
use uuid::Uuid;

use crate::nouns::readiness::candidate_rules::CandidateRule;
use crate::{
    base::values::{Country, Text},
    error::Error,
    nouns::international::ledger::standing,
    repository::Fault,
};

/// So many records at most: all of them stand in memory.
const MOST: usize = 100_000;

/// For whom, and when.
pub(crate) struct Asked<'a> {
    pub(crate) country: &'a str,
    pub(crate) strategy: Option<Uuid>,
    /// Today when not given.
    pub(crate) on: Option<NaiveDate>,
}

/// A record that a rule found.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Found {
    /// The place of the rule among those asked.
    pub(crate) place: i32,
    /// Whether it meets the rule; else `why` says what it lacks.
    pub(crate) can_prove: bool,
    pub(crate) noun: String,
    pub(crate) id: Uuid,
    pub(crate) code: Option<String>,
    #[sqlx(json(nullable))]
    pub(crate) name: Option<Text>,
    pub(crate) why: String,
}

/// `$1` holds the rules, `$2` the strategy, `$3` the country, `$4` the day, `$5` the state whose register this is.
const ASKED: &str = "
with rule as (
    select r.* from jsonb_to_recordset($1) as r(place integer, record text, needs text[], topics text[], treaty text, direction text,
        within_days integer, act_type text, entity_kinds text[], catalogue text, code text, about text[], contents text[], words text)
),
-- What has no country of its own is of the state of the service (`$5`).
asked as (
    select $2::uuid as strategy_id, $3::text as country, $3 = $5 as is_ours, coalesce($4::date, (select today())) as day
),
-- The strategy, what carries it out, and what it carries out. No null may be in it: what is not among them would then be unknown, not false.
family(id) as (
    select s.id from strategies s where s.id = $2 or s.parent_id = $2 union select s.parent_id from strategies s where s.id = $2 and s.parent_id is not null
),
plan as (
    select s.id, s.kind, s.code, s.title, s.search, coalesce(concat_ws(' ', l.issuer, l.act_type, l.number, l.date), 'a legal act') as act
    from asked q join strategies s on s.country = q.country left join legal_acts l on l.id = s.legal_act_id
    where (q.strategy_id is null or s.id in (select id from family)) and (s.status = 'approved' or is_in_force(s.status)) and s.legal_act_id is not null
        and coalesce(s.ends_on >= q.day, true)
),
item as (
    select p.id as plan_id, i.id, num_nonnulls(i.deadline_text, i.deadline_to) > 0 as is_dated from plan p join initiatives i on i.strategy_id = p.id
    union all
    select p.id, s.id, num_nonnulls(s.deadline_text, s.deadline_to) > 0
    from plan p join initiatives i on i.strategy_id = p.id join steps s on s.initiative_id = i.id
),
whole as (
    select p.id, string_agg(v.many || ' ' || v.part, ', ' order by v.place) filter (where v.many > 0) as has,
        coalesce(array_agg(v.part order by v.place) filter (where v.many = 0), '{}') as lacks
    from plan p, lateral (values
        (1, 'objectives', (select count(*) from objectives o
            where o.strategy_id = p.id and exists (select from initiatives i where i.objective_id = o.id))),
        (2, 'steps', (select count(*) from initiatives i join steps s on s.initiative_id = i.id where i.strategy_id = p.id)),
        (3, 'entities', (select count(distinct a.entity_id) from item i join assignments a on a.item_id = i.id where i.plan_id = p.id)),
        (4, 'timelines', (select count(*) from item i
            where i.plan_id = p.id and (i.is_dated or exists (select from timelines t where t.item_id = i.id)))),
        (5, 'people', (select count(*) from item i join staff_allocations h on h.item_id = i.id where i.plan_id = p.id)),
        (6, 'money', (select count(*) from item i join budget_allocations m on m.item_id = i.id where i.plan_id = p.id)),
        (7, 'metrics', (select count(*) from indicators k where k.strategy_id = p.id
            or k.objective_id in (select id from objectives o where o.strategy_id = p.id)
            or k.item_id in (select i.id from item i where i.plan_id = p.id)))
    ) v(place, part, many)
    where exists (select from rule r where r.record = 'approved_plan')
    group by p.id
)";

/// What stands in the plan.
const PLANS: &str = "
select r.place, not r.needs && w.lacks as can_prove, 'strategy' as noun, p.id, p.code, p.title as name,
    concat_ws('; ', 'approved by ' || p.act, 'has ' || w.has,
        'lacks ' || (select string_agg(n, ', ') from unnest(r.needs) n where n = any(w.lacks))) as why
from rule r join plan p on r.words is null or p.search @@ search_query(r.words) join whole w on w.id = p.id
where r.record = 'approved_plan'
union all
select r.place, true, 'strategy', p.id, p.code, p.title, 'approved by ' || p.act
from rule r join plan p on r.words is null or p.search @@ search_query(r.words)
where r.record = 'strategy' and p.kind = 'strategy'
union all
select r.place, true, 'legal_act', l.id, l.number, l.title, concat_ws(' ', l.issuer, l.act_type, l.number, 'of', l.date) || ', ' || replace(l.status, '_', ' ')
from rule r cross join asked q join legal_acts l on l.country = q.country
where r.record = 'legal_act' and l.status in ('in_force', 'amended') and l.date <= q.day
    and (r.act_type is null or l.act_type = r.act_type) and (r.words is null or l.search @@ search_query(r.words))
union all
select r.place, true, 'entity', e.id, e.code, e.name, e.kind || ' of the record'
from rule r cross join asked q join entities e on coalesce(e.country = q.country, true)
where r.record = 'entity' and (r.entity_kinds = '{}' or e.kind = any(r.entity_kinds)) and (r.words is null or e.search @@ search_query(r.words))
    and coalesce(e.valid_from <= q.day, true) and coalesce(e.valid_to >= q.day, true)
union all
select r.place, n.many > 0, 'training_programme', t.id, null, t.title,
    case when n.many > 0 then concat_ws('; ', n.many || ' sessions held, the last on ' || n.last_on, n.people || ' participants')
        else 'lacks a session that was held' end
from rule r cross join asked q cross join training_programmes t left join initiatives i on i.id = t.initiative_id,
    lateral (select count(*) as many, max(s.ends_on) as last_on, sum(s.participants) as people from training_sessions s
        where s.programme_id = t.id and s.status = 'held' and s.ends_on <= q.day
            and coalesce(s.ends_on >= q.day - r.within_days, true)) n
where r.record = 'training' and q.is_ours and (r.words is null or t.search @@ search_query(r.words))
    and (q.strategy_id is null or coalesce(t.strategy_id, i.strategy_id) in (select id from family))";

/// What stands among states, and what proves it. What belongs to no strategy is of every one.
const ABROAD: &str = "
union all
select r.place, is_contribution(e.statements, e.capacity), 'engagement', e.id, f.code, coalesce(e.title, f.name),
    concat_ws('; ', concat_ws(', ', f.code, e.session, e.starts_on), 'as ' || e.capacity,
        nullif(jsonb_array_length(e.statements), 0) || ' statements',
        case when not is_contribution(e.statements, e.capacity) then 'lacks a statement, or a part that leads' end)
from rule r cross join asked q cross join engagements e left join forums f on f.id = e.forum_id
where r.record = 'engagement' and q.is_ours and (r.words is null or e.search @@ search_query(r.words)) and coalesce(e.starts_on <= q.day, true)
    and (r.within_days is null or coalesce(e.ends_on, e.starts_on) >= q.day - r.within_days)
union all
select r.place, true, 'forum', f.id, f.code, f.name, concat_ws(' ', f.membership, 'since ' || f.member_from)
from rule r cross join asked q cross join forums f
where r.record = 'forum_membership' and q.is_ours and f.membership in ('member', 'observer', 'participant') and (r.words is null or f.search @@ search_query(r.words))
    and coalesce(f.member_from <= q.day, true) and coalesce(f.member_to >= q.day, true)
union all
select r.place, true, 'position', p.id, p.symbol, p.title,
    concat_ws('; ', 'issued on ' || p.issued_on, 'on ' || nullif(array_to_string(p.topics, ', '), ''), p.symbol)
from rule r cross join asked q join positions p on p.country = q.country
where r.record = 'position' and p.topics @> r.topics and (r.words is null or p.search @@ search_query(r.words)) and coalesce(p.issued_on <= q.day, true)
    and not exists (select from positions later where later.supersedes_id = p.id and coalesce(later.issued_on <= q.day, true))
union all
select r.place, exists (select from standing s where s.treaty_id = c.treaty_id and s.country = c.country and s.is_in_force), 'treaty_action', b.id, t.code, t.name,
    concat_ws('; ', replace(b.action, '_', ' ') || ' on ' || b.acted_on, 'with effect from ' || b.effective_on,
        case when c.rank = 2 then 'lacks the consent to be bound' when c.from_on is null then 'lacks the day from which it has effect'
            when c.from_on > q.day then 'lacks its entry into force' end)
from rule r cross join asked q join treaties t on t.code = r.treaty join chosen c on c.treaty_id = t.id and c.rank > 1, lateral (
    select p.* from placed p where p.treaty_id = c.treaty_id and p.country = c.country and p.cycle = c.cycle and (p.signs or p.binds)
    order by p.binds desc, p.place desc limit 1) b
where r.record = 'treaty_in_force'
union all
select r.place, c.status <> 'pipeline', 'contribution', c.id, null, c.title,
    concat_ws('; ', c.direction, c.status, 'from ' || c.starts_on, 'until ' || c.ends_on,
        'for ' || (select string_agg(p ->> 'country', ', ') from jsonb_array_elements(c.recipients) p),
        case when c.status = 'pipeline' then 'lacks its start' end)
from rule r cross join asked q cross join contributions c left join initiatives i on i.id = c.initiative_id
where r.record = 'contribution' and q.is_ours and coalesce(c.direction = r.direction, true) and c.status not in ('cancelled', 'suspended')
    and (c.status = 'pipeline' or c.starts_on <= q.day and coalesce(coalesce(c.ends_on, case when c.status = 'closed' then c.starts_on else q.day end) >= q.day - r.within_days, true))
    and (r.words is null or c.search @@ search_query(r.words))
    and (q.strategy_id is null or coalesce(c.strategy_id, c.initiative_id) is null
        or coalesce(c.strategy_id, i.strategy_id) in (select id from family))
union all
select r.place, m.state = 'implemented', 'commitment', m.id, m.code, m.title,
    concat_ws('; ', m.catalogue || ' ' || m.code, replace(m.state, '_', ' '), 'reviewed on ' || m.reviewed_on,
        case when m.state <> 'implemented' then 'lacks measures that keep it' end)
from rule r cross join asked q join commitments m on m.catalogue = r.catalogue and (r.code is null or m.code = r.code)
where r.record = 'commitment' and q.is_ours
union all
select r.place, v.standing = 'verified', 'evidence', v.id, v.document_symbol, v.title,
    concat_ws('; ', replace(v.kind, '_', ' '), v.standing, 'until ' || v.valid_until, case when v.standing <> 'verified' then 'lacks its verification' end)
from rule r cross join asked q join (
    select e.*, evidence_standing(e.state, e.valid_until, coalesce($4::date, (select today()))) as standing from evidence e
) v on coalesce(v.country = q.country, true)
where r.record = 'evidence' and v.standing in ('verified', 'proposed') and (r.about = '{}' or v.about = any(r.about))
    and (r.contents = '{}' or v.content = any(r.contents)) and (r.words is null or v.search @@ search_query(r.words))
    and (q.strategy_id is null or v.strategy_id is null or v.strategy_id in (select id from family))
order by place, can_prove desc, noun, code, id limit 100001";

/// What these rules find, in their order; of each first what can prove.
pub(crate) async fn search(
    connection: &mut PgConnection,
    rules: &[&CandidateRule],
    asked: &Asked<'_>,
) -> Result<Vec<Found>, Error> {
    if rules.is_empty() {
        return Ok(Vec::new());
    }
    let rules = rules.iter().enumerate().map(|(place, rule)| {
        let mut rule = json!(rule);
        rule["place"] = place.into();
        rule
    });
    let query = sqlx::query_as(AssertSqlSafe([ASKED, standing!(), PLANS, ABROAD].concat()))
        .bind(rules.collect::<Value>())
        .bind(asked.strategy)
        .bind(asked.country)
        .bind(asked.on)
        .bind(Country::configured().0);
    let found = query.fetch_all(connection).await?;
    if found.len() > MOST {
        let detail =
            format!("the rules of the framework find more than {MOST} records; narrow them, such as with `words`");
        return Err(Error::BadQuery(vec![Fault { pointer: "id".into(), code: "too_many_rows".into(), detail }]));
    }
    Ok(found)
}

/// An indicator of an assessment, and the rules for it.
#[derive(Debug, FromRow)]
pub(crate) struct Ruled {
    pub(crate) area: String,
    pub(crate) indicator: String,
    #[sqlx(json)]
    pub(crate) name: Text,
    #[sqlx(json)]
    pub(crate) rules: Vec<CandidateRule>,
    pub(crate) country: String,
    pub(crate) strategy_id: Option<Uuid>,
}

/// The indicators of an assessment, in order.
pub(crate) async fn ruled(connection: &mut PgConnection, assessment: Uuid) -> Result<Vec<Ruled>, Error> {
    let query = sqlx::query_as(
        "select i.area, i.code as indicator, i.name, i.candidates as rules, a.country, a.strategy_id
         from assessments a join frameworks f on f.id = a.framework_id, framework_indicators(f.areas) i where a.id = $1 order by i.place",
    );
    Ok(query.bind(assessment).fetch_all(connection).await?)
}
