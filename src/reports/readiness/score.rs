//! Each indicator of an assessment, its answer, and the evidence that this cites, as they stand on a day.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use utoipa::ToSchema;
use uuid::Uuid;

use super::tally::Counted;
use crate::{base::values::Text, nouns::readiness::framework_parts::FrameworkTier};

/// `$1` the assessments, `$2` the strategies, `$3` the frameworks, `$4` the day, `$5` the initiatives completed, `$6` the evidence verified.
pub(super) const SCORED: &str = "
with asked as (
    select coalesce($4::date, (select today())) as day
)
select a.id as assessment_id, a.title as assessment, a.country, f.code || ' ' || f.edition as framework, f.is_verified as framework_is_verified,
    f.verification_note as framework_note, f.tiers, q.day, i.area, i.area_name, i.pillar, i.weight, i.code as indicator, i.name, i.max_points,
    i.accepted_evidence, i.is_verified, i.candidates <> '[]' as has_rules, w.id as answer_id, w.level, w.is_met,
    points_said(i.levels, i.max_points, w.points, w.level, w.is_met) as said, coalesce(w.initiative_id = any($5), false) as is_completed,
    coalesce(points_said(i.levels, i.max_points, null, w.expected_level, null), w.expected_points, i.max_points) as expected,
    coalesce(c.sources, '[]') as sources, (select count(*) from withheld_citations h where h.answer_id = w.id) as withheld
from asked q cross join assessments a join frameworks f on f.id = a.framework_id
cross join lateral framework_indicators(f.areas) i
left join answers w on w.assessment_id = a.id and w.indicator = i.code
left join lateral (
    select jsonb_agg(jsonb_build_object('citation_id', s.citation_id, 'evidence_id', s.id, 'title', s.title, 'kind', s.kind, 'standing', s.standing,
        'valid_until', s.valid_until, 'is_assumed', s.is_assumed, 'is_accepted', s.is_accepted,
        'counts', s.is_accepted and s.standing = 'verified') order by s.created_at, s.citation_id) as sources
    from (
        select c.id as citation_id, c.created_at, e.id, e.title, e.kind, e.valid_until, k.is_assumed,
            evidence_standing(case when k.is_assumed then 'verified' else e.state end, e.valid_until, q.day) as standing,
            coalesce(i.accepted_evidence = '{}' or e.kind = any(i.accepted_evidence), false) as is_accepted
        from citations c join evidence e on e.id = c.evidence_id,
            lateral (select coalesce(e.id = any($6) and e.state in ('proposed', 'disputed'), false) as is_assumed) k
        where c.answer_id = w.id
    ) s
) c on w.id is not null
where ($1 = '{}' or a.id = any($1)) and ($2 = '{}' or a.strategy_id = any($2)) and ($3 = '{}' or a.framework_id = any($3))
order by a.created_at, a.id, i.place";

/// An indicator of an assessment on a day.
#[derive(Debug, FromRow)]
#[expect(clippy::struct_excessive_bools, reason = "a row of a query")]
pub(super) struct Scored {
    pub(super) assessment_id: Uuid,
    #[sqlx(json)]
    pub(super) assessment: Text,
    pub(super) country: String,
    pub(super) framework: String,
    pub(super) framework_is_verified: bool,
    #[sqlx(json(nullable))]
    pub(super) framework_note: Option<Text>,
    #[sqlx(json)]
    pub(super) tiers: Vec<FrameworkTier>,
    pub(super) day: NaiveDate,
    pub(super) area: String,
    #[sqlx(json)]
    pub(super) area_name: Text,
    pub(super) pillar: Option<String>,
    pub(super) weight: Option<Decimal>,
    pub(super) indicator: String,
    #[sqlx(json)]
    pub(super) name: Text,
    pub(super) max_points: Option<Decimal>,
    pub(super) accepted_evidence: Vec<String>,
    pub(super) is_verified: bool,
    pub(super) has_rules: bool,
    pub(super) answer_id: Option<Uuid>,
    pub(super) level: Option<String>,
    pub(super) is_met: Option<bool>,
    /// The points that the answer says.
    pub(super) said: Option<Decimal>,
    /// Whether the question is what its initiative brings.
    pub(super) is_completed: bool,
    /// What that brings.
    pub(super) expected: Option<Decimal>,
    #[sqlx(json)]
    pub(super) sources: Vec<Source>,
    /// How many citations more there are, which the reader does not see.
    pub(super) withheld: i64,
}

/// A piece of evidence that an answer cites.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = SourceOfScore)]
pub(crate) struct Source {
    /// The citation.
    citation_id: Uuid,
    /// The evidence.
    evidence_id: Uuid,
    /// What it is called.
    title: Text,
    /// What it is.
    kind: String,
    /// How it stands on the day.
    standing: String,
    /// The last day on which it proves.
    valid_until: Option<NaiveDate>,
    /// Whether it is taken for verified because `if_verified` names it.
    is_assumed: bool,
    /// Whether the indicator accepts its kind.
    pub(super) is_accepted: bool,
    /// Whether it proves the answer on the day.
    pub(super) counts: bool,
}

/// Why evidence proves nothing, by how it stands; the nearest to a proof first.
const BY_STANDING: [(&str, &str); 5] = [
    ("verified", "kind_not_accepted"),
    ("expired", "expired"),
    ("proposed", "not_verified"),
    ("disputed", "disputed"),
    ("withdrawn", "withdrawn"),
];

impl Scored {
    /// What it counts.
    pub(super) fn counted(&self) -> Counted {
        let is_proven = self.sources.iter().any(|source| source.counts);
        let said = self.said.unwrap_or_default();
        let expected = self.expected.filter(|_| self.is_completed).unwrap_or_default();
        let is_met = self.is_met == Some(true);
        Counted {
            most: self.max_points,
            is_answered: self.answer_id.is_some(),
            claimed: said.max(expected),
            proven: expected.max(if is_proven { said } else { Decimal::ZERO }),
            is_met: is_met || self.is_completed,
            is_met_proven: self.is_completed || (is_met && is_proven),
        }
    }

    /// Why not all of it is proven; none where it is.
    pub(super) fn lack(&self) -> Option<&'static str> {
        let counted = self.counted();
        if counted.in_full().1 {
            return None;
        }
        if self.answer_id.is_none() {
            return Some("unanswered");
        }
        let proves = self.sources.iter().any(|source| source.counts);
        let claims_nothing = if self.max_points.is_some() { counted.claimed.is_zero() } else { !counted.is_met };
        if proves || claims_nothing {
            return Some("not_claimed");
        }
        if self.sources.is_empty() && self.withheld == 0 {
            return Some("not_cited");
        }
        let stands = |word: &str| self.sources.iter().any(|source| source.standing == word);
        let reason = BY_STANDING.iter().find(|(standing, _)| stands(standing));
        Some(reason.map_or("withheld", |(_, reason)| reason))
    }
}
