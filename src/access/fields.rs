//! What of a noun is whose: rules on fields, beside the rows of the policy.
//!
//! The policy says who may write a noun; here stands what of it is kept for some of them. `tests/api/matrix.rs` breaks every rule as every role,
//! and `docs/reference/access.md` shows them.

use serde_json::Value;
use sqlx::PgConnection;

use super::{
    own,
    policy::{Grant, Right},
    role::Role,
};
use crate::{
    error::Error,
    repository::{Fault, Faults, Resource},
};

/// A rule on fields of nouns.
pub struct FieldRule {
    /// Its name, such as `assignment_role`.
    pub name: &'static str,
    /// The kinds of nouns; none means every noun.
    pub kinds: &'static [&'static str],
    /// What it keeps.
    pub what: &'static str,
    /// Whom it does not bind.
    pub free: &'static [Role],
    /// The code of its fault: `reserved` (403), or what the content lacks (422).
    pub code: &'static str,
    /// What to do instead.
    instead: &'static str,
    /// The field that breaks it, if one does.
    broken: fn(&Case<'_>) -> Option<&'static str>,
}

/// A write, as a rule sees it.
struct Case<'a> {
    /// The row as it was, unless it is new.
    before: Option<&'a Value>,
    /// The row as it will be, unless it is deleted.
    after: Option<&'a Value>,
    /// The entity for which the writer acts, as JSON; null when it acts for none.
    entity: Value,
    facts: own::Facts,
}

/// The code of what is kept for others.
const RESERVED: &str = "reserved";
/// What to do instead of opening a row by its classification.
const UNOPENED: &str = "Leave classification as it is, or raise it; to lower it, or to publish, is the coordinator's.";
const RULERS: &[Role] = &[Role::Admin, Role::Coordinator];
const TREASURERS: &[Role] = &[Role::Admin, Role::Coordinator, Role::Finance];

/// The rules.
pub const RULES: &[FieldRule] = &[
    FieldRule {
        name: "classification",
        kinds: &[],
        what: "a classification that opens the row to more readers than before, and `public` for what is new",
        free: RULERS,
        code: RESERVED,
        instead: UNOPENED,
        broken: |case| {
            let after = &case.after?["classification"];
            let opens = match case.before {
                None => after == "public",
                Some(before) => case.facts.opens && before["classification"] != *after,
            };
            opens.then_some("classification")
        },
    },
    FieldRule {
        name: "publication",
        kinds: &[],
        what: "moves to where more readers than before see the row, and what is part of it",
        free: RULERS,
        code: RESERVED,
        instead: "Moved so, it would be published, with all that is part of it: what it would be part of is classified lower. Leave it where it is, or give it \
            with the move, in classification, what counts for it now, such as internal; to publish is the coordinator's.",
        broken: |case| case.facts.moved.filter(|_| case.facts.opens),
    },
    FieldRule {
        name: "assignment_new",
        kinds: &["assignment"],
        what: "new assignments in a role by which an entity works on something",
        free: RULERS,
        code: RESERVED,
        instead: "Ask the coordinator for it; yours are the roles that only take note: consulted, informed, beneficiary, funder.",
        broken: |case| (case.before.is_none() && rank(case.after?) > 0).then_some("role"),
    },
    FieldRule {
        name: "assignment_role",
        kinds: &["assignment"],
        what: "another role in an assignment, unless it is lower than before",
        free: RULERS,
        code: RESERVED,
        instead: "Keep the role, or give a lower one; a higher one, or one beside it, is the coordinator's.",
        broken: |case| {
            let (before, after) = (case.before?, case.after?);
            let is_lower = rank(after) < rank(before) || rank(before) == 0 && rank(after) == 0;
            (before["role"] != after["role"] && !is_lower).then_some("role")
        },
    },
    FieldRule {
        name: "assignment_period",
        kinds: &["assignment"],
        what: "the period of an assignment, unless it ends earlier than before and not before today",
        free: RULERS,
        code: RESERVED,
        instead: "You can end it: give valid_to a day from today on that is earlier than before. Any other period is the coordinator's.",
        broken: |case| {
            let (before, after) = (case.before?, case.after?);
            if before["valid_from"] != after["valid_from"] {
                return Some("valid_from");
            }
            // Days in ISO 8601 are in the order of their letters.
            let (was, will) = (before["valid_to"].as_str(), after["valid_to"].as_str());
            let ends = will.is_some_and(|will| was.is_none_or(|was| will < was) && will >= case.facts.today.as_str());
            (was != will && !ends).then_some("valid_to")
        },
    },
    FieldRule {
        name: "assignment_place",
        kinds: &["assignment"],
        what: "the entity of an assignment, and what it is on",
        free: RULERS,
        code: RESERVED,
        instead: "Leave it; end this assignment, and ask the coordinator for another.",
        broken: |case| {
            let (before, after) = (case.before?, case.after?);
            ["entity_id", "initiative_id", "step_id"].into_iter().find(|field| before[*field] != after[*field])
        },
    },
    FieldRule {
        name: "assignment_deletion",
        kinds: &["assignment"],
        what: "the deletion of an assignment in a role by which an entity works on something",
        free: RULERS,
        code: RESERVED,
        instead: "End it with valid_to; then it stays known who worked on it until when.",
        broken: |case| (case.after.is_none() && rank(case.before?) > 0).then_some(""),
    },
    FieldRule {
        name: "timeline_basis",
        kinds: &["timeline"],
        what: "timelines with the basis `approved` or `revised`",
        free: RULERS,
        code: RESERVED,
        instead: "Yours are timelines with the basis forecast; approved and revised ones are the coordinator's.",
        broken: |case| {
            let is_bound = |side: &Value| side["basis"] != "forecast";
            case.sides().any(is_bound).then_some("basis")
        },
    },
    FieldRule {
        name: "appropriation",
        kinds: &["budget_allocation"],
        what: "appropriations: allocations with the phase `appropriation`",
        free: TREASURERS,
        code: RESERVED,
        instead: "Yours are estimates; appropriations are the finance officer's and the coordinator's.",
        broken: |case| case.sides().any(|side| side["phase"] == "appropriation").then_some("phase"),
    },
    FieldRule {
        name: "budget_entity",
        kinds: &["budget_allocation"],
        what: "money in the budget of another entity; an appropriation names its own",
        free: RULERS,
        code: RESERVED,
        instead: "Give entity_id as the entity for which you act; money in the budget of another is the coordinator's.",
        broken: |case| {
            let is_others = |side: &Value| !side["entity_id"].is_null() && side["entity_id"] != case.entity;
            let is_nobodys = |side: &Value| side["phase"] == "appropriation" && side["entity_id"].is_null();
            (case.sides().any(is_others) || case.after.is_some_and(is_nobodys)).then_some("entity_id")
        },
    },
    FieldRule {
        name: "ceiling_entity",
        kinds: &["budget_movement"],
        what: "revisions, virements, what is carried forward, and reversals that touch the budget of another entity",
        free: RULERS,
        code: RESERVED,
        instead: "Move the ceilings in the budget of your own entity; those of another are the coordinator's.",
        broken: |case| {
            let after = case.after?;
            let raises =
                ["revision", "virement", "carry_forward", "reversal"].iter().any(|kind| after["kind"] == *kind);
            (raises && case.facts.touches_others).then_some("allocation_id")
        },
    },
    FieldRule {
        name: "another_plan",
        kinds: &[],
        what: "moves from one strategy to another, or out of one",
        free: RULERS,
        code: RESERVED,
        instead: "Leave it in its plan; to move it to another is the coordinator's.",
        broken: |case| case.facts.leaves_plan,
    },
    FieldRule {
        name: "completion",
        kinds: &["initiative", "step"],
        what: "completion whose evidence is only words",
        free: RULERS,
        code: "needs_reference",
        instead: "Give in evidence the address of what shows it (https://...), or a piece of evidence that is recorded here, as `evidence:` and its id.",
        broken: |case| {
            let after = case.after.filter(|after| after["status"] == "completed")?;
            let is_as_before =
                |before: &Value| ["status", "evidence"].iter().all(|field| before[*field] == after[*field]);
            let holds = case.before.is_some_and(is_as_before) || case.facts.is_shown;
            (!holds).then_some("evidence")
        },
    },
];

