//! How ready a country is by a framework: points at most, claimed and proven, by area; what is missing, and which record would supply it.

mod score;
pub(super) mod tally;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use score::{SCORED, Scored, Source};
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, PgConnection};
use tally::{Tally, points, shares_of_all, shown, tier};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    About, Report,
    scope::{LIMIT, Scope, answer, ids, strategies},
};
use crate::{
    base::values::Text,
    candidates::{Candidate, candidates},
    error::Error,
    nouns::{
        plan::{initiatives::InitiativeId, strategies::StrategyId},
        readiness::{assessments::AssessmentId, evidence::EvidenceId, frameworks::FrameworkId},
    },
    repository::Reference,
};

/// What the report of readiness can be asked.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {
    /// Of this assessment; may be repeated. Of all when not given.
    assessment_id: Vec<AssessmentId>,
    /// Of assessments of this strategy; may be repeated.
    strategy_id: Vec<StrategyId>,
    /// Whether assessments of the action plans that carry a strategy out are meant too: `true` when not given.
    under: Option<bool>,
    /// Of assessments by this framework; may be repeated.
    framework_id: Vec<FrameworkId>,
    /// The day on which evidence has to be valid; today when not given. With a day to come: what expires until then.
    on: Option<NaiveDate>,
    /// What if this initiative were completed: answers that wait for it are met and proven as they expect; may be repeated.
    if_completed: Vec<InitiativeId>,
    /// What if this evidence, proposed or disputed, were verified; may be repeated. It can still have expired, or be of a kind not accepted.
    if_verified: Vec<EvidenceId>,
    /// Whether the rule and each answer with its evidence are told.
    explain: Option<bool>,
}

/// What an indicator lacks.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReadinessLack)]
pub(crate) struct Lack {
    /// The indicator.
    indicator: String,
    /// Its name.
    name: Text,
    /// The points that are not proven; null where the framework gives none.
    points: Option<String>,
    /// Why: `unanswered`, `not_claimed` (the answer itself says no more), `not_cited`, `not_verified`, `expired`, `disputed`, `withdrawn`,
    /// `kind_not_accepted` (verified, of a kind that the indicator does not accept), or `withheld` (the key may not see what is cited).
    reason: String,
    /// Which records would supply it, by the rules of the framework.
    supply: Vec<String>,
}

/// An indicator, its answer, and what that rests on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReadinessAnswer)]
pub(crate) struct Explained {
    /// The indicator.
    indicator: String,
    /// Whether the framework says of it that it was compared with what its owner publishes.
    is_verified: bool,
    /// The answer; null where there is none.
    answer_id: Option<Uuid>,
    /// The level that it names.
    level: Option<String>,
    /// Points at most.
    max: Option<String>,
    /// Points claimed.
    claimed: Option<String>,
    /// Points proven.
    proven: Option<String>,
    /// Whether it is met because `if_completed` names its initiative.
    is_assumed: bool,
    /// The kinds of evidence that the indicator accepts; with none, any.
    accepted_evidence: Vec<String>,
    /// The evidence that it cites, as far as the key sees it.
    sources: Vec<Source>,
}

