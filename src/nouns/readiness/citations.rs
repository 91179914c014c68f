//! Citations: which evidence an answer rests on.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{answers::AnswerId, evidence::EvidenceId};
use crate::{
    base::values::{Classification, ExternalId, Id, Text},
    repository::{Faults, Reference, Resource, Row, Select, Sort, macros::set_fields},
};

/// That an answer rests on a piece of evidence. One piece serves any number of answers, of any framework.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct Citation {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as what it is part of, or else `internal`.
    pub classification: Option<Classification>,
    /// The answer.
    pub answer_id: AnswerId,
    /// The evidence; an answer cites a piece once.
    pub evidence_id: EvidenceId,
    /// What in it proves the answer, such as a page.
    #[sqlx(json(nullable))]
    pub note: Option<Text>,
}

/// The id of a citation.
pub type CitationId = Id<Citation>;

/// Which citations.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = CitationFilter)]
pub struct Filter {
    /// Of one of these answers.
    pub answer_id: Vec<AnswerId>,
    /// Of one of these pieces of evidence.
    pub evidence_id: Vec<EvidenceId>,
}

impl Resource for Citation {
    const KIND: &'static str = "citation";
    const TABLE: &'static str = "citations";
    const SORTS: &'static [Sort] = &[Sort::CREATED, Sort::UPDATED];
    const REFERENCES: &'static [Reference] =
        &[Reference { field: "answer_id", table: "answers" }, Reference { field: "evidence_id", table: "evidence" }];
    const PARENTS: &'static [&'static str] = &["answer_id", "evidence_id"];
    type Filter = Filter;

    fn validate(&self, _: Option<&Self>, _: &mut Faults) {}

    /// It judges the plan and is no promise of it.
    fn needs_reason(_: Option<&Self>, _: Option<&Self>) -> bool {
        false
    }

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, answer_id, evidence_id, note);
    }

    fn select(filter: &Filter, select: &mut Select) {
        select.ids("answer_id", &filter.answer_id).ids("evidence_id", &filter.evidence_id);
    }
}
