//! By which treaties a state is bound: derived, for any day, from what it did about them.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    About, Report,
    scope::{LIMIT, Scope, answer},
};
use crate::{
    base::values::{Country, Text, words},
    error::Error,
    nouns::international::ledger::standing,
    repository::Fault,
};

/// How a state stands to a treaty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum TreatyState {
    /// It did nothing that counts.
    None,
    /// It has signed. That is no membership.
    Signed,
    /// It has consented to be bound, in whatever form; the treaty is not in force for it yet, or since when is not known.
    Ratified,
    /// The treaty is in force for it.
    InForce,
    /// It has notified a denunciation or withdrawal that has not taken effect.
    DenunciationPending,
    /// Its denunciation or withdrawal has taken effect.
    Denounced,
    /// Somebody says that it is a member of something, and names no treaty.
    Unproven,
}

/// What the report of treaties can be asked.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {
    /// How it is on this day; today when not given. What was known of it is another matter: that is `as_of`.
    on: Option<NaiveDate>,
    /// Of this state, ISO 3166-1 alpha-2; may be repeated. The country of the service when not given.
    country: Vec<Country>,
    /// Only what stands so; may be repeated.
    #[schema(inline)]
    state: Vec<TreatyState>,
}

/// A state and a treaty, on a day.
#[derive(Debug, Serialize, FromRow, ToSchema)]
#[schema(as = TreatyRow)]
pub(crate) struct Row {
    /// The state.
    country: String,
    /// The treaty; null where a membership is claimed and no treaty is named.
    treaty_id: Option<Uuid>,
    /// Its code.
    code: Option<String>,
    /// Its name, or the claim.
    #[sqlx(json(nullable))]
    name: Option<Text>,
    /// The code of the treaty to which it is a protocol.
    protocol_to: Option<String>,
    /// The day on which the treaty entered into force.
    treaty_in_force_on: Option<NaiveDate>,
    /// The day for which this is said.
    on: NaiveDate,
    /// `none`, `signed`, `ratified` (bound, and not in force for it yet), `in_force`, `denunciation_pending`, `denounced`, or `unproven`: a
    /// membership that evidence claims without naming a treaty.
    state: String,
    /// The day on which that began: of the signature, of the consent, of the entry into force, of the notification, of the end.
    since: Option<NaiveDate>,
    /// Whether it is a party: only while the treaty is in force for it.
    is_member: bool,
    /// Whether it applies the treaty provisionally, which is no membership.
    is_provisionally_applied: bool,
    /// By what it stands so, in order: the act, its day, and from when it has effect; of a claim, what the evidence is and how that stands.
    acts: Vec<String>,
    /// The actions that these are.
    action_ids: Vec<Uuid>,
    /// Its reservations that stand.
    reservation_ids: Vec<Uuid>,
    /// How many objections of other states to these stand.
    objections: i64,
    /// The day on which the state changes next, by what was done until the day.
    next_on: Option<NaiveDate>,
    /// To what it changes then.
    next_state: Option<String>,
    /// The evidence that claims it.
    evidence_id: Option<Uuid>,
}

/// `$1` is the day, `$2` the states, `$3` the wanted states of things.
const STANDING: &str = concat!(
    "
with asked as (
    select country, place, coalesce($1, today()) as day from unnest($2::text[]) with ordinality given(country, place)
)",
    standing!()
);

