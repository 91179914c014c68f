//! The rules by which a framework says which records could prove an indicator. They are a closed list with strict parameters: no query is data.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::evidence::{EvidenceSubject, PlanContent};
use crate::{
    base::values::{Code, word, words},
    nouns::{
        entities::entities::EntityKind,
        international::{contributions::ContributionDirection, positions::Topic},
    },
    repository::Faults,
};

/// Which records a rule looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CandidateRecord {
    /// A strategy or action plan approved by a legal act and not over, with what it `needs`.
    ApprovedPlan,
    /// A strategy approved by a legal act and not over.
    Strategy,
    /// A legal act that applies, by `act_type` and `words`.
    LegalAct,
    /// An entity that exists, by `entity_kinds` and `words`.
    Entity,
    /// What the state gave to a forum, `within_days`.
    Engagement,
    /// A place in a forum.
    ForumMembership,
    /// An official position that is not superseded, on all the `topics`.
    Position,
    /// The `treaty` in force for the state.
    TreatyInForce,
    /// Capacity building under way or done, by `direction`, `within_days`.
    Contribution,
    /// A commitment that is kept, by `catalogue` and `code`.
    Commitment,
    /// A training programme whose sessions were held, `within_days`.
    Training,
    /// Evidence that proves today, by `about` and `contents`.
    Evidence,
}

/// What an approved plan has to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlanPart {
    /// Objectives that initiatives serve.
    Objectives,
    /// Steps of its initiatives.
    Steps,
    /// Entities with a role in its work.
    Entities,
    /// Work with an end.
    Timelines,
    /// People allocated to its work.
    People,
    /// Money allocated to its work.
    Money,
    /// Indicators of what it reaches.
    Metrics,
}

/// A rule: which records could prove an indicator. Each parameter fits some records only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CandidateRule {
    /// Which records.
    pub record: CandidateRecord,
    /// Of `approved_plan`: what the plan has to have.
    #[serde(default)]
    #[schema(max_items = 7)]
    pub needs: Vec<PlanPart>,
    /// Of `position`: on all these topics.
    #[serde(default)]
    #[schema(max_items = 30)]
    pub topics: Vec<Topic>,
    /// Of `treaty_in_force`: the code of the treaty, such as `CETS-185`; needed there.
    pub treaty: Option<Code>,
    /// Of `contribution`: given or received.
    pub direction: Option<ContributionDirection>,
    /// Of `engagement`, `contribution` and `training`: within so many days before the day.
    #[schema(minimum = 1, maximum = 36_500)]
    pub within_days: Option<i32>,
    /// Of `legal_act`: the type of act.
    #[schema(min_length = 1, max_length = 100, pattern = r"\S")]
    pub act_type: Option<String>,
    /// Of `entity`: of one of these kinds.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub entity_kinds: Vec<EntityKind>,
    /// Of `commitment`: the catalogue, such as `un_norms_2015`; needed there.
    pub catalogue: Option<Code>,
    /// Of `commitment`: the code in the catalogue.
    pub code: Option<Code>,
    /// Of `evidence`: about one of these.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub about: Vec<EvidenceSubject>,
    /// Of `evidence`: of one of these contents of a plan.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub contents: Vec<PlanContent>,
    /// Of all but `treaty_in_force` and `commitment`: words that the record has, in the form of the parameter `q` of a list.
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub words: Option<String>,
}

impl CandidateRecord {
    /// The plural of the noun, as a path.
    pub(crate) fn plural(self) -> &'static str {
        match self {
            Self::ApprovedPlan | Self::Strategy => "strategies",
            Self::LegalAct => "legal-acts",
            Self::Entity => "entities",
            Self::Engagement => "engagements",
            Self::ForumMembership => "forums",
            Self::Position => "positions",
            Self::TreatyInForce => "treaty-actions",
            Self::Contribution => "contributions",
            Self::Commitment => "commitments",
            Self::Training => "training-programmes",
            Self::Evidence => "evidence",
        }
    }

    /// The parameters that fit it.
    fn parameters(self) -> &'static [&'static str] {
        match self {
            Self::ApprovedPlan => &["needs", "words"],
            Self::Strategy | Self::ForumMembership => &["words"],
            Self::LegalAct => &["act_type", "words"],
            Self::Entity => &["entity_kinds", "words"],
            Self::Engagement | Self::Training => &["within_days", "words"],
            Self::Position => &["topics", "words"],
            Self::TreatyInForce => &["treaty"],
            Self::Contribution => &["direction", "within_days", "words"],
            Self::Commitment => &["catalogue", "code"],
            Self::Evidence => &["about", "contents", "words"],
        }
    }
}

