//! Who may do what: a row for every operation of the document, and the one function that decides. What is not in the table nobody may.
//!
//! A new noun has a row in `NOUNS`, any other new operation one in `OTHERS`; `tests/api/matrix.rs` tries every row as every role, and
//! `docs/reference/access.md` shows them.

use std::{collections::HashMap, sync::LazyLock};

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::role::{Act, Area, Role, Scopes};
use crate::{error::Error, repository::Clearance};

/// On which things a role may do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// On all.
    Any,
    /// On what belongs to the work of its entity: see `own`.
    Own,
}

/// Who may, and on which things.
pub type Grants = &'static [(Role, Relation)];

use Relation::{Any, Own};
use Role::{Admin, Assessor, Auditor, Coordinator, Diplomat, Editor, Finance, Viewer};

const READERS: Grants = &[
    (Admin, Any),
    (Coordinator, Any),
    (Editor, Any),
    (Finance, Any),
    (Diplomat, Any),
    (Assessor, Any),
    (Auditor, Any),
    (Viewer, Any),
];
const ADMINS: Grants = &[(Admin, Any)];
/// Those who may see everything.
const AUDITORS: Grants = &[(Admin, Any), (Coordinator, Any), (Auditor, Any)];
const PLANNERS: Grants = &[(Admin, Any), (Coordinator, Any)];
const EDITORS: Grants = &[(Admin, Any), (Coordinator, Any), (Editor, Own)];
const TREASURERS: Grants = &[(Admin, Any), (Coordinator, Any), (Editor, Own), (Finance, Own)];
/// What is international is the diplomats'.
const DIPLOMATS: Grants = &[(Admin, Any), (Coordinator, Any), (Diplomat, Any)];
const CASHIERS: Grants = &[(Admin, Any), (Coordinator, Any), (Finance, Own)];
const ASSESSORS: Grants = &[(Admin, Any), (Coordinator, Any), (Assessor, Any)];

/// The rows of a noun.
struct OfNoun {
    kind: &'static str,
    plural: &'static str,
    area: Area,
    create: Grants,
    /// Replace and patch.
    change: Grants,
    delete: Grants,
    /// Whether it is only added to: it has no operations that change it.
    append_only: bool,
}

impl OfNoun {
    const fn new(kind: &'static str, plural: &'static str, area: Area, writers: Grants) -> Self {
        Self { kind, plural, area, create: writers, change: writers, delete: writers, append_only: false }
    }
}

