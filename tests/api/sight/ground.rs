//! A ground of everything that something can be part of, and on it a row of every noun that bears a mark.

use serde_json::{Value, json};

use crate::support::Client;

/// The ids of what the rows stand under.
pub(super) struct Ground {
    ids: Value,
}

/// A change that is told nobody who has no key: its reason and its request.
pub(super) const REASON: &str = "zreason";
pub(super) const REQUEST: &str = "zrequest";

/// Creates, and returns the id.
pub(super) async fn create(client: &Client, noun: &str, body: Value) -> Value {
    let call = client.post(format!("/v1/{noun}"), body).header("mandate-reason", REASON);
    call.header("x-request-id", REQUEST).expect(201).await.json()["id"].clone()
}

impl Ground {
    /// Lays it, open to everybody, with a word in all its texts.
    pub(super) async fn lay(client: &Client, word: &str) -> Self {
        let mut ids = json!({});
        for (name, noun, body) in parents(word) {
            let mut body = body;
            let Value::Object(fields) = &mut body else { unreachable!() };
            for value in fields.values_mut() {
                if let Some(id) = value.as_str().and_then(|text| text.strip_prefix('@')) {
                    *value = ids[id].clone();
                }
            }
            ids[name] = create(client, noun, body).await;
        }
        Self { ids }
    }

    /// One of the ids.
    pub(super) fn id(&self, name: &str) -> &str {
        self.ids[name].as_str().unwrap()
    }

    /// The ids with the nouns that they are of.
    pub(super) fn all(&self) -> Vec<(&'static str, String)> {
        parents("").into_iter().map(|(name, noun, _)| (noun, self.id(name).to_owned())).collect()
    }

    /// What nothing is above: all else inherits from it.
    pub(super) fn tops(&self) -> Vec<String> {
        let tops = parents("").into_iter().filter(|(_, _, body)| body["classification"] == "public");
        tops.map(|(name, noun, _)| format!("/v1/{noun}/{}", self.id(name))).collect()
    }

    /// A row of every noun, with a mark in its texts and figures that nothing else has.
    pub(super) fn rows(&self, mark: &str, number: u32) -> Vec<(&'static str, Value)> {
        let id = |name: &str| self.ids[name].clone();
        let mut rows = of_the_plan(&id, mark);
        rows.extend(of_the_rest(&id, mark, number));
        for (noun, body) in &mut rows {
            body["external_id"] = json!(format!("{mark}-{noun}"));
        }
        rows
    }
}

/// Indicators of a framework, with rules for what could prove them.
fn areas(word: &str) -> Value {
    let rules = json!([{"record": "evidence"}, {"record": "position"}, {"record": "legal_act"}, {"record": "entity"}, {"record": "engagement"},
        {"record": "contribution"}, {"record": "training"}, {"record": "forum_membership"}, {"record": "strategy"}]);
    let indicator = |code: &str| json!({"code": code, "name": word, "max_points": "3", "candidates": rules});
    json!([{"code": "1", "name": word, "indicators": [indicator("1.1"), indicator("1.2")]}])
}

fn cycle(word: &str) -> Value {
    let period = json!({"code": "2025-03", "from": "2025-03-01", "to": "2025-03-31", "due_on": "2025-04-10"});
    json!({"strategy_id": "@strategy", "code": word, "title": word, "cadence": "monthly", "periods": [period]})
}

