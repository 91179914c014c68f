//! Good bodies, a kind each.

use serde_json::{Value, json};

use super::{Side, World, cycle};

impl World {
    async fn forum(&self, code: &str) -> Value {
        let forum = json!({"code": format!("F{code}"), "name": "A forum", "kind": "conference"});
        self.client.create("forums", forum).await["id"].clone()
    }

    /// A good body for a thing of this side, unlike all others.
    #[expect(clippy::too_many_lines, reason = "a table, a body a noun")]
    pub(super) async fn body(&mut self, kind: &str, side: Side) -> Value {
        self.count += 1;
        let code = self.count.to_string();
        let (initiative, entity) = (self.initiative.get(&side), &self.entity[&side]);
        let day = format!("{}-{:02}-{:02}", 2000 + self.count / 336, self.count / 28 % 12 + 1, self.count % 28 + 1);
        match kind {
            "legal_act" => {
                json!({"country": "XX", "issuer": "Parliament", "act_type": "law", "number": code, "date": "2024-02-29"})
            }
            "entity" => json!({"name": "Agency", "kind": "agency", "code": code}),
            "funding_source" => json!({"name": "State budget", "kind": "state_budget"}),
            "strategy" => json!({"code": code, "title": "Another", "country": "XX", "kind": "action_plan"}),
            "objective" => json!({"strategy_id": self.strategy, "code": code, "title": "An objective"}),
            "initiative" => json!({"strategy_id": self.strategy, "code": code, "title": "An initiative"}),
            "step" => json!({"initiative_id": initiative, "code": code, "title": "A step"}),
            "assignment" => {
                json!({"initiative_id": initiative, "entity_id": entity, "role": "consulted", "valid_from": day})
            }
            "timeline" => json!({"initiative_id": initiative, "basis": "forecast", "ends_on": "2025-06-30"}),
            "milestone" => json!({"initiative_id": initiative, "title": "Reached"}),
            "dependency" => {
                let first = json!({"strategy_id": self.strategy, "code": code, "title": "Comes first"});
                let first = self.client.create("initiatives", first).await["id"].clone();
                json!({"predecessor_initiative_id": first, "successor_step_id": self.step[&side]})
            }
            "budget_allocation" => {
                json!({"step_id": self.step[&side], "fiscal_year": 2025, "phase": "estimate", "money": {"amount": "1", "currency": "RON"}})
            }
            "staff_allocation" => {
                json!({"step_id": self.step[&side], "entity_id": entity, "profile": "own:clerk", "starts_on": "2025-01-01", "ends_on": "2025-12-31", "fte_planned": "1"})
            }
            "staff_capacity" => {
                json!({"entity_id": entity, "profile": "cybersecurity_auditor", "starts_on": day, "fte": "3"})
            }
            "reporting_cycle" => cycle(&self.strategy, &code),
            "progress_report" => {
                let cycle = self.client.create("reporting-cycles", cycle(&self.strategy, &code)).await;
                json!({"step_id": self.step[&side], "cycle_id": cycle["id"], "period": "1", "status": "in_progress", "confidence": "green"})
            }
            "risk" => json!({"step_id": self.step[&side], "title": "No staff", "level": "low"}),
            "indicator" => {
                json!({"step_id": self.step[&side], "title": "Trained", "value_chain_stage": "output", "measure": "unit", "direction": "ascending"})
            }
            "indicator_target" => {
                json!({"indicator_id": self.indicator[&side], "period_from": day, "period_to": day, "value": "1"})
            }
            "measurement" => {
                json!({"indicator_id": self.indicator[&side], "period_from": day, "period_to": day, "value": "1", "status": "provisional"})
            }
            "exchange_rate" => {
                json!({"base_currency": "EUR", "quote_currency": "RON", "valid_on": day, "rate": "5", "source": code})
            }
            "budget_movement" => {
                let granted = json!({"initiative_id": initiative, "fiscal_year": 2025, "phase": "appropriation", "money": {"amount": "5", "currency": "RON"}});
                let granted = self.client.create("budget-allocations", granted).await["id"].clone();
                json!({"allocation_id": granted, "kind": "allotment", "dated_on": "2025-03-01", "money": {"amount": "1", "currency": "RON"}})
            }
            "evidence" => json!({"kind": "statement", "title": code, "claim": "It was said", "about": "other"}),
            "treaty" => json!({"code": code, "name": "A treaty"}),
            "treaty_action" => {
                let treaty = self.client.create("treaties", json!({"code": code, "name": "A treaty"})).await;
                json!({"treaty_id": treaty["id"], "country": "XX", "action": "signed", "acted_on": "2024-02-29"})
            }
            "position" => json!({"title": "A position", "country": "XX", "topics": ["sovereignty"]}),
            "forum" => json!({"code": code, "name": "A forum", "kind": "expert_group"}),
            "engagement" => json!({"forum_id": self.forum(&code).await}),
            "delegation" => {
                let engagement = json!({"forum_id": self.forum(&code).await});
                let engagement = self.client.create("engagements", engagement).await["id"].clone();
                json!({"engagement_id": engagement, "entity_id": entity})
            }
            "commitment" => json!({"catalogue": "own", "code": code, "kind": "norm"}),
            // So that all see it; what is restricted is in `classification.rs`.
            "contact_point" => {
                json!({"forum_id": self.forum(&code).await, "entity_id": entity, "kind": "policy", "function": "Desk", "classification": "internal"})
            }
            "contribution" => {
                json!({"direction": "given", "title": "Help", "status": "pipeline", "initiative_id": initiative, "recipients": [{"country": "MD"}]})
            }
            "contribution_partner" => {
                let given = self
                    .client
                    .create("contributions", json!({"direction": "received", "title": "Help", "status": "pipeline"}));
                json!({"contribution_id": given.await["id"], "role": "funding", "entity_id": entity})
            }
            "training_programme" => json!({"initiative_id": initiative, "title": "Lessons", "audience": "pupils"}),
            "training_session" => {
                let programme = json!({"initiative_id": initiative, "title": "Lessons", "audience": "pupils"});
                let programme = self.client.create("training-programmes", programme).await;
                json!({"programme_id": programme["id"], "starts_on": day, "ends_on": day, "status": "planned"})
            }
            "framework" => framework(&code),
            "assessment" => self.assessment(&code).await,
            "answer" => {
                let assessment = self.assessment(&code).await;
                let assessment = self.client.create("assessments", assessment).await["id"].clone();
                json!({"assessment_id": assessment, "indicator": "1", "points": "2"})
            }
            "citation" => {
                let assessment = self.assessment(&code).await;
                let assessment = self.client.create("assessments", assessment).await["id"].clone();
                let answer = json!({"assessment_id": assessment, "indicator": "1", "points": "2"});
                let answer = self.client.create("answers", answer).await["id"].clone();
                let evidence = json!({"kind": "statement", "title": code, "claim": "It was said", "about": "other"});
                let evidence = self.client.create("evidence", evidence).await["id"].clone();
                json!({"answer_id": answer, "evidence_id": evidence})
            }
            other => panic!("{other} has no body here"),
        }
    }

    /// A good assessment, by a framework of its own.
    pub(super) async fn assessment(&self, code: &str) -> Value {
        let framework = self.client.create("frameworks", framework(code)).await["id"].clone();
        json!({"framework_id": framework, "country": "XX", "title": "How ready", "assessed_on": "2026-01-31"})
    }
}

fn framework(code: &str) -> Value {
    let indicator = json!({"code": "1", "name": "A plan", "max_points": "3"});
    json!({"code": code, "edition": "1", "name": "A framework", "areas": [{"code": "A", "name": "Plans", "indicators": [indicator]}]})
}
