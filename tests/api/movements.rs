//! Money that moves: stages, ceilings, reversals, and who may do what.

use serde_json::{Value, json};

use mandate::{base::limits::Limits, repository};

use crate::support::{Client, client::Reply, database, service, service_over};

/// A strategy with an initiative, and what has been granted to it.
pub(crate) struct Ledger {
    pub(crate) client: Client,
    initiative: Value,
    pub(crate) allocation: Value,
}

impl Ledger {
    pub(crate) async fn open(amount: &str) -> Self {
        Self::of(service().await, amount).await
    }

    pub(crate) async fn of(client: Client, amount: &str) -> Self {
        Self::grown(&client, amount, "S").await
    }

    /// Under a strategy of its own, with this code.
    async fn grown(client: &Client, amount: &str, code: &str) -> Self {
        let strategy = json!({"code": code, "title": "A strategy", "country": "XX", "kind": "strategy"});
        let strategy = client.create("strategies", strategy).await["id"].clone();
        let initiative = json!({"strategy_id": strategy, "code": "1", "title": "An initiative"});
        let initiative = client.create("initiatives", initiative).await["id"].clone();
        let mut ledger = Self { client: client.clone(), initiative, allocation: Value::Null };
        ledger.allocation = ledger.grant(amount, 2025, "RON").await;
        ledger
    }

    pub(crate) async fn grant(&self, amount: &str, year: i32, currency: &str) -> Value {
        let body = json!({"initiative_id": self.initiative, "fiscal_year": year, "phase": "appropriation",
            "money": {"amount": amount, "currency": currency}});
        self.client.create("budget-allocations", body).await["id"].clone()
    }

    /// A movement on the allocation, with more fields.
    pub(crate) fn body(&self, kind: &str, amount: &str, more: Value) -> Value {
        let mut body = json!({"allocation_id": self.allocation, "kind": kind, "dated_on": "2025-03-31", "money": {"amount": amount, "currency": "RON"}});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    }

    pub(crate) async fn post(&self, kind: &str, amount: &str, more: Value) -> Reply {
        self.client.post("/v1/budget-movements", self.body(kind, amount, more)).send().await
    }

    pub(crate) async fn made(&self, kind: &str, amount: &str, more: Value) -> Value {
        let reply = self.post(kind, amount, more).await;
        assert_eq!(reply.status, 201, "{kind} {amount}: {}", reply.text);
        reply.json()["id"].clone()
    }

    pub(crate) async fn refused(&self, kind: &str, amount: &str, more: Value, status: u16, fault: &str) -> String {
        let before = self.count().await;
        let reply = self.post(kind, amount, more).await;
        assert_eq!(reply.status.as_u16(), status, "{kind} {amount}: {}", reply.text);
        assert_eq!(reply.faults(), [fault], "{}", reply.text);
        assert_eq!(self.count().await, before, "what is refused changes nothing");
        reply.json()["detail"].as_str().unwrap().to_owned()
    }

    async fn count(&self) -> Value {
        self.client.get("/v1/budget-movements?count=true&limit=1").expect(200).await.json()["count"].clone()
    }

    /// Another key that may write.
    pub(crate) async fn other(&self) -> Client {
        let key = self.client.create("api-keys", json!({"name": "admin", "role": "admin"})).await;
        self.client.with_key(key["key"].as_str().unwrap().into())
    }

    /// Everything up to an order of this amount; its id.
    pub(crate) async fn ordered(&self, amount: &str) -> Value {
        for kind in ["allotment", "commitment", "verification"] {
            self.made(kind, amount, json!({})).await;
        }
        self.made("payment_order", amount, json!({})).await
    }
}

/// OCA/mis-builder issue 217: of 1,000, 300 are requested; 200 of them are ordered, and paid, and 50 more are requested. What is bound and not yet
/// ordered is 150, and 650 are free.
#[tokio::test]
async fn the_worked_example_of_the_field_comes_out_right() {
    let ledger = Ledger::open("1000").await;
    ledger.made("allotment", "1000", json!({})).await;
    let request = ledger.made("commitment", "300", json!({})).await;
    let verification = ledger.made("verification", "200", json!({"follows_id": request})).await;
    let order = ledger.made("payment_order", "200", json!({"follows_id": verification})).await;
    let payment = ledger.body("payment", "200", json!({"follows_id": order}));
    ledger.other().await.post("/v1/budget-movements", payment).expect(201).await;
    ledger.made("commitment", "50", json!({})).await;
    let detail = ledger.refused("commitment", "650.01", json!({}), 409, "#/money/amount ceiling_exceeded").await;
    assert_eq!(
        detail,
        "The commitments would be 1000.01 RON, above their ceiling, the allotments of 1000.00. Now 350.00 of 1000.00 are used \
         and 650.00 are left; give at most what is left, or raise the ceiling first."
    );
    let detail = ledger.refused("verification", "150.01", json!({}), 409, "#/money/amount ceiling_exceeded").await;
    assert!(detail.contains("200.00 of 350.00 are used and 150.00 are left"), "{detail}");
    ledger.refused("payment_order", "0.01", json!({}), 409, "#/money/amount ceiling_exceeded").await;
    ledger.made("commitment", "650", json!({})).await;
}

