//! What the rules on fields are broken on, and fresh ways to break each.

use mandate::access::fields::FieldRule;
use serde_json::{Value, json};

use crate::{
    matrix::{Side, World},
    support::Client,
};

/// A write: method, path, body.
pub(super) type Write = (&'static str, String, Value);

/// A world with what the rules are broken on.
pub(super) struct Ground {
    pub(super) world: World,
    /// An initiative of another strategy on which the entity works too.
    elsewhere: Value,
    /// A public initiative on which it works.
    open: Value,
    /// A law.
    act: Value,
}

impl Ground {
    pub(super) async fn lay(client: Client) -> Self {
        let mut world = World::lay(client).await;
        let of = async |code: &str, classification: &str| {
            let body = json!({"code": code, "title": code, "country": "XX", "kind": "strategy", "classification": classification});
            let strategy = world.client.create("strategies", body).await["id"].clone();
            let body = json!({"strategy_id": strategy, "code": "1", "title": "One", "classification": classification});
            let initiative = world.client.create("initiatives", body).await["id"].clone();
            let lead = json!({"initiative_id": initiative, "entity_id": world.entity[&Side::Own], "role": "lead", "valid_from": "2020-01-01"});
            world.client.create("assignments", lead).await;
            initiative
        };
        let (elsewhere, open) = (of("T", "internal").await, of("P", "public").await);
        let act = world.body("legal_act", Side::Own).await;
        let act = world.client.create("legal-acts", act).await["id"].clone();
        Self { world, elsewhere, open, act }
    }

    pub(super) async fn made(&self, noun: &str, body: Value) -> String {
        let id = self.world.client.create(noun, body).await["id"].clone();
        format!("/v1/{noun}/{}", id.as_str().unwrap())
    }

    /// The strategy of an initiative.
    async fn plan_of(&self, initiative: &Value) -> Value {
        let path = format!("/v1/initiatives/{}", initiative.as_str().unwrap());
        self.world.client.get(path).expect(200).await.json()["strategy_id"].clone()
    }

    async fn day(&mut self) -> Value {
        self.world.body("staff_capacity", Side::Own).await["starts_on"].clone()
    }

    /// An assignment of the own entity in a role that acts.
    pub(super) async fn support(&mut self) -> String {
        let from = self.day().await;
        let body = json!({"initiative_id": self.world.initiative[&Side::Own], "entity_id": self.world.entity[&Side::Own],
            "role": "support", "valid_from": from, "valid_to": "2090-12-31"});
        self.made("assignments", body).await
    }

    /// Fresh ways to break a rule.
    #[expect(clippy::too_many_lines, reason = "a table, some writes a rule")]
    pub(super) async fn ways(&mut self, rule: &FieldRule) -> Vec<Write> {
        self.world.count += 1;
        let code = format!("c{}", self.world.count);
        let (own, other) = (self.world.entity[&Side::Own].clone(), self.world.entity[&Side::Other].clone());
        let initiative = self.world.initiative[&Side::Own].clone();
        let step = self.world.step[&Side::Own].clone();
        let post = |noun: &str, body: Value| ("POST", format!("/v1/{noun}"), body);
        let patch = |path: String, body: Value| ("PATCH", path, body);
        match rule.name {
            "classification" => {
                let body =
                    json!({"initiative_id": self.open, "code": code, "title": "A step", "classification": "internal"});
                let step = self.made("steps", body.clone()).await;
                let mut open = body;
                (open["code"], open["classification"]) = (json!(format!("{code}b")), json!("public"));
                let whole =
                    json!({"initiative_id": self.open, "code": code, "title": "Open", "classification": "public"});
                let forum = json!({"code": code, "name": "A forum", "kind": "conference", "classification": "public"});
                let statement = json!({"kind": "statement", "title": code, "claim": "x", "about": "other", "classification": "public"});
                let money = json!({"initiative_id": self.open, "fiscal_year": 2025, "phase": "estimate",
                    "money": {"amount": "1", "currency": "RON"}, "classification": "public"});
                let named = ("PUT", format!("/v1/steps/external:{code}"), {
                    let mut named = open.clone();
                    named["code"] = json!(format!("{code}c"));
                    named
                });
                vec![
                    post("steps", open),
                    named,
                    patch(step.clone(), json!({"classification": "public"})),
                    ("PUT", step, whole),
                    post("forums", forum),
                    post("evidence", statement),
                    post("budget-allocations", money),
                ]
            }
            "publication" => {
                let plan = self.plan_of(&self.open).await;
                let objective =
                    json!({"strategy_id": plan, "code": code, "title": "Closed", "classification": "internal"});
                let objective = self.world.client.create("objectives", objective).await["id"].clone();
                let closed = json!({"strategy_id": plan, "code": code, "title": "Closed", "objective_id": objective});
                let initiative = self.made("initiatives", closed).await;
                let id = initiative.rsplit('/').next().unwrap();
                let lead = json!({"initiative_id": id, "entity_id": own, "role": "lead", "valid_from": "2020-01-01"});
                self.world.client.create("assignments", lead).await;
                let body = json!({"initiative_id": id, "code": code, "title": "A step"});
                let step = self.made("steps", body.clone()).await;
                let mut moved = body;
                moved["initiative_id"] = self.open.clone();
                moved["code"] = json!(format!("{code}p"));
                let money = json!({"initiative_id": id, "fiscal_year": 2026, "phase": "estimate", "money": {"amount": "7", "currency": "RON"}});
                let money = self.made("budget-allocations", money).await;
                let given =
                    json!({"direction": "received", "title": "Help", "status": "pipeline", "initiative_id": id});
                let given = self.made("contributions", given).await;
                let loose = json!({"direction": "received", "title": "Help", "status": "pipeline"});
                let loose = self.made("contributions", loose).await;
                let statement = json!({"kind": "statement", "title": code, "claim": "x", "about": "other"});
                let statement = self.made("evidence", statement).await;
                let open = json!({"code": format!("{code}o"), "name": "Open", "kind": "conference", "classification": "public"});
                let open = self.world.client.create("forums", open).await["id"].clone();
                let closed = json!({"code": format!("{code}c"), "name": "Closed", "kind": "conference"});
                let closed = self.world.client.create("forums", closed).await["id"].clone();
                let engagement = self.made("engagements", json!({"forum_id": closed})).await;
                vec![
                    ("PUT", step, moved),
                    patch(initiative, json!({"objective_id": null})),
                    patch(money, json!({"initiative_id": self.open})),
                    patch(given, json!({"initiative_id": null, "strategy_id": plan})),
                    patch(loose, json!({"strategy_id": plan})),
                    patch(statement, json!({"strategy_id": plan})),
                    patch(engagement, json!({"forum_id": open})),
                ]
            }
            "assignment_new" => {
                let from = self.day().await;
                let of = |place: &str, id: &Value, role: &str, entity: &Value| json!({place: id, "entity_id": entity, "role": role, "valid_from": from});
                vec![
                    post("assignments", of("initiative_id", &initiative, "co_lead", &own)),
                    post("assignments", of("initiative_id", &initiative, "support", &own)),
                    post("assignments", of("step_id", &step, "performer", &own)),
                    post("assignments", of("step_id", &step, "co_lead", &other)),
                    ("PUT", format!("/v1/assignments/external:{code}"), of("step_id", &step, "implementer", &own)),
                ]
            }
            "assignment_role" => {
                let (first, second, third) = (self.support().await, self.support().await, self.support().await);
                let mut whole = self.world.client.get(&third).expect(200).await.json();
                for own in ["id", "version", "created_at", "updated_at"] {
                    whole.as_object_mut().unwrap().shift_remove(own);
                }
                whole["role"] = json!("accountable");
                vec![
                    patch(first, json!({"role": "co_lead"})),
                    patch(second, json!({"role": "performer"})),
                    ("PUT", third, whole),
                ]
            }
            "assignment_period" => {
                let mut ways = Vec::new();
                let from = self.day().await;
                for change in [
                    json!({"valid_to": null}),
                    json!({"valid_to": "2091-01-01"}),
                    json!({"valid_to": "2020-12-31"}),
                    json!({"valid_from": from}),
                ] {
                    ways.push(patch(self.support().await, change));
                }
                ways
            }
            "assignment_place" => {
                let (first, second) = (self.support().await, self.support().await);
                vec![
                    patch(first, json!({"initiative_id": self.open})),
                    patch(second, json!({"initiative_id": null, "step_id": step})),
                ]
            }
            "assignment_deletion" => vec![("DELETE", self.support().await, Value::Null)],
            "timeline_basis" => {
                let of = |basis: &str| json!({"initiative_id": initiative, "basis": basis, "ends_on": "2026-06-30", "reason": "x", "legal_act_id": self.act});
                let (first, second) =
                    (self.made("timelines", of("forecast")).await, self.made("timelines", of("forecast")).await);
                let (third, fourth) =
                    (self.made("timelines", of("revised")).await, self.made("timelines", of("revised")).await);
                vec![
                    post("timelines", of("approved")),
                    post("timelines", of("revised")),
                    patch(first, json!({"basis": "approved"})),
                    patch(second, json!({"basis": "revised"})),
                    patch(third, json!({"basis": "forecast"})),
                    ("DELETE", fourth, Value::Null),
                ]
            }
            "appropriation" => {
                let of = |phase: &str| {
                    json!({"initiative_id": initiative, "fiscal_year": 2026, "phase": phase, "entity_id": own,
                    "money": {"amount": "7", "currency": "RON"}})
                };
                let (first, second) = (
                    self.made("budget-allocations", of("estimate")).await,
                    self.made("budget-allocations", of("appropriation")).await,
                );
                let third = self.made("budget-allocations", of("appropriation")).await;
                vec![
                    post("budget-allocations", of("appropriation")),
                    patch(first, json!({"phase": "appropriation"})),
                    patch(second, json!({"money": {"amount": "8"}})),
                    ("DELETE", third, Value::Null),
                ]
            }
            "budget_entity" => {
                let of = |entity: Value| {
                    json!({"initiative_id": initiative, "fiscal_year": 2026, "phase": "estimate", "entity_id": entity,
                    "money": {"amount": "7", "currency": "RON"}})
                };
                let (first, second) = (
                    self.made("budget-allocations", of(own)).await,
                    self.made("budget-allocations", of(other.clone())).await,
                );
                let third = self.made("budget-allocations", of(other.clone())).await;
                vec![
                    post("budget-allocations", of(other.clone())),
                    patch(first, json!({"entity_id": other})),
                    patch(second, json!({"money": {"amount": "9"}})),
                    patch(third, json!({"entity_id": null})),
                ]
            }
            "ceiling_entity" => {
                let of = |entity: &Value| {
                    json!({"initiative_id": initiative, "fiscal_year": 2026, "phase": "appropriation", "entity_id": entity,
                    "money": {"amount": "7", "currency": "RON"}})
                };
                let id = |path: String| path.rsplit('/').next().unwrap().to_owned();
                let theirs = id(self.made("budget-allocations", of(&other)).await);
                let mine = id(self.made("budget-allocations", of(&own)).await);
                let of = |on: &str, kind: &str, more: Value| {
                    let mut body = json!({"allocation_id": on, "kind": kind, "dated_on": "2026-03-01", "legal_act_id": self.act,
                        "money": {"amount": "1", "currency": "RON"}});
                    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
                    body
                };
                let to = of(&mine, "virement", json!({"to_allocation_id": theirs}));
                let more = of(&theirs, "revision", json!({"direction": "increase"}));
                let there = self.world.client.create("budget-movements", more.clone()).await["id"].clone();
                vec![
                    post("budget-movements", more),
                    post("budget-movements", to),
                    post("budget-movements", of(&theirs, "reversal", json!({"reverses_id": there}))),
                ]
            }
            "another_plan" => {
                let body = json!({"strategy_id": self.world.strategy, "code": code, "title": "One"});
                let initiative = self.made("initiatives", body).await;
                let id = initiative.rsplit('/').next().unwrap();
                let lead = json!({"initiative_id": id, "entity_id": own, "role": "lead"});
                self.world.client.create("assignments", lead).await;
                let body = json!({"initiative_id": id, "code": "a", "title": "A step"});
                let (step, milestone) =
                    (self.made("steps", body).await, json!({"initiative_id": id, "title": "Reached"}));
                let milestone = self.made("milestones", milestone).await;
                let plan = self.plan_of(&self.elsewhere).await;
                let given = |initiative: &Value, strategy: &Value| {
                    json!({"direction": "received", "title": "Help", "status": "pipeline",
                    "initiative_id": initiative, "strategy_id": strategy})
                };
                let (helped, help) = (given(&Value::Null, &self.world.strategy), given(&json!(id), &Value::Null));
                let (helped, help) = (self.made("contributions", helped).await, self.made("contributions", help).await);
                let away = self.made("contributions", given(&Value::Null, &plan)).await;
                let partner =
                    json!({"contribution_id": helped.rsplit('/').next(), "role": "funding", "entity_id": own});
                let partner = self.made("contribution-partners", partner).await;
                let statement = json!({"kind": "statement", "title": code, "claim": "x", "about": "other", "strategy_id": self.world.strategy});
                let (statement, second) =
                    (self.made("evidence", statement.clone()).await, self.made("evidence", statement).await);
                let mut assessment = self.world.assessment(&code).await;
                assessment["strategy_id"] = self.world.strategy.clone();
                let assessment = self.made("assessments", assessment).await;
                vec![
                    patch(partner, json!({"contribution_id": away.rsplit('/').next()})),
                    patch(helped, json!({"strategy_id": plan})),
                    patch(help, json!({"initiative_id": self.elsewhere})),
                    patch(statement, json!({"strategy_id": plan})),
                    patch(second, json!({"strategy_id": null})),
                    patch(assessment, json!({"strategy_id": plan})),
                    patch(step, json!({"initiative_id": self.elsewhere, "code": code})),
                    patch(milestone, json!({"initiative_id": self.elsewhere})),
                    patch(initiative, json!({"strategy_id": plan})),
                ]
            }
            "completion" => {
                let body = |code: String| json!({"initiative_id": initiative, "code": code, "title": "A step"});
                let mut ways = Vec::new();
                for (place, words) in [
                    "trust me",
                    "https://",
                    "see http://x",
                    "evidence:nothing",
                    "evidence:0190aaaa-0000-7000-8000-000000000000",
                ]
                .iter()
                .enumerate()
                {
                    let step = self.made("steps", body(format!("{code}.{place}"))).await;
                    ways.push(patch(step, json!({"status": "completed", "evidence": words})));
                }
                let mut done = body(format!("{code}.x"));
                (done["status"], done["evidence"]) = (json!("completed"), json!("done"));
                ways.push(post("steps", done));
                ways
            }
            other => panic!("the rule {other} is not broken here"),
        }
    }
}
