//! Treaty actions: what a state does about a treaty. Whether it is bound on a day is derived from them, and kept nowhere.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ledger::ledger, treaties::TreatyId};
use crate::{
    base::values::{Classification, Country, ExternalId, Id, Text, Url},
    nouns::plan::legal_acts::LegalActId,
    repository::{Faults, Reference, Resource, Row, Select, Sort, macros::set_fields},
};

/// What a state did. The articles are those of the Vienna Convention on the Law of Treaties (1969).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum ActionKind {
    /// It was invited to accede, where a treaty is open to those invited only. Binds nobody.
    InvitedToAccede,
    /// Signed, subject to ratification, acceptance or approval (articles 10, 14 and 18). Signature alone is not membership.
    Signed,
    /// Signed without such a reserve: the signature itself expresses the consent to be bound (article 12).
    DefinitivelySigned,
    /// Ratified what it has signed (article 14).
    Ratified,
    /// Accepted (article 14).
    Accepted,
    /// Approved (article 14).
    Approved,
    /// Acceded without having signed (article 15).
    Acceded,
    /// Notified that it succeeds to the treaty (Vienna Convention on Succession of States in respect of Treaties, articles 17 and 22);
    /// `effective_on` may be before the notification.
    Succeeded,
    /// Applies it before it is in force (article 25, 1). No membership.
    ProvisionallyApplied,
    /// Ended the provisional application (article 25, 2).
    ProvisionalApplicationEnded,
    /// Made a reservation (article 19).
    Reservation,
    /// Withdrew a reservation of its own, which `concerns_action_id` names (article 22).
    ReservationWithdrawn,
    /// Made a declaration.
    Declaration,
    /// Withdrew a declaration of its own, which `concerns_action_id` names.
    DeclarationWithdrawn,
    /// Objected to the reservation of another state, which `concerns_action_id` names (article 20).
    Objection,
    /// Withdrew an objection of its own, which `concerns_action_id` names (article 22).
    ObjectionWithdrawn,
    /// Denounced a treaty that is in force for it (articles 54 and 56); `effective_on` is when that ends it.
    Denounced,
    /// Withdrew from the treaty (articles 54 and 56), or took its consent back before it was in force.
    Withdrawn,
    /// Revoked, before it took effect, a denunciation or withdrawal of its own, which `concerns_action_id` names (article 68).
    DenunciationRevoked,
}

impl ActionKind {
    /// Whether it is about an earlier action.
    fn concerns_another(self) -> bool {
        matches!(
            self,
            Self::ReservationWithdrawn
                | Self::DeclarationWithdrawn
                | Self::Objection
                | Self::ObjectionWithdrawn
                | Self::DenunciationRevoked
        )
    }
}

/// What a state did about a treaty, on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct TreatyAction {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as what it is part of, or else `internal`.
    pub classification: Option<Classification>,
    /// The treaty.
    pub treaty_id: TreatyId,
    /// The state, ISO 3166-1 alpha-2; when left out, the country of the service (`MANDATE_COUNTRY`).
    #[serde(default = "Country::configured")]
    pub country: Country,
    /// What it did.
    pub action: ActionKind,
    /// The day of the act: of the signature, of the deposit of the instrument, or on which the depositary received the notification.
    pub acted_on: NaiveDate,
    /// The day from which it has effect for the state: entry into force, or the end by a denunciation. Empty when not known; a signature
    /// that is not definitive has none.
    pub effective_on: Option<NaiveDate>,
    /// Its words, such as those of a reservation.
    #[sqlx(json(nullable))]
    pub text: Option<Text>,
    /// The earlier action that it is about: needed for an objection, a revocation, and what withdraws a reservation, declaration or objection.
    pub concerns_action_id: Option<TreatyActionId>,
    /// The act of domestic law on which it rests, such as the law that ratifies.
    pub legal_act_id: Option<LegalActId>,
    /// The notification of the depositary, as printed, such as `C.N.123.2025.TREATIES-XVIII.16`.
    #[schema(min_length = 1, max_length = 200)]
    pub reference: Option<String>,
    /// Where it can be read.
    pub url: Option<Url>,
    /// Where this was taken from: an address or a citation.
    #[schema(min_length = 1, max_length = 2000)]
    pub source: Option<String>,
}