#[tokio::test]
async fn each_stage_is_the_ceiling_of_the_next() {
    let ledger = Ledger::open("100").await;
    let exceeded = "#/money/amount ceiling_exceeded";
    ledger.refused("allotment", "100.01", json!({}), 409, exceeded).await;
    ledger.made("allotment", "90", json!({})).await;
    ledger.refused("commitment", "90.01", json!({}), 409, exceeded).await;
    ledger.made("commitment", "80", json!({})).await;
    ledger.refused("verification", "80.01", json!({}), 409, exceeded).await;
    ledger.made("verification", "70", json!({})).await;
    ledger.refused("payment_order", "70.01", json!({}), 409, exceeded).await;
    let order = ledger.made("payment_order", "60", json!({})).await;
    let second = ledger.made("payment_order", "5", json!({})).await;
    let other = ledger.other().await;
    let pay = |amount: &str, order: &Value| ledger.body("payment", amount, json!({"follows_id": order}));
    let refused = other.post("/v1/budget-movements", pay("60.01", &order)).expect(409).await;
    assert_eq!(refused.faults(), ["#/money/amount more_than_followed"], "{}", refused.text);
    let payment = other.post("/v1/budget-movements", pay("60", &order)).expect(201).await.json();
    other.post("/v1/budget-movements", pay("5", &second)).expect(201).await;
    ledger.refused("decommitment", "10.01", json!({}), 409, exceeded).await;
    ledger.made("decommitment", "10", json!({})).await;
    let back = json!({"follows_id": payment["id"]});
    ledger.refused("reimbursement", "60.01", back.clone(), 409, "#/money/amount more_than_followed").await;
    ledger.refused("reimbursement", "65.01", json!({}), 409, exceeded).await;
    ledger.made("reimbursement", "60", back).await;
    // What money has moved on changes by a revision only, and stays.
    let path = format!("/v1/budget-allocations/{}", ledger.allocation.as_str().unwrap());
    let change = |body: Value| ledger.client.patch(&path, body).header("if-match", "*");
    for amount in ["90", "110"] {
        let refused = change(json!({"money": {"amount": amount}})).expect(409).await;
        assert_eq!(refused.faults(), ["#/money/amount has_movements"], "{}", refused.text);
        assert!(refused.text.contains("record a revision"), "{}", refused.text);
    }
    change(json!({"money": {"amount": "100.00"}, "note": "the same amount"})).expect(200).await;
    let refused = change(json!({"money": {"currency": "EUR"}, "fiscal_year": 2026})).expect(409).await;
    assert_eq!(refused.faults(), ["#/fiscal_year has_movements", "#/money/currency has_movements"], "{}", refused.text);
    let refused = change(json!({"phase": "estimate"})).expect(409).await;
    assert!(refused.faults().contains(&"#/phase has_movements".into()), "{}", refused.text);
    let refused = ledger.client.delete(&path).header("if-match", "*").expect(409).await;
    assert_eq!(refused.faults(), ["# referred_to"], "{}", refused.text);
}