impl<'a> Case<'a> {
    fn sides(&self) -> impl Iterator<Item = &'a Value> + use<'a> {
        self.before.into_iter().chain(self.after)
    }
}

/// The fault of a row that its classification opens to more readers than before, where that is not the role's to say.
pub fn reserved_opening(role: Role) -> Option<Fault> {
    let fault = || Fault { pointer: "#/classification".into(), code: RESERVED.into(), detail: UNOPENED.into() };
    (!RULERS.contains(&role)).then(fault)
}

/// How much a role in an assignment lets its entity do; nothing is 0.
fn rank(assignment: &Value) -> u8 {
    match assignment["role"].as_str() {
        Some("lead") => 4,
        Some("co_lead") => 3,
        Some("accountable") => 2,
        Some("consulted" | "informed" | "beneficiary" | "funder") => 0,
        _ => 1,
    }
}

/// Demands that a write breaks no rule. It costs nothing to those whom none binds.
pub async fn check<R: Resource>(
    connection: &mut PgConnection,
    right: Right,
    (before, after): (Option<&R>, Option<&R>),
) -> Result<(), Error> {
    if RULERS.contains(&right.role) {
        return Ok(());
    }
    let facts = own::Facts::of(connection, right, (before, after)).await?;
    let value = |side: Option<&R>| side.map(serde_json::to_value).transpose().map_err(crate::api::answer::internal);
    let (before, after) = (value(before)?, value(after)?);
    let entity = match right.grant {
        Grant::Own(_, entity) => entity.to_string().into(),
        Grant::Any => Value::Null,
    };
    let case = Case { before: before.as_ref(), after: after.as_ref(), entity, facts };
    let mut faults = Faults::default();
    for rule in RULES {
        let binds = (rule.kinds.is_empty() || rule.kinds.contains(&R::KIND)) && !rule.free.contains(&right.role);
        if let Some(field) = binds.then(|| (rule.broken)(&case)).flatten() {
            faults.add(field, rule.code, rule.instead);
        }
    }
    match faults.0 {
        none if none.is_empty() => Ok(()),
        found if found.iter().any(|fault| fault.code == RESERVED) => Err(Error::Reserved(found)),
        found => Err(Error::Invalid(found)),
    }
}
