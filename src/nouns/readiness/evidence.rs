//! Evidence: what is put forward to prove something. One piece can serve any number of indicators and frameworks.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use super::evidence_words::{CapturedCopy, EvidenceKind, EvidenceStanding, EvidenceSubject, PlanContent};
use super::evidence_words::{next, word};
use crate::{
    base::values::{Classification, Country, ExternalId, Id, Language, Text, Url},
    nouns::plan::{legal_acts::LegalActId, strategies::StrategyId, strategy_states::EvidenceState},
    repository::{
        Faults, Reference, Resource, Row, Select, Sort,
        macros::{no_cycles, set_fields},
    },
};

/// A piece of evidence. Its state changes from `proposed` to `verified`, `disputed` or `withdrawn`; that one which was verified has expired
/// follows from `valid_until` and the day, and is no state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as its strategy, or else `internal`. Whoever may see a piece may read its captured copy.
    pub classification: Option<Classification>,
    /// What it is.
    pub kind: EvidenceKind,
    /// What it is called.
    #[sqlx(json)]
    pub title: Text,
    /// What it is put forward to prove.
    #[sqlx(json)]
    pub claim: Text,
    /// What it is about.
    pub about: EvidenceSubject,
    /// What the plan provides; needed where it is about `plan_content`, and only there.
    pub content: Option<PlanContent>,
    /// The country of which it speaks, ISO 3166-1 alpha-2.
    pub country: Option<Country>,
    /// Where it can be read; verified evidence with an address needs `retrieved_at`.
    pub url: Option<Url>,
    /// Who published it, as printed.
    #[schema(min_length = 1, max_length = 300, pattern = r"\S")]
    pub publisher: Option<String>,
    /// The day of its publication.
    pub published_on: Option<NaiveDate>,
    /// The words that prove the claim, verbatim.
    #[schema(min_length = 1, max_length = 20_000, pattern = r"\S")]
    pub quote: Option<String>,
    /// The language of the quote, ISO 639-1.
    pub quote_language: Option<Language>,
    /// The legal act that it is, or is part of.
    pub legal_act_id: Option<LegalActId>,
    /// The annex of the act, such as `Anexa nr. 2`; needs `legal_act_id`.
    #[schema(min_length = 1, max_length = 200)]
    pub annex: Option<String>,
    /// The strategy or action plan of which it speaks.
    pub strategy_id: Option<StrategyId>,
    /// The symbol of the document, such as `A/76/136`.
    #[schema(min_length = 1, max_length = 200, pattern = r"\S", example = "A/76/136")]
    pub document_symbol: Option<String>,
    /// When it was last read at its source (RFC 3339).
    pub retrieved_at: Option<DateTime<Utc>>,
    /// The last day on which it proves the claim; without one it does not expire.
    pub valid_until: Option<NaiveDate>,
    /// The languages of the source, ISO 639-1.
    #[serde(default)]
    #[schema(max_items = 30)]
    pub languages: Vec<Language>,
    /// The captured copy: the SHA-256 of its bytes, as `POST /v1/documents` answers it. The copy itself may come later, or be kept elsewhere.
    #[schema(pattern = "^[0-9a-f]{64}$", example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub document: Option<String>,
    /// How well it is established: `proposed` when not given. `verified` needs `url`, `document` or `legal_act_id`.
    #[serde(default = "proposed")]
    pub state: EvidenceState,
    /// Why it has this state; needed for `disputed` and `withdrawn`, and another one to verify what was disputed.
    #[sqlx(json(nullable))]
    pub state_reason: Option<Text>,
    /// The piece that this one replaces.
    pub supersedes_id: Option<EvidenceId>,
    /// How it was found, and what else is to be known of it.
    #[sqlx(json(nullable))]
    pub source_note: Option<Text>,
}

/// The id of a piece of evidence.
pub type EvidenceId = Id<Evidence>;

fn proposed() -> EvidenceState {
    EvidenceState::Proposed
}

/// Which evidence.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = EvidenceFilter)]
pub struct Filter {
    /// Of one of these kinds.
    pub kind: Vec<EvidenceKind>,
    /// About one of these.
    pub about: Vec<EvidenceSubject>,
    /// Of one of these contents of a plan.
    pub content: Vec<PlanContent>,
    /// In one of these states.
    pub state: Vec<EvidenceState>,
    /// Standing so today: its state, or `expired`.
    pub standing: Vec<EvidenceStanding>,
    /// Speaking of one of these countries, ISO 3166-1 alpha-2.
    pub country: Vec<Country>,
    /// Speaking of one of these strategies.
    pub strategy_id: Vec<StrategyId>,
    /// Being, or being part of, one of these acts.
    pub legal_act_id: Vec<LegalActId>,
    /// With one of these symbols.
    pub document_symbol: Vec<String>,
    /// At one of these addresses.
    pub url: Vec<Url>,
    /// With one of these captured copies (SHA-256).
    pub document: Vec<String>,
    /// Whose captured copy is this to the service today.
    pub copy: Vec<CapturedCopy>,
    /// Replacing one of these pieces.
    pub supersedes_id: Vec<EvidenceId>,
    /// Valid until a day after this one.
    pub valid_until_after: Option<NaiveDate>,
    /// Valid until a day before this one.
    pub valid_until_before: Option<NaiveDate>,
}

