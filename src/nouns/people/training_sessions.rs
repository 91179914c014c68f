//! Training sessions: when a programme is or was held, and how many took part. No person is named.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::training_programmes::TrainingProgrammeId;
use crate::{
    base::values::{Classification, ExternalId, Id, Text},
    repository::{Faults, Reference, Resource, Row, Select, Sort, macros::set_fields},
};

/// How people take part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum TrainingModality {
    /// In one place.
    InPerson,
    /// Over the network.
    Online,
    /// Both.
    Hybrid,
}

/// Whether it took place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum TrainingStatus {
    /// Not yet.
    #[default]
    Planned,
    /// It did.
    Held,
    /// It will not.
    Cancelled,
}

/// A session of a training programme: a lesson, a course, an exercise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct TrainingSession {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as what it is part of, or else `internal`.
    pub classification: Option<Classification>,
    /// The programme.
    pub programme_id: TrainingProgrammeId,
    /// Its title, where it has one of its own.
    #[sqlx(json(nullable))]
    pub title: Option<Text>,
    /// The first day.
    pub starts_on: NaiveDate,
    /// The last day.
    pub ends_on: NaiveDate,
    /// Where.
    #[sqlx(json(nullable))]
    pub place: Option<Text>,
    /// How people take part; null where nobody has said so.
    pub modality: Option<TrainingModality>,
    /// Whether it took place: `planned` when not given. What was held has begun by today.
    #[serde(default)]
    pub status: TrainingStatus,
    /// For how many there is place.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub places: Option<i32>,
    /// How many took part; null where they were not counted, which is not zero. Only of what was held.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub participants: Option<i32>,
    /// How many of these are women; null where that was not counted.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub women: Option<i32>,
    /// How many of these are men; null where that was not counted.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub men: Option<i32>,
    /// Remarks.
    #[sqlx(json(nullable))]
    pub note: Option<Text>,
}

/// The id of a training session.
pub type TrainingSessionId = Id<TrainingSession>;

/// Which training sessions.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = TrainingSessionFilter)]
pub struct Filter {
    /// Of one of these programmes.
    pub programme_id: Vec<TrainingProgrammeId>,
    /// With one of these statuses.
    pub status: Vec<TrainingStatus>,
    /// With one of these ways to take part.
    pub modality: Vec<TrainingModality>,
    /// Starting after this day.
    pub starts_after: Option<NaiveDate>,
    /// Starting before this day.
    pub starts_before: Option<NaiveDate>,
    /// Whether the participants were counted.
    pub is_counted: Option<bool>,
}

impl Resource for TrainingSession {
    const KIND: &'static str = "training_session";
    const TABLE: &'static str = "training_sessions";
    const SORTS: &'static [Sort] =
        &[Sort::date("starts_on", "starts_on"), Sort::CREATED, Sort::UPDATED, Sort::text("status", "status")];
    const REFERENCES: &'static [Reference] = &[Reference { field: "programme_id", table: "training_programmes" }];
    const PARENTS: &'static [&'static str] = &["programme_id"];
    const RULE: Option<&'static str> = Some(
        "select '#/status', 'in_future', 'It begins after today, so it is planned; say later that it was held.'
         from training_sessions where id = any($1) and status = 'held' and starts_on > (select today())",
    );
    type Filter = Filter;

    fn validate(&self, _: Option<&Self>, faults: &mut Faults) {
        faults.check_period(Some(self.starts_on), Some(self.ends_on), "ends_on");
        let has_counts = self.participants.is_some() || self.women.is_some() || self.men.is_some();
        faults.check(
            !has_counts || self.status == TrainingStatus::Held,
            "participants",
            "not_held",
            "Only what was held has participants; say so in status, or give places.",
        );
        let of_a_sex = i64::from(self.women.unwrap_or(0)) + i64::from(self.men.unwrap_or(0));
        match self.participants {
            None => faults.check(
                self.women.is_none() && self.men.is_none(),
                "participants",
                "required",
                "Give all participants, too; those not counted by sex are the rest.",
            ),
            Some(all) => faults.check(
                of_a_sex <= i64::from(all),
                "participants",
                "too_small",
                "Give at least as many as women and men together.",
            ),
        }
    }

    /// What is held is told; a session that goes was promised.
    fn needs_reason(_: Option<&Self>, after: Option<&Self>) -> bool {
        after.is_none()
    }

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, programme_id, title, starts_on, ends_on, place, modality, status, places,
            participants, women, men, note);
    }

    fn select(filter: &Filter, select: &mut Select) {
        select
            .ids("programme_id", &filter.programme_id)
            .words("status", &filter.status)
            .words("modality", &filter.modality)
            .days("starts_on", filter.starts_after, filter.starts_before)
            .holds("participants is not null", filter.is_counted);
    }
}
