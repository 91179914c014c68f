//! What was reported of a thing is not set back by a file: not by one that does not name it, and not without a reason.

mod stood;

use std::collections::HashSet;

use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

pub(super) use self::stood::{Stood, about};
use super::difference::Difference;
use crate::{error::Error, repository::Fault};

/// The fields that reports move, by the kind of the thing.
const MOVED: &[(&str, &[&str])] = &[
    ("initiative", &["status", "status_reason", "evidence", "confidence", "confidence_reason"]),
    ("step", &["status", "status_reason", "evidence"]),
    ("milestone", &["achieved_on", "evidence"]),
];

/// The fields of a report: once it was submitted, none of them is another by itself.
const REPORTED: &[&str] = &[
    "initiative_id",
    "step_id",
    "cycle_id",
    "period",
    "corrects_id",
    "status",
    "status_reason",
    "confidence",
    "percent",
    "narrative",
    "evidence",
    "challenges",
    "forecast_ends_on",
];

/// The fields that reports move in a thing of this kind.
fn fields(kind: &str) -> &'static [&'static str] {
    MOVED.iter().find(|(own, _)| *own == kind).map_or(&[], |(_, fields)| *fields)
}

/// The fields that a replacement leaves as they are when it does not name them: what was reported, where a thing is on its way, and its name.
pub(super) fn kept(kind: &str, before: &Value) -> Vec<&'static str> {
    const ALWAYS: [&str; 5] = ["external_id", "status", "status_reason", "state", "state_reason"];
    let own: &[&str] = match kind {
        "timeline" if before["basis"] == "forecast" => &["starts_on", "ends_on", "deadline", "set_on"],
        "progress_report" => REPORTED,
        _ => fields(kind),
    };
    let is_there = |name: &&str| before.get(*name).is_some();
    ALWAYS.into_iter().chain(["return_note"]).chain(own.iter().copied()).filter(is_there).collect()
}

/// A row whose change may set something back.
pub(super) struct Doubt {
    pub(super) index: usize,
    pub(super) id: Uuid,
    /// The fields that are different, of those that reports move.
    fields: Vec<&'static str>,
    /// The fields of them that are set back whether there is a report or not.
    back: Vec<&'static str>,
}

impl Doubt {
    /// The doubt about a change, if there is one.
    pub(super) fn of(
        kind: &str,
        (index, id): (usize, Uuid),
        sides: (&Value, &Value),
        all: &Difference,
    ) -> Option<Self> {
        let is_other = |field: &&&str| all.names.iter().any(|name| name == **field);
        let mut different: Vec<&'static str> = fields(kind).iter().filter(is_other).copied().collect();
        let (before, after) = sides;
        if kind == "timeline" && before["basis"] == "forecast" {
            different =
                ["basis", "ends_on", "deadline"].into_iter().filter(|field| before[field] != after[field]).collect();
        }
        if kind == "progress_report" && before["state"] != "draft" {
            different = REPORTED.iter().filter(is_other).copied().collect();
            if way(&after["state"]) < way(&before["state"]) {
                different.push("state");
            }
        }
        let is_back = |field: &&&str| match **field {
            "status" if kind != "progress_report" => rank(&after["status"]) < rank(&before["status"]),
            "status_reason" if kind != "progress_report" => {
                !before["status_reason"].is_null() && before["status"] == after["status"]
            }
            "confidence_reason" => {
                !before["confidence_reason"].is_null() && before["confidence"] == after["confidence"]
            }
            other => !before[other].is_null(),
        };
        let back = different.iter().filter(is_back).copied().collect();
        (!different.is_empty()).then_some(Self { index, id, fields: different, back })
    }
}

/// How far a status is; what is further is not set back.
fn rank(status: &Value) -> u8 {
    match status.as_str() {
        Some("not_started") => 0,
        Some("completed" | "cancelled") => 2,
        _ => 1,
    }
}

/// How far a report is on its way.
fn way(state: &Value) -> u8 {
    match state.as_str() {
        Some("returned") => 1,
        Some("submitted") => 2,
        Some("accepted") => 3,
        Some("consolidated") => 4,
        Some("published") => 5,
        _ => 0,
    }
}

/// What would be set back, of changes for which nobody gave a reason: the faults by the index of their row.
pub(super) async fn set_back(
    connection: &mut PgConnection,
    doubts: &[Doubt],
) -> Result<Vec<(usize, Vec<Fault>)>, Error> {
    if doubts.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = doubts.iter().map(|doubt| doubt.id).collect();
    let reported: Vec<Uuid> = sqlx::query_scalar(
        "select distinct g.id from unnest($1) g(id) join progress_reports r on r.item_id = g.id where r.state not in ('draft', 'returned')",
    )
    .bind(&ids)
    .fetch_all(connection)
    .await?;
    let reported: HashSet<Uuid> = reported.into_iter().collect();
    let faults = doubts.iter().filter_map(|doubt| {
        let (fields, what) = if reported.contains(&doubt.id) {
            (&doubt.fields, "a progress report says how it is")
        } else {
            (&doubt.back, "it would be set back")
        };
        let fault = |field: &&str| Fault {
            pointer: format!("#/{field}"),
            code: "needs_reason".into(),
            detail: format!(
                "{what}; leave the field out, or say in the header Mandate-Reason or with --reason why it changes"
            ),
        };
        let faults: Vec<Fault> = fields.iter().map(fault).collect();
        (!faults.is_empty()).then_some((doubt.index, faults))
    });
    Ok(faults.collect())
}
