//! Whether a thing belongs to the work of an entity: the relation `own` of the policy, as one question to the database.
//!
//! An entity works on an initiative or a step when a current assignment says so, in a role that acts; to be consulted or informed is no work.
//! What hangs on an initiative or a step belongs to who works on that. The question is asked in the transaction of the write.

use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use super::{
    policy::{Grant, Right},
    role::Role,
};
use crate::{
    api::answer::internal,
    error::Error,
    repository::{self, Resource},
};

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

/// What the rules on fields (`fields`) ask the database about a write.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// Today, in ISO 8601; empty where nothing goes by it.
    pub(super) today: String,
    /// Whether a movement touches an allocation in the budget of another entity.
    pub(super) touches_others: bool,
    /// The reference by which the row goes from one strategy to another.
    pub(super) leaves_plan: Option<&'static str>,
    /// Whether more readers see the row than before.
    pub(super) opens: bool,
    /// The first reference to what it is part of that is another.
    pub(super) moved: Option<&'static str>,
    /// Whether its evidence can be looked at.
    pub(super) is_shown: bool,
}

const OTHERS_BUDGETS: &str = "
select exists (
    select from budget_allocations b where b.entity_id <> $2 and (b.id = any($1) or b.id in (
        select m.allocation_id from budget_movements m where $3 in (m.id, m.counterpart_id))))";

impl Facts {
    pub(super) async fn of<R: Resource>(
        connection: &mut PgConnection,
        right: Right,
        (before, after): (Option<&R>, Option<&R>),
    ) -> Result<Self, Error> {
        let mut facts = Self::default();
        let Some(after) = after else { return Ok(facts) };
        if let Some(before) = before {
            facts.leaves_plan = repository::leaves_plan(connection, before, after).await?;
            facts.moved = repository::moved_parent(before, after);
            facts.opens = repository::opens(connection, &[(before, after)]).await?.contains(&true);
        }
        if let Grant::Own(_, entity) = right.grant {
            let after = serde_json::to_value(after).map_err(internal)?;
            facts.of_entity(connection, right, (R::KIND, entity), &after).await?;
        }
        Ok(facts)
    }

    async fn of_entity(
        &mut self,
        connection: &mut PgConnection,
        right: Right,
        (kind, entity): (&str, Uuid),
        after: &Value,
    ) -> Result<(), Error> {
        let failed = repository::Error::from;
        let id = |field: &str| after[field].as_str().and_then(|id| Uuid::try_parse(id).ok());
        if kind == "assignment" {
            let today = sqlx::query_scalar("select today()::text").fetch_one(&mut *connection);
            self.today = today.await.map_err(failed)?;
        }
        if kind == "budget_movement" {
            let own: Vec<Uuid> = ["allocation_id", "to_allocation_id"].into_iter().filter_map(id).collect();
            let asked = sqlx::query_scalar(OTHERS_BUDGETS).bind(own).bind(entity).bind(id("reverses_id"));
            self.touches_others = asked.fetch_one(&mut *connection).await.map_err(failed)?;
        }
        if after["status"] == "completed" {
            self.is_shown = is_shown(connection, right, after["evidence"].as_str().unwrap_or_default()).await?;
        }
        Ok(())
    }
}

/// Whether evidence names what can be looked at: an address of the web, or a piece of evidence that the writer sees.
async fn is_shown(connection: &mut PgConnection, right: Right, evidence: &str) -> Result<bool, Error> {
    let words = || evidence.split(|c: char| c.is_whitespace() || "<>()[]\",;".contains(c));
    let is_address = |word: &str| {
        let rest = word.strip_prefix("https://").or_else(|| word.strip_prefix("http://"));
        let host = rest.and_then(|rest| rest.split(['/', '?', '#', ':']).next()).unwrap_or_default();
        let labels: Vec<&str> = host.split('.').collect();
        labels.len() > 1
            && labels.iter().all(|label| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-'))
    };
    if words().any(is_address) {
        return Ok(true);
    }
    let pieces: Vec<Uuid> = words()
        .filter_map(|word| Uuid::try_parse(word.strip_prefix("evidence:")?.trim_end_matches('.')).ok())
        .collect();
    if pieces.is_empty() {
        return Ok(false);
    }
    repository::see_only(connection, right.clearance).await?;
    let sql = "select exists (select from evidence where id = any($1))";
    let found = sqlx::query_scalar(sql).bind(pieces).fetch_one(&mut *connection).await;
    let found = found.map_err(repository::Error::from)?;
    repository::see_all(connection, right.clearance).await?;
    Ok(found)
}