#[tokio::test]
async fn who_ordered_a_payment_does_not_record_it_even_under_another_name() {
    let ledger = Ledger::open("100").await;
    let order = ledger.ordered("100").await;
    let name =
        ledger.refused("payment", "10", json!({"follows_id": order}), 409, "#/follows_id separation_of_duties").await;
    assert!(name.contains("let another do so"), "{name}");
    // A key of the same name is another principal; the same key renamed is not.
    let me = ledger.client.get("/v1/api-keys").expect(200).await.json();
    let mine = me["items"].as_array().unwrap().iter().find(|key| key["name"] == "admin").unwrap()["id"].clone();
    ledger.client.patch(format!("/v1/api-keys/{}", mine.as_str().unwrap()), json!({"name": "other"})).expect(200).await;
    ledger.refused("payment", "10", json!({"follows_id": order}), 409, "#/follows_id separation_of_duties").await;
    let payment = ledger.body("payment", "10", json!({"follows_id": order}));
    let paid = ledger.other().await.post("/v1/budget-movements", payment).expect(201).await.json();
    assert_ne!(paid["recorded_by"], format!("key:{}", mine.as_str().unwrap()));
    for (field, value) in [("recorded_by", json!("key:other")), ("counterpart_id", order.clone())] {
        ledger.refused("allotment", "1", json!({field: value}), 422, &format!("#/{field} not_allowed")).await;
    }
}

#[tokio::test]
async fn a_transfer_has_two_halves_or_none() {
    let ledger = Ledger::open("100").await;
    let [near, far, euro] = [(2025, "RON"), (2026, "RON"), (2025, "EUR")];
    let near = ledger.grant("5", near.0, near.1).await;
    let far = ledger.grant("0", far.0, far.1).await;
    let euro = ledger.grant("5", euro.0, euro.1).await;
    ledger.made("allotment", "80", json!({})).await;
    let exceeded = "#/money/amount ceiling_exceeded";
    ledger.refused("virement", "20.01", json!({"to_allocation_id": near}), 409, exceeded).await;
    let reply = ledger.post("virement", "15", json!({"to_allocation_id": near, "external_id": "v-1"})).await;
    let out = reply.json();
    let half = ledger
        .client
        .get(format!("/v1/budget-movements/{}", out["counterpart_id"].as_str().unwrap()))
        .expect(200)
        .await
        .json();
    assert_eq!((&half["allocation_id"], &half["from_allocation_id"]), (&near, &ledger.allocation));
    assert_eq!((&half["counterpart_id"], &half["kind"], &half["money"]), (&out["id"], &out["kind"], &out["money"]));
    ledger.refused("allotment", "5.01", json!({}), 409, exceeded).await;
    ledger.refused("allotment", "20.01", json!({"allocation_id": near}), 409, exceeded).await;
    ledger.made("allotment", "20", json!({"allocation_id": near})).await;
    ledger
        .refused("virement", "1", json!({"to_allocation_id": far}), 422, "#/to_allocation_id other_fiscal_year")
        .await;
    ledger.refused("carry_forward", "1", json!({"to_allocation_id": near}), 422, "#/to_allocation_id not_later").await;
    ledger.refused("virement", "1", json!({"to_allocation_id": euro}), 422, "#/money/currency other_currency").await;
    ledger
        .refused("virement", "1", json!({"to_allocation_id": ledger.allocation}), 422, "#/to_allocation_id the_same")
        .await;
    ledger.refused("virement", "1", json!({}), 422, "#/to_allocation_id required").await;
    ledger.refused("reversal", "15", json!({"reverses_id": out["id"]}), 422, "#/reverses_id not_reversible").await;
    ledger.made("carry_forward", "5", json!({"to_allocation_id": far, "dated_on": "2026-01-15"})).await;
    ledger.made("allotment", "5", json!({"allocation_id": far, "dated_on": "2026-01-16"})).await;
    ledger.refused("carry_forward", "0.01", json!({"to_allocation_id": far}), 409, exceeded).await;
}

#[tokio::test]
async fn a_revision_has_an_act_or_a_reason() {
    let ledger = Ledger::open("100").await;
    let more = json!({"direction": "increase"});
    ledger.refused("revision", "50", more.clone(), 422, "#/legal_act_id needs_reason").await;
    ledger.refused("revision", "50", json!({}), 422, "#/direction required").await;
    let act = json!({"country": "XX", "issuer": "Parliament", "act_type": "law", "number": "7", "date": "2025-02-28"});
    let act = ledger.client.create("legal-acts", act).await["id"].clone();
    ledger.made("revision", "50", json!({"direction": "increase", "legal_act_id": act})).await;
    ledger.made("allotment", "150", json!({})).await;
    let less = ledger.body("revision", "0.01", json!({"direction": "decrease"}));
    let refused =
        ledger.client.post("/v1/budget-movements", less.clone()).header("mandate-reason", "cuts").expect(409).await;
    assert_eq!(refused.faults(), ["#/money/amount ceiling_exceeded"], "{}", refused.text);
    let raise = ledger.body("revision", "1", more);
    ledger.client.post("/v1/budget-movements", raise).header("mandate-reason", "more work").expect(201).await;
    ledger.client.post("/v1/budget-movements", less).header("mandate-reason", "cuts").expect(201).await;
}

