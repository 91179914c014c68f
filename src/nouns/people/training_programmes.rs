//! Training programmes: what a strategy has people taught. Its sessions are `training_sessions`.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    base::values::{Classification, ExternalId, Id, Text},
    nouns::{
        entities::entities::EntityId,
        indicators::indicators::IndicatorId,
        plan::{initiatives::InitiativeId, strategies::StrategyId},
    },
    repository::{Faults, Reference, Resource, Row, Select, Sort, macros::set_fields},
};

/// Whom a programme is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum TrainingAudience {
    /// At school.
    Pupils,
    /// At a university.
    Students,
    /// Those who teach.
    Teachers,
    /// In public service.
    CivilServants,
    /// Those whose trade is security.
    Specialists,
    /// Those who lead an institution or a company.
    Leaders,
    /// Small and other companies.
    Business,
    /// Everybody.
    Public,
    /// None of these, or several.
    Other,
}

/// How much it asks of those who take part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum TrainingLevel {
    /// To know of a thing.
    Awareness,
    /// To begin.
    Basic,
    /// To work under guidance.
    Intermediate,
    /// To work alone.
    Advanced,
    /// To lead and teach others.
    Expert,
}

/// Education or training that is part of carrying out a strategy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct TrainingProgramme {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as what it is part of, or else `internal`.
    pub classification: Option<Classification>,
    /// The strategy of which it is part; exactly one of this and `initiative_id`.
    pub strategy_id: Option<StrategyId>,
    /// The initiative of which it is part; exactly one of this and `strategy_id`.
    pub initiative_id: Option<InitiativeId>,
    /// Its title.
    #[sqlx(json)]
    pub title: Text,
    /// What is taught.
    #[sqlx(json(nullable))]
    pub description: Option<Text>,
    /// Whom it is for.
    pub audience: TrainingAudience,
    /// How much it asks of them; null where nobody has said so.
    pub level: Option<TrainingLevel>,
    /// The entity that holds it.
    pub provider_id: Option<EntityId>,
    /// The indicator to which it contributes. What is measured is still written as a measurement.
    pub indicator_id: Option<IndicatorId>,
    /// The first day.
    pub starts_on: Option<NaiveDate>,
    /// The last day.
    pub ends_on: Option<NaiveDate>,
}

/// The id of a training programme.
pub type TrainingProgrammeId = Id<TrainingProgramme>;

/// Which training programmes.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = TrainingProgrammeFilter)]
pub struct Filter {
    /// Of one of these strategies themselves.
    pub strategy_id: Vec<StrategyId>,
    /// Of one of these initiatives.
    pub initiative_id: Vec<InitiativeId>,
    /// For one of these audiences.
    pub audience: Vec<TrainingAudience>,
    /// On one of these levels.
    pub level: Vec<TrainingLevel>,
    /// Held by one of these entities.
    pub provider_id: Vec<EntityId>,
    /// Contributing to one of these indicators.
    pub indicator_id: Vec<IndicatorId>,
    /// Whether it has sessions.
    pub has_sessions: Option<bool>,
}

impl Resource for TrainingProgramme {
    const KIND: &'static str = "training_programme";
    const TABLE: &'static str = "training_programmes";
    const SORTS: &'static [Sort] = &[
        Sort::CREATED,
        Sort::UPDATED,
        Sort::spoken("title"),
        Sort::text("audience", "audience"),
        Sort::date("starts_on", "coalesce(starts_on, '-infinity')"),
    ];
    const REFERENCES: &'static [Reference] = &[
        Reference { field: "strategy_id", table: "strategies" },
        Reference { field: "initiative_id", table: "initiatives" },
        Reference { field: "provider_id", table: "entities" },
        Reference { field: "indicator_id", table: "indicators" },
    ];
    const PARENTS: &'static [&'static str] = &["strategy_id", "initiative_id"];
    const IS_ADDED_FREELY: bool = true;
    type Filter = Filter;

    fn validate(&self, _: Option<&Self>, faults: &mut Faults) {
        faults.check_exactly_one(
            ("strategy_id", self.strategy_id.is_some()),
            ("initiative_id", self.initiative_id.is_some()),
        );
        faults.check_period(self.starts_on, self.ends_on, "ends_on");
    }

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, strategy_id, initiative_id, title, description, audience, level, provider_id,
            indicator_id, starts_on, ends_on);
    }

    fn select(filter: &Filter, select: &mut Select) {
        select
            .ids("strategy_id", &filter.strategy_id)
            .ids("initiative_id", &filter.initiative_id)
            .words("audience", &filter.audience)
            .words("level", &filter.level)
            .ids("provider_id", &filter.provider_id)
            .ids("indicator_id", &filter.indicator_id)
            .holds(
                "exists (select from training_sessions s where s.programme_id = training_programmes.id)",
                filter.has_sessions,
            );
    }
}
