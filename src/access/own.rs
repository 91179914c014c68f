//! Whether a thing belongs to the work of an entity: the relation `own` of the policy, as one question to the database.
//!
//! An entity works on an initiative or a step when a current assignment says so, in a role that acts; to be consulted or informed is no work.
//! What hangs on an initiative or a step belongs to who works on that. The question is asked in the transaction of the write.

use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use super::{policy::Grant, role::Role};
use crate::{api::Error, repository};

/// When the question is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Of the row as it is found.
    Before,
    /// Of a row that is new, or that refers to other things than before. It does not make itself one's own: an assignment does not count
    /// for itself, nor an assignment on a step for the initiative to which the step has moved.
    After,
}

/// The roles in an assignment by which someone of this role writes.
fn working(role: Role) -> &'static [&'static str] {
    match role {
        Role::Finance => &["lead", "co_lead"],
        _ => &["lead", "co_lead", "accountable", "support", "performer", "implementer"],
    }
}

/// Demands that a row is the entity's own. It costs nothing when all rows are granted.
pub async fn check(
    connection: &mut PgConnection,
    grant: Grant,
    (kind, id): (&str, Uuid),
    when: When,
) -> Result<(), Error> {
    let Grant::Own(role, entity) = grant else {
        return Ok(());
    };
    let Some(condition) = condition(kind, when) else {
        return Err(refused(kind));
    };
    let sql = format!(
        "with works as (select a.id, a.initiative_id, a.step_id from assignments a where a.entity_id = $2 and a.role = any($3)
             and coalesce(a.valid_from <= today(), true) and coalesce(a.valid_to >= today(), true))
         select {condition}"
    );
    let is_own: Option<bool> = sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(id)
        .bind(entity)
        .bind(working(role))
        .fetch_optional(connection)
        .await
        .map_err(repository::Error::from)?;
    if is_own == Some(true) { Ok(()) } else { Err(refused(kind)) }
}

fn refused(kind: &str) -> Error {
    let kind = kind.replace('_', " ");
    Error::Forbidden(format!(
        "the key acts for one entity, and this {kind} does not belong to its work; an assignment of the entity would make it so"
    ))
}

/// The entity works on the initiative.
fn on_initiative(initiative: &str) -> String {
    format!("exists (select from works w where w.initiative_id = {initiative})")
}

/// The entity works on the step, or on its initiative.
fn on_step(step: &str) -> String {
    let its = format!("(select s.initiative_id from steps s where s.id = {step})");
    format!("(exists (select from works w where w.step_id = {step}) or {})", on_initiative(&its))
}

/// The entity works on what the row stands under: an initiative or a step.
fn on_either(prefix: &str) -> String {
    format!("({} or {})", on_initiative(&format!("t.{prefix}initiative_id")), on_step(&format!("t.{prefix}step_id")))
}

/// The entity measures the indicator, or works on what it is about.
fn measures() -> String {
    format!("(coalesce(t.entity_id = $2, false) or {})", on_either(""))
}

/// The condition, and where the row is; none for kinds of which nothing belongs to anybody.
fn condition(kind: &str, when: When) -> Option<String> {
    let of = |table: &str, condition: String| Some(format!("{condition} from {table} t where t.id = $1"));
    match (kind, when) {
        ("initiative", _) => of("initiatives", on_initiative("t.id")),
        ("step", When::Before) => of("steps", on_step("t.id")),
        ("step", When::After) => of("steps", on_initiative("t.initiative_id")),
        ("timeline", _) => of("timelines", on_either("")),
        ("milestone", _) => of("milestones", on_initiative("t.initiative_id")),
        // It is the one that waits who says so.
        ("dependency", _) => of("dependencies", on_either("successor_")),
        ("progress_report", _) => of("progress_reports", on_either("")),
        ("risk", _) => of("risks", on_either("")),
        ("budget_allocation", _) => of("budget_allocations", on_either("")),
        ("staff_allocation", _) => of("staff_allocations", format!("t.entity_id = $2 and {}", on_either(""))),
        ("staff_capacity", _) => of("staff_capacities", "t.entity_id = $2".into()),
        ("indicator", _) => of("indicators", measures()),
        ("measurement", _) => {
            let its = format!("(select {} from indicators t where t.id = t0.indicator_id)", measures());
            Some(format!("{its} from measurements t0 where t0.id = $1"))
        }
        // The entity teaches it, or works on what it is part of.
        ("training_session", _) => {
            let teaches = format!("coalesce(t.provider_id = $2, false) or {}", on_initiative("t.initiative_id"));
            let its = format!("(select ({teaches}) from training_programmes t where t.id = t0.programme_id)");
            Some(format!("{its} from training_sessions t0 where t0.id = $1"))
        }
        // Money goes only where the entity works, too.
        ("budget_movement", _) => Some(format!(
            "bool_and({}) from budget_allocations t join budget_movements m on t.id in (m.allocation_id, m.to_allocation_id) where m.id = $1",
            on_either("")
        )),
        ("assignment", When::Before) => of("assignments", format!("t.entity_id = $2 and {}", on_either(""))),
        ("assignment", When::After) => {
            let others = on_either("").replace("from works w where", "from works w where w.id <> $1 and");
            of("assignments", format!("t.entity_id = $2 and {others}"))
        }
        _ => None,
    }
}