/// Name, noun and body; `@name` is the id of one before.
fn parents(w: &str) -> Vec<(&'static str, &'static str, Value)> {
    let public = "public";
    vec![
        (
            "act",
            "legal-acts",
            json!({"country": "XX", "issuer": w, "act_type": "law", "number": w, "date": "2024-02-29", "title": w, "classification": public}),
        ),
        ("entity", "entities", json!({"name": w, "kind": "agency", "code": w, "classification": public})),
        ("source", "funding-sources", json!({"name": w, "kind": "eu", "code": w, "classification": public})),
        (
            "strategy",
            "strategies",
            json!({"code": w, "title": w, "country": "XX", "kind": "strategy", "legal_act_id": "@act", "classification": public}),
        ),
        ("objective", "objectives", json!({"strategy_id": "@strategy", "code": w, "title": w})),
        (
            "first",
            "initiatives",
            json!({"strategy_id": "@strategy", "objective_id": "@objective", "code": format!("{w}1"), "title": w, "deadline": {"text": "2025-01-31"}}),
        ),
        ("second", "initiatives", json!({"strategy_id": "@strategy", "code": format!("{w}2"), "title": w})),
        ("third", "initiatives", json!({"strategy_id": "@strategy", "code": format!("{w}3"), "title": w})),
        ("step", "steps", json!({"initiative_id": "@first", "code": w, "title": w})),
        ("cycle", "reporting-cycles", cycle(w)),
        (
            "indicator",
            "indicators",
            json!({"strategy_id": "@strategy", "title": w, "value_chain_stage": "output", "measure": "unit", "direction": "ascending"}),
        ),
        (
            "allocation",
            "budget-allocations",
            json!({"step_id": "@step", "fiscal_year": 2024, "phase": "appropriation", "money": {"amount": "500000", "currency": "RON"}}),
        ),
        ("treaty", "treaties", json!({"code": w, "name": w, "opened_on": "2001-11-23", "classification": public})),
        (
            "forum",
            "forums",
            json!({"code": w, "name": w, "kind": "expert_group", "membership": "member", "classification": public}),
        ),
        ("engagement", "engagements", json!({"forum_id": "@forum", "session": w})),
        (
            "contribution",
            "contributions",
            json!({"direction": "received", "title": w, "status": "pipeline", "strategy_id": "@strategy"}),
        ),
        ("programme", "training-programmes", json!({"strategy_id": "@strategy", "title": w, "audience": "public"})),
        (
            "framework",
            "frameworks",
            json!({"code": w, "edition": "1", "name": w, "areas": areas(w), "classification": public}),
        ),
        (
            "assessment",
            "assessments",
            json!({"framework_id": "@framework", "country": "XX", "title": w, "assessed_on": "2026-01-31"}),
        ),
        ("answer", "answers", json!({"assessment_id": "@assessment", "indicator": "1.1", "points": "1"})),
        (
            "evidence",
            "evidence",
            json!({"kind": "statement", "title": w, "claim": w, "about": "plan", "strategy_id": "@strategy"}),
        ),
    ]
}

fn of_the_plan(id: &impl Fn(&str) -> Value, m: &str) -> Vec<(&'static str, Value)> {
    let day = "2024-03-01";
    vec![
        (
            "legal-acts",
            json!({"country": "XX", "issuer": format!("{m} office"), "act_type": "law", "number": m, "date": "2024-02-29", "title": m}),
        ),
        ("entities", json!({"name": m, "kind": "agency", "code": format!("{m}-e")})),
        ("funding-sources", json!({"name": m, "kind": "eu", "code": format!("{m}-s")})),
        (
            "strategies",
            json!({"code": format!("{m}-p"), "title": m, "country": "XX", "kind": "action_plan", "parent_id": id("strategy")}),
        ),
        ("objectives", json!({"strategy_id": id("strategy"), "code": format!("{m}-o"), "title": m})),
        (
            "initiatives",
            json!({"strategy_id": id("strategy"), "objective_id": id("objective"), "code": format!("{m}-i"), "title": m, "deadline": {"text": "2025-02-28"}}),
        ),
        (
            "steps",
            json!({"initiative_id": id("first"), "code": format!("{m}-t"), "title": m, "deadline": {"text": "2025-02-28"}}),
        ),
        (
            "assignments",
            json!({"initiative_id": id("first"), "entity_id": id("entity"), "role": "lead", "source_label": m}),
        ),
        (
            "timelines",
            json!({"initiative_id": id("first"), "basis": "revised", "ends_on": "2031-07-07", "reason": m, "set_on": day}),
        ),
        (
            "milestones",
            json!({"initiative_id": id("first"), "code": m, "title": m, "deadline": {"text": "2025-02-28"}}),
        ),
        (
            "dependencies",
            json!({"predecessor_initiative_id": id("first"), "successor_initiative_id": id("second"), "lag_days": 2777}),
        ),
        (
            "budget-allocations",
            json!({"initiative_id": id("second"), "fiscal_year": 2024, "phase": "appropriation", "entity_id": id("entity"), "funding_source_id": id("source"), "money": {"amount": "7771.25", "currency": "BWP"}}),
        ),
        (
            "budget-movements",
            json!({"allocation_id": id("allocation"), "kind": "allotment", "dated_on": "2024-02-29", "money": {"amount": "313131.25", "currency": "RON"}}),
        ),
        (
            "exchange-rates",
            json!({"base_currency": "EUR", "quote_currency": "BWP", "valid_on": "2025-06-30", "rate": "7.7712", "source": m}),
        ),
        (
            "staff-allocations",
            json!({"initiative_id": id("second"), "entity_id": id("entity"), "profile": "penetration_tester", "starts_on": "2024-01-01", "ends_on": "2024-12-31", "fte_planned": "77.75", "note": m}),
        ),
        (
            "staff-capacities",
            json!({"entity_id": id("entity"), "profile": "own:network_engineer", "starts_on": "2025-01-01", "fte": "78.75", "note": m}),
        ),
        ("reporting-cycles", {
            let mut body = cycle(&format!("{m}-c"));
            body["strategy_id"] = id("strategy");
            body
        }),
        (
            "progress-reports",
            json!({"initiative_id": id("second"), "cycle_id": id("cycle"), "period": "2025-03", "status": "in_progress", "confidence": "green", "percent": 7, "narrative": m}),
        ),
        (
            "risks",
            json!({"initiative_id": id("second"), "title": m, "level": "medium", "owner_id": id("entity"), "review_on": "2025-03-01"}),
        ),
        (
            "indicators",
            json!({"initiative_id": id("second"), "title": m, "value_chain_stage": "outcome", "measure": "unit", "direction": "descending"}),
        ),
        (
            "indicator-targets",
            json!({"indicator_id": id("indicator"), "period_from": "2024-01-01", "period_to": "2024-12-31", "value": "7772.5"}),
        ),
        (
            "measurements",
            json!({"indicator_id": id("indicator"), "period_from": "2024-01-01", "period_to": "2024-12-31", "value": "7773.5", "status": "provisional"}),
        ),
    ]
}