#[tokio::test]
async fn a_reversal_takes_back_a_whole_movement_once_and_last_things_first() {
    let ledger = Ledger::open("100").await;
    let allotment = ledger.made("allotment", "100", json!({})).await;
    let commitment = ledger.made("commitment", "60", json!({"follows_id": allotment})).await;
    ledger.refused("reversal", "59", json!({"reverses_id": commitment}), 422, "#/reverses_id not_the_same").await;
    let reply = ledger.post("reversal", "100", json!({"reverses_id": allotment})).await;
    assert_eq!(reply.status, 409);
    assert_eq!(reply.faults(), ["#/money/amount ceiling_exceeded", "#/reverses_id followed"], "{}", reply.text);
    let reversal = ledger.made("reversal", "60", json!({"reverses_id": commitment})).await;
    let again = ledger.post("reversal", "60", json!({"reverses_id": commitment})).await;
    assert_eq!(
        (again.status.as_u16(), again.faults()),
        (409, vec!["#/reverses_id taken".to_owned()]),
        "{}",
        again.text
    );
    ledger.refused("reversal", "60", json!({"reverses_id": reversal}), 422, "#/reverses_id not_reversible").await;
    ledger.refused("verification", "1", json!({"follows_id": allotment}), 422, "#/follows_id wrong_kind").await;
    ledger.made("reversal", "100", json!({"reverses_id": allotment})).await;
    let reversed = ledger.client.get("/v1/budget-movements?is_reversed=true&count=true").expect(200).await.json();
    assert_eq!(reversed["count"], 2, "{reversed}");
}

#[tokio::test]
async fn a_movement_is_of_the_year_and_the_currency_of_its_money() {
    let ledger = Ledger::open("100").await;
    ledger.refused("allotment", "1", json!({"dated_on": "2026-01-01"}), 422, "#/dated_on outside_fiscal_year").await;
    ledger.refused("allotment", "1", json!({"dated_on": "2024-12-31"}), 422, "#/dated_on outside_fiscal_year").await;
    ledger.made("allotment", "10", json!({"dated_on": "2025-12-31"})).await;
    // What runs over several years was committed before.
    ledger.made("commitment", "1", json!({"dated_on": "2023-12-31"})).await;
    ledger.refused("commitment", "1", json!({"dated_on": "2026-01-01"}), 422, "#/dated_on outside_fiscal_year").await;
    let euros = json!({"money": {"amount": "1", "currency": "EUR"}, "dated_on": "2026-01-01"});
    let reply = ledger.post("allotment", "1", euros).await;
    assert_eq!(reply.faults(), ["#/dated_on outside_fiscal_year", "#/money/currency other_currency"], "{}", reply.text);
    ledger.refused("allotment", "0", json!({}), 422, "#/money/amount zero").await;
    let estimate = json!({"initiative_id": ledger.initiative, "fiscal_year": 2025, "phase": "estimate", "money": {"amount": "9", "currency": "RON"}});
    let estimate = ledger.client.create("budget-allocations", estimate).await["id"].clone();
    let reply = ledger.post("allotment", "1", json!({"allocation_id": estimate})).await;
    assert_eq!(reply.faults(), ["#/allocation_id not_appropriated"], "{}", reply.text);
}

#[tokio::test]
async fn a_fiscal_year_starts_where_the_service_says() {
    let options = repository::in_fiscal_year(database().await, 10, "end");
    let ledger = Ledger::of(service_over(options, Limits::default()).await, "100").await;
    ledger.refused("allotment", "1", json!({"dated_on": "2024-09-30"}), 422, "#/dated_on outside_fiscal_year").await;
    ledger.made("allotment", "1", json!({"dated_on": "2024-10-01"})).await;
    ledger.made("allotment", "1", json!({"dated_on": "2025-09-30"})).await;
    let text =
        ledger.refused("allotment", "1", json!({"dated_on": "2025-10-01"}), 422, "#/dated_on outside_fiscal_year");
    assert!(text.await.contains("ends on 2025-09-30"));
}