/// Every reader may list and find a noun, and see its history. Who may write it:
const NOUNS: &[OfNoun] = &[
    OfNoun::new("legal_act", "legal_acts", Area::Plan, PLANNERS),
    OfNoun::new("entity", "entities", Area::Entities, PLANNERS),
    OfNoun::new("funding_source", "funding_sources", Area::Money, PLANNERS),
    OfNoun::new("strategy", "strategies", Area::Plan, PLANNERS),
    OfNoun::new("objective", "objectives", Area::Plan, PLANNERS),
    // A new initiative is nobody's yet, and one that an entity works on has an assignment that keeps it.
    OfNoun { change: EDITORS, ..OfNoun::new("initiative", "initiatives", Area::Plan, PLANNERS) },
    OfNoun::new("step", "steps", Area::Plan, EDITORS),
    OfNoun::new("assignment", "assignments", Area::Plan, EDITORS),
    OfNoun::new("timeline", "timelines", Area::Plan, EDITORS),
    OfNoun::new("milestone", "milestones", Area::Plan, EDITORS),
    OfNoun::new("dependency", "dependencies", Area::Plan, EDITORS),
    OfNoun::new("budget_allocation", "budget_allocations", Area::Money, TREASURERS),
    OfNoun::new("staff_allocation", "staff_allocations", Area::Plan, EDITORS),
    OfNoun::new("staff_capacity", "staff_capacities", Area::Entities, EDITORS),
    OfNoun::new("reporting_cycle", "reporting_cycles", Area::Progress, PLANNERS),
    // Whoever may write a report may not lead it every step: see `progress::reporting`.
    OfNoun::new("progress_report", "progress_reports", Area::Progress, EDITORS),
    OfNoun::new("risk", "risks", Area::Progress, EDITORS),
    // What is to be reached is the plan's; what was reached says who measures it.
    OfNoun::new("indicator", "indicators", Area::Progress, PLANNERS),
    OfNoun::new("indicator_target", "indicator_targets", Area::Progress, PLANNERS),
    OfNoun::new("measurement", "measurements", Area::Progress, EDITORS),
    OfNoun::new("exchange_rate", "exchange_rates", Area::Money, PLANNERS),
    OfNoun { append_only: true, ..OfNoun::new("budget_movement", "budget_movements", Area::Money, CASHIERS) },
    OfNoun::new("evidence", "evidence", Area::Readiness, ASSESSORS),
    OfNoun::new("treaty", "treaties", Area::International, DIPLOMATS),
    OfNoun::new("treaty_action", "treaty_actions", Area::International, DIPLOMATS),
    OfNoun::new("position", "positions", Area::International, DIPLOMATS),
    OfNoun::new("forum", "forums", Area::International, DIPLOMATS),
    OfNoun::new("engagement", "engagements", Area::International, DIPLOMATS),
    OfNoun::new("delegation", "delegations", Area::International, DIPLOMATS),
    OfNoun::new("commitment", "commitments", Area::International, DIPLOMATS),
    // It is restricted unless it says otherwise, and a diplomat does not see what is restricted.
    OfNoun::new("contact_point", "contact_points", Area::International, PLANNERS),
    OfNoun::new("contribution", "contributions", Area::International, DIPLOMATS),
    OfNoun::new("contribution_partner", "contribution_partners", Area::International, DIPLOMATS),
    // What is to be taught is the plan's; when, and to how many, says who teaches it.
    OfNoun::new("training_programme", "training_programmes", Area::Plan, PLANNERS),
    OfNoun::new("training_session", "training_sessions", Area::Plan, EDITORS),
    OfNoun::new("framework", "frameworks", Area::Readiness, ASSESSORS),
    OfNoun::new("assessment", "assessments", Area::Readiness, ASSESSORS),
    OfNoun::new("answer", "answers", Area::Readiness, ASSESSORS),
    OfNoun::new("citation", "citations", Area::Readiness, ASSESSORS),
];