impl Resource for Evidence {
    const KIND: &'static str = "evidence";
    const TABLE: &'static str = "evidence";
    const SORTS: &'static [Sort] = &[
        Sort::CREATED,
        Sort::UPDATED,
        Sort::spoken("title"),
        Sort::date("valid_until", "coalesce(valid_until, 'infinity')"),
        Sort::date("published_on", "coalesce(published_on, 'infinity')"),
    ];
    const REFERENCES: &'static [Reference] = &[
        Reference { field: "legal_act_id", table: "legal_acts" },
        Reference { field: "strategy_id", table: "strategies" },
        Reference { field: "supersedes_id", table: "evidence" },
    ];
    const PARENTS: &'static [&'static str] = &["strategy_id"];
    const COPY: Option<&'static str> = Some("document");
    const RULE: Option<&'static str> = Some(no_cycles!("evidence", "supersedes_id"));
    const LONG_AGO: &'static [&'static str] = &["published_on"];
    type Filter = Filter;

    fn validate(&self, before: Option<&Self>, faults: &mut Faults) {
        let is_known = self.country.as_ref().is_none_or(Country::is_known);
        faults.check(is_known, "country", "unknown_code", "Give a country of ISO 3166-1 alpha-2.");
        let is_known = self.quote_language.as_ref().is_none_or(Language::is_known);
        faults.check(is_known, "quote_language", "unknown_code", "Give a language of ISO 639-1.");
        for (place, _) in self.languages.iter().enumerate().filter(|(_, language)| !language.is_known()) {
            faults.add(&format!("languages/{place}"), "unknown_code", "Give a language of ISO 639-1.");
        }
        let is_content = self.about == EvidenceSubject::PlanContent;
        faults.check(
            self.content.is_some() || !is_content,
            "content",
            "required",
            "Say which content of the plan it proves.",
        );
        faults.check(
            self.content.is_none() || is_content,
            "content",
            "not_allowed",
            "Leave content out, or let it be about plan_content.",
        );
        let has_act = self.annex.is_none() || self.legal_act_id.is_some();
        faults.check(has_act, "annex", "needs_legal_act", "Give the legal_act_id of the act whose annex it is.");
        self.judge_state(before, faults);
    }

    /// Evidence follows what is found; what is taken away no longer proves anything.
    fn needs_reason(_: Option<&Self>, after: Option<&Self>) -> bool {
        after.is_none()
    }

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, kind, title, claim, about, content, country, url, publisher, published_on,
            quote, quote_language, legal_act_id, annex, strategy_id, document_symbol, retrieved_at, valid_until, languages, document,
            state, state_reason, supersedes_id, source_note);
    }

    fn select(filter: &Filter, select: &mut Select) {
        select
            .words("kind", &filter.kind)
            .words("about", &filter.about)
            .words("content", &filter.content)
            .words("state", &filter.state)
            .words("evidence_standing(state, valid_until, (select today()))", &filter.standing)
            .words("country", &filter.country)
            .ids("strategy_id", &filter.strategy_id)
            .ids("legal_act_id", &filter.legal_act_id)
            .words("document_symbol", &filter.document_symbol)
            .words("url", &filter.url)
            .words("document", &filter.document)
            .words("copy_of(document)", &filter.copy)
            .ids("supersedes_id", &filter.supersedes_id)
            .days("valid_until", filter.valid_until_after, filter.valid_until_before);
    }
}

impl Evidence {
    /// Whether its state may follow the one before, and has what it needs.
    fn judge_state(&self, before: Option<&Self>, faults: &mut Faults) {
        use EvidenceState::{Disputed, Verified, Withdrawn};
        let is_explained = self.state_reason.is_some() || !matches!(self.state, Disputed | Withdrawn);
        faults.check(
            is_explained,
            "state_reason",
            "needs_reason",
            "Say in state_reason why it is disputed or withdrawn.",
        );
        if self.state == Verified {
            let has_source = self.url.is_some() || self.document.is_some() || self.legal_act_id.is_some();
            let detail = "What is verified was read somewhere: give url, document or legal_act_id.";
            faults.check(has_source, "state", "needs_source", detail);
            let is_dated = self.url.is_none() || self.retrieved_at.is_some();
            faults.check(is_dated, "retrieved_at", "required", "Say when it was read at its url.");
        }
        let Some(before) = before.filter(|before| before.state != self.state) else { return };
        let after = next(before.state);
        if !after.contains(&self.state) {
            let detail = if after.is_empty() {
                "What is withdrawn stays so; put the source forward again as another piece of evidence.".to_owned()
            } else {
                let words: Vec<&str> = after.iter().map(|state| word(*state)).collect();
                format!("After {} comes {}.", word(before.state), words.join(" or "))
            };
            faults.add("state", "transition", detail);
        }
        let is_answered = (before.state, self.state) != (Disputed, Verified)
            || (self.state_reason.is_some() && self.state_reason != before.state_reason);
        faults.check(is_answered, "state_reason", "needs_reason", "Say in state_reason what settled the dispute.");
    }
}