#[tokio::test]
async fn a_fiscal_year_is_named_after_its_start_where_the_service_says_so() {
    let options = repository::in_fiscal_year(database().await, 4, "start");
    let ledger = Ledger::of(service_over(options, Limits::default()).await, "120").await;
    ledger.refused("allotment", "1", json!({"dated_on": "2025-03-31"}), 422, "#/dated_on outside_fiscal_year").await;
    ledger.made("allotment", "1", json!({"dated_on": "2025-04-01"})).await;
    ledger.made("allotment", "1", json!({"dated_on": "2026-03-31"})).await;
    let text = ledger
        .refused("allotment", "1", json!({"dated_on": "2026-04-01"}), 422, "#/dated_on outside_fiscal_year")
        .await;
    assert!(text.contains("is of the fiscal year 2025, which ends on 2026-03-31"), "{text}");
    let months = ledger.client.get("/v1/reports/spending").expect(200).await.json();
    let months: Vec<&Value> = months["items"].as_array().unwrap().iter().map(|row| &row["month"]).collect();
    assert_eq!((months[0], months[11], months.len()), (&json!("2025-04-01"), &json!("2026-03-01"), 12));
    let gaps = ledger.client.get("/v1/reports/funding-gaps?kind=underspent").expect(200).await.json();
    assert_eq!(gaps["items"][0]["ends_on"], "2026-03-31", "{gaps}");
}

#[tokio::test]
async fn a_finance_officer_moves_money_only_where_the_entity_leads() {
    let ledger = Ledger::open("100").await;
    let agency = json!({"name": "Agency", "kind": "agency"});
    let agency = ledger.client.create("entities", agency).await["id"].clone();
    let lead = json!({"initiative_id": ledger.initiative, "entity_id": agency, "role": "lead"});
    ledger.client.create("assignments", lead).await;
    let key = json!({"name": "finance", "role": "finance", "entity_id": agency});
    let key = ledger.client.create("api-keys", key).await;
    let officer = ledger.client.with_key(key["key"].as_str().unwrap().into());
    let elsewhere = Ledger::grown(&ledger.client, "5", "T").await;
    let own = ledger.grant("5", 2025, "RON").await;
    let post = |body: Value| officer.post("/v1/budget-movements", body);
    post(ledger.body("allotment", "1", json!({}))).expect(201).await;
    post(ledger.body("virement", "1", json!({"to_allocation_id": own}))).expect(201).await;
    post(ledger.body("allotment", "1", json!({"allocation_id": elsewhere.allocation}))).expect(403).await;
    post(ledger.body("virement", "1", json!({"to_allocation_id": elsewhere.allocation}))).expect(403).await;
    let count = ledger.count().await;
    assert_eq!(count, 3, "what is refused changes nothing");
    // A plan of one strategy has its movements, and the difference between two moments names the strategy of each.
    let strategies = ledger.client.get("/v1/strategies?code=S").expect(200).await.json();
    let strategy = strategies["items"][0]["id"].as_str().unwrap().to_owned();
    let plan = ledger.client.get(format!("/v1/exports/plan?strategy_id={strategy}")).expect(200).await.json();
    assert_eq!(plan["budget_movements"].as_array().unwrap().len(), 3, "{plan}");
    let diff = ledger.client.get(format!("/v1/diff?from=2020-01-01&strategy_id={strategy}")).expect(200).await.text;
    assert!(diff.contains("ceiling: -1.00 RON (virement)") && diff.contains("allotment: 1.00 RON"), "{diff}");
}

#[tokio::test]
async fn a_plan_file_brings_movements_once() {
    let ledger = Ledger::open("100").await;
    let near = ledger.grant("5", 2025, "RON").await;
    ledger.ordered("40").await;
    ledger.made("virement", "10", json!({"to_allocation_id": near})).await;
    let plan = ledger.client.get("/v1/exports/plan").expect(200).await.json();
    assert_eq!(plan["budget_movements"].as_array().unwrap().len(), 6, "{plan}");
    let again = ledger.client.post("/v1/imports", plan.clone()).expect(200).await.json();
    assert_eq!((&again["created"], &again["changed"]), (&json!(0), &json!(0)), "{again}");
    let elsewhere = service().await;
    let fresh = elsewhere.post("/v1/imports", plan.clone()).expect(200).await.json();
    assert_eq!(fresh["refused"], 0, "{fresh}");
    let kept = elsewhere.get("/v1/exports/plan").expect(200).await.json();
    assert_eq!(kept["budget_movements"].as_array().unwrap().len(), 6);
    let mut wrong = plan;
    wrong["budget_movements"][0]["reference"] = json!("another");
    let refused = ledger.client.post("/v1/imports", wrong).expect(422).await;
    assert!(refused.text.contains("append_only"), "{}", refused.text);
}