/// The operations that belong to no noun. Those without an area ask for no scope.
const OTHERS: &[(&str, Option<Area>, Act, Grants)] = &[
    ("report_plan", Some(Area::Plan), Act::Read, READERS),
    ("report_timeline", Some(Area::Plan), Act::Read, READERS),
    ("report_responsibilities", Some(Area::Plan), Act::Read, READERS),
    ("report_budget", Some(Area::Money), Act::Read, READERS),
    ("report_funding_gaps", Some(Area::Money), Act::Read, READERS),
    ("report_spending", Some(Area::Money), Act::Read, READERS),
    ("report_flows", Some(Area::Money), Act::Read, READERS),
    ("report_gaps", Some(Area::Plan), Act::Read, READERS),
    ("report_integrity", Some(Area::Plan), Act::Read, READERS),
    ("report_quality", Some(Area::Plan), Act::Read, READERS),
    ("report_plan_contents", Some(Area::Plan), Act::Read, READERS),
    ("report_staffing", Some(Area::Plan), Act::Read, READERS),
    ("report_understaffed", Some(Area::Plan), Act::Read, READERS),
    ("report_summary", Some(Area::Progress), Act::Read, READERS),
    ("report_progress", Some(Area::Progress), Act::Read, READERS),
    ("report_matrix", Some(Area::Progress), Act::Read, READERS),
    ("report_attention", Some(Area::Progress), Act::Read, READERS),
    ("report_submissions", Some(Area::Progress), Act::Read, READERS),
    ("report_engagements", Some(Area::International), Act::Read, READERS),
    ("report_silent_forums", Some(Area::International), Act::Read, READERS),
    ("report_follow_ups", Some(Area::International), Act::Read, READERS),
    ("report_commitments", Some(Area::International), Act::Read, READERS),
    ("report_contributions", Some(Area::International), Act::Read, READERS),
    ("report_training", Some(Area::Plan), Act::Read, READERS),
    ("create_progress_report_batch", Some(Area::Progress), Act::Write, EDITORS),
    // A calendar is also opened by a token, which is no key: see `progress::calendars`.
    ("find_calendar", Some(Area::Progress), Act::Read, READERS),
    ("list_calendar_tokens", Some(Area::Access), Act::Read, PLANNERS),
    ("create_calendar_token", Some(Area::Access), Act::Write, PLANNERS),
    ("delete_calendar_token", Some(Area::Access), Act::Write, PLANNERS),
    // A feed is also opened by a token; whoever comes with a key reads it as himself: see `feeds`.
    ("find_feed", None, Act::Read, READERS),
    ("list_feed_tokens", Some(Area::Access), Act::Read, PLANNERS),
    ("create_feed_token", Some(Area::Access), Act::Write, PLANNERS),
    ("delete_feed_token", Some(Area::Access), Act::Write, PLANNERS),
    ("list_obligations", Some(Area::Progress), Act::Read, READERS),
    ("report_indicators", Some(Area::Progress), Act::Read, READERS),
    ("create_measurement_batch", Some(Area::Progress), Act::Write, EDITORS),
    ("list_changes", Some(Area::Record), Act::Read, READERS),
    ("stream_changes", Some(Area::Record), Act::Read, READERS),
    ("diff", Some(Area::Record), Act::Read, READERS),
    ("find_checkpoint", Some(Area::Record), Act::Read, READERS),
    ("find_log_key", Some(Area::Record), Act::Read, READERS),
    ("find_tile", Some(Area::Record), Act::Read, READERS),
    ("find_consistency", Some(Area::Record), Act::Read, READERS),
    // Entries name every change there is, and a proof shows its content.
    ("find_entries", Some(Area::Record), Act::Read, AUDITORS),
    ("find_proof", Some(Area::Record), Act::Read, AUDITORS),
    // A webhook sends everything to wherever it says.
    ("list_webhooks", Some(Area::Access), Act::Read, ADMINS),
    ("create_webhook", Some(Area::Access), Act::Write, ADMINS),
    ("find_webhook", Some(Area::Access), Act::Read, ADMINS),
    ("patch_webhook", Some(Area::Access), Act::Write, ADMINS),
    ("delete_webhook", Some(Area::Access), Act::Write, ADMINS),
    ("list_webhook_secrets", Some(Area::Access), Act::Read, ADMINS),
    ("create_webhook_secret", Some(Area::Access), Act::Write, ADMINS),
    ("end_webhook_secret", Some(Area::Access), Act::Write, ADMINS),
    ("redeliver", Some(Area::Access), Act::Write, ADMINS),
    ("replay_webhook", Some(Area::Access), Act::Write, ADMINS),
    ("test_webhook", Some(Area::Access), Act::Write, ADMINS),
    ("list_deliveries", Some(Area::Access), Act::Read, ADMINS),
    ("import_plan", Some(Area::Transfer), Act::Write, PLANNERS),
    ("import_exchange_rates", Some(Area::Money), Act::Write, PLANNERS),
    ("import_iati", Some(Area::International), Act::Write, PLANNERS),
    ("export_iati", Some(Area::International), Act::Read, READERS),
    // An export of a whole plan is for those who may import it.
    ("export_plan", Some(Area::Transfer), Act::Read, AUDITORS),
    ("list_api_keys", Some(Area::Access), Act::Read, ADMINS),
    ("create_api_key", Some(Area::Access), Act::Write, ADMINS),
    ("find_api_key", Some(Area::Access), Act::Read, ADMINS),
    ("patch_api_key", Some(Area::Access), Act::Write, ADMINS),
    ("delete_api_key", Some(Area::Access), Act::Write, ADMINS),
    ("find_me", None, Act::Read, READERS),
    // Of what waits for a second principal everybody sees what he sees of the things it is about, within his scopes: see `proposals`.
    ("list_proposals", None, Act::Read, READERS),
    ("find_proposal", None, Act::Read, READERS),
    // Who confirms does the thing itself, and needs the right and the scope for that.
    ("create_confirmation", None, Act::Write, TREASURERS),
    // Whoever may see a piece of evidence that names it: see `readiness::documents`.
    ("download_document", Some(Area::Readiness), Act::Read, READERS),
    ("report_expiring_evidence", Some(Area::Readiness), Act::Read, READERS),
    ("report_disputed_claims", Some(Area::Readiness), Act::Read, READERS),
    ("list_candidates", Some(Area::Readiness), Act::Read, READERS),
    ("report_readiness", Some(Area::Readiness), Act::Read, READERS),
    ("report_readiness_history", Some(Area::Readiness), Act::Read, READERS),
    ("upload_document", Some(Area::Readiness), Act::Write, ASSESSORS),
    ("erase_document", Some(Area::Readiness), Act::Write, ADMINS),
    ("report_treaties", Some(Area::International), Act::Read, READERS),
    ("report_positions", Some(Area::International), Act::Read, READERS),
];