/// What is told of a state and a treaty: who is a party, what comes next, and what it rests on.
const TOLD: &str = ",
ahead as (
    select treaty_id, country, bool_or(is_in_force) as is_member, min(change) as next_on
    from standing left join lateral (values (from_on), (ends_on)) k(change)
        on change > day and (ends_on is null or ends_on >= change)
    group by treaty_id, country
),
-- As it will stand on that day; the order is that of the ranks.
coming as (
    select treaty_id, country, case
        when bool_or(from_on <= next_on and notified_on is null) then 'in_force'
        when bool_or(from_on <= next_on and (ends_on is null or ends_on > next_on)) then 'denunciation_pending'
        when bool_or(bound_on is not null and notified_on is null) then 'ratified'
        when bool_or(bound_on is null and signed_on is not null) then 'signed'
        else 'denounced' end as next_state
    from standing join ahead using (treaty_id, country) where next_on is not null group by treaty_id, country
),
behind as (
    select treaty_id, country,
        coalesce(array_agg(concat(replace(action, '_', ' '), ' ', acted_on, ', with effect from ' || effective_on) order by place)
            filter (where signs or binds or ends), '{}') as acts,
        coalesce(array_agg(id order by place) filter (where signs or binds or ends), '{}') as action_ids,
        coalesce(array_agg(id order by place) filter (where is_reservation), '{}') as reservation_ids,
        coalesce(sum(objections) filter (where is_reservation), 0)::bigint as objections,
        max(place) filter (where action = 'provisionally_applied' and coalesce(effective_on, acted_on) <= day)
            > coalesce(max(place) filter (where action = 'provisional_application_ended' and coalesce(effective_on, acted_on) <= day), 0)
            as is_provisional
    from (
        select a.*, a.action = 'reservation' and c.rank <> 1 and not exists (
                select from treaty_actions w
                where w.concerns_action_id = a.id and w.action = 'reservation_withdrawn' and w.acted_on <= a.day) as is_reservation,
            (
                select count(*) from treaty_actions o
                where o.concerns_action_id = a.id and o.action = 'objection' and o.acted_on <= a.day and not exists (
                    select from treaty_actions w
                    where w.concerns_action_id = o.id and w.action = 'objection_withdrawn' and w.acted_on <= a.day)
            ) as objections
        from placed a join chosen c using (treaty_id, country, cycle)
    ) a
    group by treaty_id, country
),
told as (
    select q.country, q.place, t.id as treaty_id, t.code, t.code_order, t.name, p.code as protocol_to, t.in_force_on as treaty_in_force_on,
        q.day as \"on\", (array['none', 'denounced', 'signed', 'ratified', 'denunciation_pending', 'in_force'])[coalesce(rank, 0) + 1] as state,
        case rank when 1 then ends_on when 2 then signed_on when 3 then bound_on when 4 then notified_on when 5 then from_on end as since,
        coalesce(is_member, false) as is_member, coalesce(is_provisional and rank in (0, 2, 3), false) as is_provisionally_applied,
        coalesce(acts, '{}') as acts, coalesce(action_ids, '{}') as action_ids, coalesce(reservation_ids, '{}') as reservation_ids,
        coalesce(objections, 0) as objections, next_on, next_state, null::uuid as evidence_id
    from asked q cross join treaties t
    left join treaties p on p.id = t.parent_id
    left join chosen c on c.treaty_id = t.id and c.country = q.country
    left join ahead a on a.treaty_id = t.id and a.country = q.country
    left join coming n on n.treaty_id = t.id and n.country = q.country
    left join behind b on b.treaty_id = t.id and b.country = q.country
    union all
    -- Evidence names no treaty; what is verified in it still proves no membership of one.
    select q.country, q.place, null, null, null, e.claim, null, null, q.day, 'unproven', null, false, false,
        array[concat(replace(e.kind, '_', ' '), ', ', evidence_standing(e.state, e.valid_until, q.day))], '{}', '{}', 0, null, null, e.id
    from asked q join evidence e on e.country = q.country
    where e.about = 'treaty_membership' and e.state <> 'withdrawn' and (e.published_on is null or e.published_on <= q.day)
        and not exists (select from evidence s where s.supersedes_id = e.id)
)
select country, treaty_id, code, name, protocol_to, treaty_in_force_on, \"on\", state, since, is_member, is_provisionally_applied, acts, action_ids,
    reservation_ids, objections, next_on, next_state, evidence_id
from told where $3::text[] = '{}' or state = any($3)
order by place, code_order collate \"C\" nulls last, treaty_id, evidence_id";

impl Report for Parameters {
    const NAME: &'static str = "treaties";
    const SUMMARY: &'static str = "How a state stands to each treaty on a day, and by what.";
    const ABOUT: About = About::Other;
    const READS: &'static [&'static str] = &["evidence", "treaties", "treaty_actions"];
    type Row = Row;

    async fn rows(self, _: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        let countries = countries(&self.country)?;
        let query = sqlx::query_as(AssertSqlSafe([STANDING, TOLD, LIMIT].concat()))
            .bind(self.on)
            .bind(countries)
            .bind(words(&self.state));
        answer(connection, query).await
    }
}

/// The countries asked for, each once; the country of the service when none is. One that there is not would answer as if it had done nothing.
pub(super) fn countries(asked: &[Country]) -> Result<Vec<String>, Error> {
    let mut countries: Vec<String> = Vec::new();
    for country in asked {
        if !country.is_known() {
            let detail = "give a country of ISO 3166-1 alpha-2".into();
            return Err(Error::BadQuery(vec![Fault {
                pointer: "country".into(),
                code: "unknown_code".into(),
                detail,
            }]));
        }
        if !countries.contains(&country.0) {
            countries.push(country.0.clone());
        }
    }
    if countries.is_empty() {
        countries.push(Country::configured().0);
    }
    Ok(countries)
}