/// The id of a treaty action.
pub type TreatyActionId = Id<TreatyAction>;

/// Which treaty actions.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = TreatyActionFilter)]
pub struct Filter {
    /// About one of these treaties.
    pub treaty_id: Vec<TreatyId>,
    /// Of one of these states, ISO 3166-1 alpha-2.
    pub country: Vec<Country>,
    /// One of these.
    pub action: Vec<ActionKind>,
    /// About one of these earlier actions.
    pub concerns_action_id: Vec<TreatyActionId>,
    /// Resting on one of these acts.
    pub legal_act_id: Vec<LegalActId>,
    /// With one of these notifications of the depositary.
    pub reference: Vec<String>,
    /// Done before this day.
    pub acted_before: Option<NaiveDate>,
    /// Done after this day.
    pub acted_after: Option<NaiveDate>,
    /// Taking effect before this day.
    pub effective_before: Option<NaiveDate>,
    /// Taking effect after this day.
    pub effective_after: Option<NaiveDate>,
}

impl Resource for TreatyAction {
    const KIND: &'static str = "treaty_action";
    const TABLE: &'static str = "treaty_actions";
    const SORTS: &'static [Sort] = &[
        Sort::date("acted_on", "acted_on"),
        Sort::CREATED,
        Sort::UPDATED,
        Sort::text("country", "country"),
        Sort::date("effective_on", "coalesce(effective_on, 'infinity')"),
    ];
    const REFERENCES: &'static [Reference] = &[
        Reference { field: "treaty_id", table: "treaties" },
        Reference { field: "concerns_action_id", table: "treaty_actions" },
        Reference { field: "legal_act_id", table: "legal_acts" },
    ];
    const PARENTS: &'static [&'static str] = &["treaty_id"];
    const RULE: Option<&'static str> = Some(ledger!());
    const LONG_AGO: &'static [&'static str] = &["acted_on", "effective_on"];
    type Filter = Filter;

    fn validate(&self, _: Option<&Self>, faults: &mut Faults) {
        faults.check(self.country.is_known(), "country", "unknown_code", "Give a country of ISO 3166-1 alpha-2.");
        let is_early = self.effective_on.is_some_and(|effective| effective < self.acted_on);
        faults.check(
            !is_early || self.action == ActionKind::Succeeded,
            "effective_on",
            "before_act",
            "Give a day that is not before acted_on; only a succession dates back.",
        );
        let has_effect = !matches!(self.action, ActionKind::Signed | ActionKind::InvitedToAccede);
        faults.check(
            has_effect || self.effective_on.is_none(),
            "effective_on",
            "not_allowed",
            "Leave it out: it binds nobody; a signature that does is `definitively_signed`.",
        );
        match (self.concerns_action_id.is_some(), self.action.concerns_another()) {
            (false, true) => {
                faults.add("concerns_action_id", "required", "Name the earlier action that it is about.");
            }
            (true, false) => {
                faults.add("concerns_action_id", "not_allowed", "Leave it out: it is about no earlier action.");
            }
            _ => {}
        }
    }

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, treaty_id, country, action, acted_on, effective_on, text,
            concerns_action_id, legal_act_id, reference, url, source);
    }

    fn select(filter: &Filter, select: &mut Select) {
        select
            .ids("treaty_id", &filter.treaty_id)
            .words("country", &filter.country)
            .words("action", &filter.action)
            .ids("concerns_action_id", &filter.concerns_action_id)
            .ids("legal_act_id", &filter.legal_act_id)
            .words("reference", &filter.reference)
            .days("acted_on", filter.acted_after, filter.acted_before)
            .days("effective_on", filter.effective_after, filter.effective_before);
    }
}