/// What needs no key: what the service says of itself.
pub const OPEN: [&str; 5] = ["find_document", "find_liveness", "find_readiness", "find_metrics", "find_plan_schema"];

/// A row of the table.
#[derive(Debug)]
pub struct Rule {
    /// The operation id.
    pub operation: String,
    /// The area of the scope that it asks for, if it asks for one.
    pub area: Option<Area>,
    /// What it does there.
    pub act: Act,
    /// Who may.
    pub grants: Grants,
}

static TABLE: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let mut table = Vec::new();
    for noun in NOUNS {
        let (kind, plural, area) = (noun.kind, noun.plural, noun.area);
        let mut add = |operation: String, act, grants| table.push(Rule { operation, area: Some(area), act, grants });
        add(format!("list_{plural}"), Act::Read, READERS);
        add(format!("create_{kind}"), Act::Write, noun.create);
        add(format!("find_{kind}"), Act::Read, READERS);
        if !noun.append_only {
            add(format!("replace_{kind}"), Act::Write, noun.change);
            add(format!("patch_{kind}"), Act::Write, noun.change);
            add(format!("delete_{kind}"), Act::Write, noun.delete);
        }
        add(format!("history_of_{kind}"), Act::Read, READERS);
    }
    let rule =
        |(operation, area, act, grants): (&str, _, _, _)| Rule { operation: operation.into(), area, act, grants };
    table.extend(OTHERS.iter().copied().map(rule));
    table
});

static ROWS: LazyLock<HashMap<&'static str, &'static Rule>> =
    LazyLock::new(|| TABLE.iter().map(|rule| (rule.operation.as_str(), rule)).collect());

/// The whole table, in the order of the document.
pub fn table() -> &'static [Rule] {
    &TABLE
}

/// What was decided: on which things the operation may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// On all.
    Any,
    /// On those that are the entity's own, as `own` says for the role.
    Own(Role, Uuid),
}

impl Grant {
    /// Whether a look at each thing is needed.
    pub fn is_own(self) -> bool {
        self != Self::Any
    }
}

/// What an actor may do to things, and which it may see.
#[derive(Debug, Clone, Copy)]
pub struct Right {
    /// What the actor is; `fields` says which fields are not its own.
    pub role: Role,
    /// On which things.
    pub grant: Grant,
    /// Which it sees.
    pub clearance: Clearance,
}

impl Right {
    /// Whether a write must be one transaction, in which it is asked what may be written and what is seen.
    pub fn is_limited(self) -> bool {
        self.grant.is_own() || self.clearance != Clearance::All
    }
}

/// The operations whose things a key with these scopes may read.
pub fn readable(scopes: &Scopes) -> Vec<String> {
    let is_readable = |rule: &&Rule| rule.area.is_some_and(|area| scopes.allow(area, Act::Read));
    TABLE.iter().filter(is_readable).map(|rule| rule.operation.clone()).collect()
}

/// Decides whether a role, acting for an entity within scopes, may do an operation.
pub fn decide(operation: &str, role: Role, entity: Option<Uuid>, scopes: &Scopes) -> Result<Grant, Error> {
    let rule = ROWS.get(operation).ok_or_else(|| Error::Forbidden("nobody may do this".into()))?;
    let Some((_, relation)) = rule.grants.iter().find(|(granted, _)| *granted == role) else {
        let may: Vec<&str> = rule.grants.iter().map(|(role, _)| role.word()).collect();
        return Err(Error::Forbidden(format!(
            "{operation} needs one of the roles {}; yours is {}; GET /v1/me says what you may",
            may.join(", "),
            role.word()
        )));
    };
    if let Some(area) = rule.area.filter(|area| !scopes.allow(*area, rule.act)) {
        return Err(Error::Forbidden(format!(
            "{operation} needs the scope {}:{}, which the key or token does not have; its scopes are {}",
            area.word(),
            rule.act.word(),
            scopes.words().join(", ")
        )));
    }
    match (relation, entity) {
        (Relation::Any, _) => Ok(Grant::Any),
        (Relation::Own, Some(entity)) => Ok(Grant::Own(role, entity)),
        (Relation::Own, None) => Err(Error::Forbidden("the key has no entity for which it could act".into())),
    }
}
