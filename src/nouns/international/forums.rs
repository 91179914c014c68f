//! Forums: where states speak with each other about cyberspace.

use std::collections::HashSet;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::forum_values::{ForumDocument, ForumKind, ForumStatus, Membership};
use crate::{
    base::values::{Classification, Code, ExternalId, Id, Text, Url},
    repository::{
        Faults, Reference, Resource, Row, Select, Sort,
        macros::{no_cycles, set_fields},
    },
};

/// Where states speak with each other, and the place of our state in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct Forum {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as what it is part of, or else `internal`.
    pub classification: Option<Classification>,
    /// Its code, such as `UN-OEWG-2021-2025`; unique.
    pub code: Code,
    /// Its name.
    #[sqlx(json)]
    pub name: Text,
    /// What it is about.
    #[sqlx(json(nullable))]
    pub description: Option<Text>,
    /// What sort of forum it is.
    pub kind: ForumKind,
    /// Who holds it, such as the UN General Assembly.
    #[sqlx(json(nullable))]
    pub body: Option<Text>,
    /// The forum under which it meets.
    pub parent_id: Option<ForumId>,
    /// The documents that set it up or renewed it, by their symbols, such as `A/RES/73/27`.
    #[serde(default)]
    #[schema(max_items = 30)]
    pub mandate: Vec<Code>,
    /// The first day of its mandate.
    pub starts_on: Option<NaiveDate>,
    /// The last day of its mandate.
    pub ends_on: Option<NaiveDate>,
    /// Whether it meets; null where the source does not say.
    pub status: Option<ForumStatus>,
    /// What it reported and decided, and what was made of that.
    #[serde(default)]
    #[sqlx(json)]
    #[schema(max_items = 200)]
    pub documents: Vec<ForumDocument>,
    /// Its web site.
    pub url: Option<Url>,
    /// Where this was taken from: an address or a citation.
    #[schema(min_length = 1, max_length = 2000)]
    pub source: Option<String>,
    /// The place of our state in it; null where nobody has said so, which is not `none`.
    pub membership: Option<Membership>,
    /// The first day on which our state had it.
    pub member_from: Option<NaiveDate>,
    /// The last day on which our state had it.
    pub member_to: Option<NaiveDate>,
}

/// The id of a forum.
pub type ForumId = Id<Forum>;

/// Which forums.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = ForumFilter)]
pub struct Filter {
    /// With one of these codes.
    pub code: Vec<Code>,
    /// Of one of these kinds.
    pub kind: Vec<ForumKind>,
    /// Meeting directly under one of these.
    pub parent_id: Vec<ForumId>,
    /// In one of these states.
    pub status: Vec<ForumStatus>,
    /// In which our state has one of these places.
    pub membership: Vec<Membership>,
    /// Whether it is said which place our state has.
    pub is_membership_known: Option<bool>,
}

impl Resource for Forum {
    const KIND: &'static str = "forum";
    const TABLE: &'static str = "forums";
    const SORTS: &'static [Sort] = &[
        Sort::CODE,
        Sort::CREATED,
        Sort::UPDATED,
        Sort::spoken("name"),
        Sort::date("starts_on", "coalesce(starts_on, '-infinity')"),
    ];
    const REFERENCES: &'static [Reference] = &[Reference { field: "parent_id", table: "forums" }];
    const PARENTS: &'static [&'static str] = &["parent_id"];
    const RULE: Option<&'static str> = Some(no_cycles!("forums", "parent_id"));
    const LONG_AGO: &'static [&'static str] = &["starts_on", "ends_on", "member_from", "member_to"];
    type Filter = Filter;

    fn validate(&self, _: Option<&Self>, faults: &mut Faults) {
        faults.check_period(self.starts_on, self.ends_on, "ends_on");
        faults.check_period(self.member_from, self.member_to, "member_to");
        for (field, given) in [("member_from", self.member_from.is_some()), ("member_to", self.member_to.is_some())] {
            faults.check(
                !given || !matches!(self.membership, None | Some(Membership::None)),
                field,
                "needs_membership",
                "Say in membership what our state was in those days: member, observer or participant.",
            );
        }
        let mut seen = HashSet::new();
        for (index, document) in self.documents.iter().enumerate() {
            if !seen.insert(&document.symbol.0) {
                let detail = "An earlier document has this symbol; keep one of them.";
                faults.add(&format!("documents/{index}/symbol"), "duplicate", detail);
            }
        }
    }

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, code, name, description, kind, body, parent_id, mandate, starts_on, ends_on,
            status, documents, url, source, membership, member_from, member_to);
    }

    fn select(filter: &Filter, select: &mut Select) {
        select
            .words("code", &filter.code)
            .words("kind", &filter.kind)
            .ids("parent_id", &filter.parent_id)
            .words("status", &filter.status)
            .words("membership", &filter.membership)
            .holds("membership is not null", filter.is_membership_known);
    }
}