fn listed<T: Serialize>(values: &[T]) -> String {
    words(values).join(", ")
}

impl CandidateRule {
    /// The rule over its parameters.
    pub(super) fn check(&self, at: &str, faults: &mut Faults) {
        let given = [
            ("needs", !self.needs.is_empty()),
            ("topics", !self.topics.is_empty()),
            ("treaty", self.treaty.is_some()),
            ("direction", self.direction.is_some()),
            ("within_days", self.within_days.is_some()),
            ("act_type", self.act_type.is_some()),
            ("entity_kinds", !self.entity_kinds.is_empty()),
            ("catalogue", self.catalogue.is_some()),
            ("code", self.code.is_some()),
            ("about", !self.about.is_empty()),
            ("contents", !self.contents.is_empty()),
            ("words", self.words.is_some()),
        ];
        let fits = self.record.parameters();
        for (name, _) in given.iter().filter(|(name, given)| *given && !fits.contains(name)) {
            let detail = format!("A rule for {} takes {} only; leave it out.", word(self.record), fits.join(", "));
            faults.add(&format!("{at}/{name}"), "not_allowed", detail);
        }
        let needed = match self.record {
            CandidateRecord::TreatyInForce => Some(("treaty", self.treaty.is_some())),
            CandidateRecord::Commitment => Some(("catalogue", self.catalogue.is_some())),
            _ => None,
        };
        if let Some((name, given)) = needed {
            faults.check(given, &format!("{at}/{name}"), "required", "The rule says nothing without it.");
        }
    }

    /// Which record would be a candidate, where there is none.
    pub(crate) fn wanted(&self) -> String {
        let wanted = match self.record {
            CandidateRecord::ApprovedPlan => {
                let needs =
                    if self.needs.is_empty() { String::new() } else { format!(" with {}", listed(&self.needs)) };
                format!("a strategy or action plan, approved by a legal act and not over,{needs}")
            }
            CandidateRecord::Strategy => "a strategy approved by a legal act and not over".into(),
            CandidateRecord::LegalAct => {
                let kind = self.act_type.as_ref().map_or(String::new(), |kind| format!(" of the type {kind}"));
                format!("a legal act in force{kind}")
            }
            CandidateRecord::Entity if self.entity_kinds.is_empty() => "an entity".into(),
            CandidateRecord::Entity => format!("an entity of the kind {}", listed(&self.entity_kinds)),
            CandidateRecord::Engagement => "an engagement with a statement, or in the chair".into(),
            CandidateRecord::ForumMembership => "a forum with a membership".into(),
            CandidateRecord::Position if self.topics.is_empty() => "an official position".into(),
            CandidateRecord::Position => format!("an official position with the topics {}", listed(&self.topics)),
            CandidateRecord::TreatyInForce => {
                let treaty = self.treaty.as_ref().map_or("", |code| &code.0);
                format!("an action by which the state is bound by {treaty}, with the day from which it has effect")
            }
            CandidateRecord::Contribution => {
                format!("a contribution {} that is under way or done", self.direction.map(word).unwrap_or_default())
            }
            CandidateRecord::Commitment => {
                let code = self.code.as_ref().map_or(String::new(), |code| format!(" {}", code.0));
                format!("{}{code} as implemented", self.catalogue.as_ref().map_or("", |catalogue| &catalogue.0))
            }
            CandidateRecord::Training => "a training programme with a session that was held".into(),
            CandidateRecord::Evidence if self.about.is_empty() => "verified evidence".into(),
            CandidateRecord::Evidence => format!("verified evidence about {}", listed(&self.about)),
        };
        let within = self.within_days.map(|days| format!(", within {days} days")).unwrap_or_default();
        let with =
            self.words.as_ref().map(|words| format!(", with the words \u{201c}{words}\u{201d}")).unwrap_or_default();
        format!("Nothing found; record {wanted}{within}{with} (/v1/{}).", self.record.plural())
    }
}