fn of_the_rest(id: &impl Fn(&str) -> Value, m: &str, number: u32) -> Vec<(&'static str, Value)> {
    let letter = ["a", "b", "c", "d", "e"][number as usize % 5];
    let given = json!({"direction": "given", "title": m, "status": "closed", "actual_starts_on": "2024-02-01", "actual_ends_on": "2024-03-01", "modality": "training",
        "lead_id": id("entity"), "strategy_id": id("strategy"), "recipients": [{"country": "MD", "percentage": "100"}]});
    vec![
        (
            "evidence",
            json!({"kind": "statement", "title": m, "claim": m, "about": "plan", "strategy_id": id("strategy"), "valid_until": "2027-01-31"}),
        ),
        (
            "treaties",
            json!({"code": format!("{m}-y"), "name": m, "parent_id": id("treaty"), "opened_on": "2002-11-23"}),
        ),
        (
            "treaty-actions",
            json!({"treaty_id": id("treaty"), "country": "BW", "action": "acceded", "acted_on": "2024-02-29"}),
        ),
        (
            "positions",
            json!({"title": m, "country": "XX", "topics": ["sovereignty"], "languages": ["en"], "issued_on": "2024-02-29"}),
        ),
        (
            "forums",
            json!({"code": format!("{m}-f"), "name": m, "kind": "expert_group", "parent_id": id("forum"), "membership": "member"}),
        ),
        ("engagements", json!({"forum_id": id("forum"), "session": m, "starts_on": "2024-02-29", "capacity": "chair"})),
        (
            "delegations",
            json!({"engagement_id": id("engagement"), "entity_id": id("entity"), "role": "head", "note": m}),
        ),
        (
            "commitments",
            json!({"catalogue": "un_norms_2015", "code": format!("13({letter})"), "kind": "norm", "forum_id": id("forum"), "gaps": m}),
        ),
        (
            "contact-points",
            json!({"forum_id": id("forum"), "entity_id": id("entity"), "kind": "policy", "function": m, "channel": m, "classification": "internal"}),
        ),
        ("contributions", given),
        ("contribution-partners", json!({"contribution_id": id("contribution"), "role": "funding", "name": m})),
        ("training-programmes", json!({"initiative_id": id("second"), "title": m, "audience": "pupils"})),
        (
            "training-sessions",
            json!({"programme_id": id("programme"), "title": m, "starts_on": "2024-03-01", "ends_on": "2024-03-02", "status": "held", "participants": 27771, "women": 9}),
        ),
        ("frameworks", json!({"code": format!("{m}-w"), "edition": "1", "name": m, "areas": areas(m)})),
        (
            "assessments",
            json!({"framework_id": id("framework"), "country": "XX", "title": m, "assessed_on": "2026-02-28"}),
        ),
        (
            "answers",
            json!({"assessment_id": id("assessment"), "indicator": "1.2", "points": "1.5", "justification": m}),
        ),
        ("citations", json!({"answer_id": id("answer"), "evidence_id": id("evidence"), "note": m})),
    ]
}