/// An area of an assessment; the last row of an assessment has no area and is the whole.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReadinessRow)]
pub(crate) struct Row {
    /// The assessment.
    assessment_id: Uuid,
    /// Its title.
    assessment: Text,
    /// The country.
    country: String,
    /// The code and edition of the framework.
    framework: String,
    /// The code of the area; null for the whole.
    area: Option<String>,
    /// Its name.
    name: Option<Text>,
    /// Its pillar.
    pillar: Option<String>,
    /// The day.
    on: NaiveDate,
    /// How many indicators there are.
    indicators: i64,
    /// How many of them have an answer.
    answered: i64,
    /// How many have none; that is not zero points, but not known.
    unanswered: i64,
    /// How many have no points in the framework; they count in `claimed_in_full` and `proven_in_full` only.
    unscored: i64,
    /// How many are met in full by what is claimed.
    claimed_in_full: i64,
    /// How many are met in full by what is proven.
    proven_in_full: i64,
    /// Points at most, a decimal string; null where no indicator has points.
    max: Option<String>,
    /// Points claimed.
    claimed: Option<String>,
    /// Points proven.
    proven: Option<String>,
    /// Percent claimed; of the whole by the weights of the areas, where the framework has any.
    claimed_percent: Option<String>,
    /// Percent proven.
    proven_percent: Option<String>,
    /// The tier of the percentage proven, where the framework has any.
    tier: Option<String>,
    /// Whether the framework was compared with what its owner publishes.
    framework_is_verified: bool,
    /// What of the framework is verified, and what is not.
    framework_note: Option<Text>,
    /// How many of the indicators were not compared with what the owner publishes.
    unverified_indicators: i64,
    /// How many citations name evidence that the key may not see, and that so counts for nothing here.
    withheld: i64,
    /// What is missing, in the order of the framework; in the rows of areas.
    missing: Vec<Lack>,
    /// With `explain`: the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'static str>,
    /// With `explain`: the indicators of the area.
    #[serde(skip_serializing_if = "Option::is_none")]
    answers: Option<Vec<Explained>>,
}

const RULE: &str = "points are proven when the answer cites evidence that is verified, valid on the day, and of a kind that the indicator accepts; \
    otherwise they are claimed only; no answer is unanswered, not zero; the whole is a sum of points, or the weighted mean of the areas' percentages where \
    the framework has weights; an answer whose initiative is in if_completed has the points that it expects, all where it says none, as proven";

/// As many records of a rule are named.
const NAMED: usize = 3;

impl Report for Parameters {
    const NAME: &'static str = "readiness";
    const SUMMARY: &'static str =
        "Points claimed and proven by area, what is missing, and which record would supply it; also what if.";
    const ABOUT: About = About::Other;
    const REFERENCES: &'static [Reference] = &[
        Reference { field: "assessment_id", table: "assessments" },
        Reference { field: "strategy_id", table: "strategies" },
        Reference { field: "framework_id", table: "frameworks" },
        Reference { field: "if_completed", table: "initiatives" },
        Reference { field: "if_verified", table: "evidence" },
    ];
    const READS: &'static [&'static str] = &["answers", "assessments", "citations", "evidence", "frameworks"];
    type Row = Row;

    async fn rows(self, _: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        let query = sqlx::query_as(AssertSqlSafe([SCORED, LIMIT].concat()))
            .bind(ids(&self.assessment_id))
            .bind(strategies(connection, &self.strategy_id, self.under).await?)
            .bind(ids(&self.framework_id))
            .bind(self.on)
            .bind(ids(&self.if_completed))
            .bind(ids(&self.if_verified));
        let scored: Vec<Scored> = answer(connection, query).await?;
        let mut rows = Vec::new();
        for of_one in scored.chunk_by(|a, b| a.assessment_id == b.assessment_id) {
            let found = candidates(connection, of_one[0].assessment_id, self.on).await?;
            of_assessment(of_one, &found, self.explain == Some(true), &mut rows);
        }
        Ok(rows)
    }
}

/// The rows of one assessment: its areas, and the whole.
fn of_assessment(scored: &[Scored], found: &[Candidate], explain: bool, rows: &mut Vec<Row>) {
    let (mut whole, mut areas) = (Tally::default(), Vec::new());
    for area in scored.chunk_by(|a, b| a.area == b.area) {
        let mut tally = Tally::default();
        for each in area {
            tally.add(&each.counted());
        }
        let mut row = Row::new(area, &tally, tally.shares());
        row.area = Some(area[0].area.clone());
        row.name = Some(area[0].area_name.clone());
        row.pillar.clone_from(&area[0].pillar);
        row.missing = area.iter().filter_map(|each| lack(each, found)).collect();
        row.rule = explain.then_some(RULE);
        row.answers = explain.then(|| area.iter().map(explained).collect());
        rows.push(row);
        whole.join(&tally);
        areas.push((area[0].weight, tally));
    }
    let mut row = Row::new(scored, &whole, shares_of_all(&areas, &whole));
    row.rule = explain.then_some(RULE);
    rows.push(row);
}

impl Row {
    fn new(of: &[Scored], tally: &Tally, shares: Option<(Decimal, Decimal)>) -> Self {
        let first = &of[0];
        let has_points = tally.unscored < tally.indicators;
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        Self {
            assessment_id: first.assessment_id,
            assessment: first.assessment.clone(),
            country: first.country.clone(),
            framework: first.framework.clone(),
            area: None,
            name: None,
            pillar: None,
            on: first.day,
            indicators: tally.indicators,
            answered: tally.answered,
            unanswered: tally.indicators - tally.answered,
            unscored: tally.unscored,
            claimed_in_full: tally.claimed_in_full,
            proven_in_full: tally.proven_in_full,
            max: has_points.then(|| points(tally.most)),
            claimed: has_points.then(|| points(tally.claimed)),
            proven: has_points.then(|| points(tally.proven)),
            claimed_percent: shares.map(|(claimed, _)| shown(claimed)),
            proven_percent: shares.map(|(_, proven)| shown(proven)),
            tier: shares.and_then(|(_, proven)| tier(&first.tiers, proven)),
            framework_is_verified: first.framework_is_verified,
            framework_note: first.framework_note.clone(),
            unverified_indicators: count(of.iter().filter(|each| !each.is_verified).count()),
            withheld: of.iter().map(|each| each.withheld).sum(),
            missing: Vec::new(),
            rule: None,
            answers: None,
        }
    }
}

fn lack(scored: &Scored, found: &[Candidate]) -> Option<Lack> {
    let reason = scored.lack()?;
    let counted = scored.counted();
    let own: Vec<&Candidate> = found.iter().filter(|candidate| candidate.indicator == scored.indicator).collect();
    Some(Lack {
        indicator: scored.indicator.clone(),
        name: scored.name.clone(),
        points: counted.most.map(|most| points(most - counted.proven)),
        reason: reason.to_owned(),
        supply: if scored.has_rules { supply(&own) } else { vec![by_hand(scored)] },
    })
}

/// What an indicator needs for which the framework has no rule.
fn by_hand(scored: &Scored) -> String {
    let kinds = if scored.accepted_evidence.is_empty() {
        String::new()
    } else {
        format!(" of a kind that it accepts ({})", scored.accepted_evidence.join(", "))
    };
    format!("The framework names no record; record evidence{kinds} (/v1/evidence) and cite it.")
}

/// The records that would supply it: those that are there, else what they lack.
fn supply(own: &[&Candidate]) -> Vec<String> {
    let proving: Vec<&&Candidate> = own.iter().filter(|candidate| candidate.can_prove).collect();
    let shown = if proving.is_empty() { own.iter().collect() } else { proving };
    let mut lines: Vec<String> = shown.iter().take(NAMED).map(|candidate| named(candidate)).collect();
    if shown.len() > NAMED {
        lines.push(format!("and {} more; see the candidates of the assessment", shown.len() - NAMED));
    }
    lines
}

fn named(candidate: &Candidate) -> String {
    let Some(noun) = &candidate.noun else { return candidate.why.clone() };
    let name = candidate.name.as_ref().map(Text::preferred).or(candidate.code.as_deref()).unwrap_or_default();
    let could = if candidate.can_prove { " could prove it" } else { "" };
    format!("{} {name}{could}: {}", noun.replace('_', " "), candidate.why)
}

fn explained(scored: &Scored) -> Explained {
    let counted = scored.counted();
    let of = |value: Decimal| counted.most.filter(|_| counted.is_answered).map(|_| points(value));
    Explained {
        indicator: scored.indicator.clone(),
        is_verified: scored.is_verified,
        answer_id: scored.answer_id,
        level: scored.level.clone(),
        max: counted.most.map(points),
        claimed: of(counted.claimed),
        proven: of(counted.proven),
        is_assumed: scored.is_completed,
        accepted_evidence: scored.accepted_evidence.clone(),
        sources: scored.sources.clone(),
    }
}
