//! Whole ledgers: taken over from elsewhere, corrected, and given back.

use serde_json::json;

use crate::{movements::Ledger, support::service};

/// Halves of transfers that raise a ceiling, external ids on them, and reversals of what followed each other: together they are right, and one by one in
/// the order of their references they would not be.
#[tokio::test]
async fn a_whole_ledger_is_taken_over_as_it_came_about() {
    let ledger = Ledger::open("100").await;
    let (near, far) = (ledger.grant("0", 2025, "RON").await, ledger.grant("0", 2026, "RON").await);
    ledger.made("virement", "15", json!({"to_allocation_id": near, "external_id": "v-1"})).await;
    ledger.made("allotment", "10", json!({"allocation_id": near})).await;
    ledger.made("carry_forward", "5", json!({"to_allocation_id": far, "dated_on": "2026-01-15"})).await;
    ledger.made("allotment", "5", json!({"allocation_id": far, "dated_on": "2026-01-16"})).await;
    let allotted = ledger.made("allotment", "60", json!({"external_id": "a-1"})).await;
    let bound = ledger.made("commitment", "60", json!({"follows_id": allotted, "external_id": "c-1"})).await;
    let verified = ledger.made("verification", "40", json!({"follows_id": bound})).await;
    ledger.made("reversal", "40", json!({"reverses_id": verified})).await;
    ledger.made("reversal", "60", json!({"reverses_id": bound})).await;
    ledger.made("commitment", "50", json!({"follows_id": "external:a-1"})).await;
    ledger.made("verification", "50", json!({})).await;
    let budget = "/v1/reports/budget?by=fiscal_year";
    let plan = ledger.client.get("/v1/exports/plan").expect(200).await;
    let elsewhere = service().await;
    let fresh = elsewhere.post("/v1/imports", plan.json()).expect(200).await.json();
    assert_eq!(fresh["refused"], 0, "{fresh}");
    assert_eq!(elsewhere.get("/v1/exports/plan").expect(200).await.text, plan.text);
    assert_eq!(elsewhere.get(budget).expect(200).await.text, ledger.client.get(budget).expect(200).await.text);
    // One that breaks a ceiling is found among the others, and nothing is written.
    let mut wrong = plan.json();
    let movements = wrong["budget_movements"].as_array_mut().unwrap();
    let last = movements.len() - 1;
    movements[last]["money"]["amount"] = json!("50.01");
    let refused = service().await.post("/v1/imports", wrong).expect(422).await;
    assert_eq!(
        refused.faults(),
        [format!("#/budget_movements/{last}/money/amount ceiling_exceeded")],
        "{}",
        refused.text
    );
}

#[tokio::test]
async fn a_movement_is_of_a_day_that_has_come_and_not_before_what_it_follows() {
    let ledger = Ledger::open("100").await;
    let on = |day: &str| json!({"dated_on": day});
    ledger.refused("allotment", "1", on("1989-12-31"), 422, "#/dated_on out_of_range").await;
    ledger.refused("allotment", "1", json!({"value_on": "2101-01-01"}), 422, "#/value_on out_of_range").await;
    let later = ledger.grant("100", 2100, "RON").await;
    let tomorrow = json!({"allocation_id": later, "dated_on": "2100-01-01"});
    ledger.refused("allotment", "1", tomorrow, 422, "#/dated_on in_future").await;
    let allotted = ledger.made("allotment", "50", on("2025-02-01")).await;
    let follows = json!({"follows_id": allotted, "dated_on": "2025-01-31"});
    ledger.refused("commitment", "1", follows, 422, "#/dated_on before_followed").await;
    let back = json!({"reverses_id": allotted, "dated_on": "2025-01-31"});
    ledger.refused("reversal", "50", back, 422, "#/dated_on before_reversed").await;
}

#[tokio::test]
async fn what_is_allotted_and_not_used_is_given_back_and_what_came_back_can_be_paid_anew() {
    let ledger = Ledger::open("100").await;
    let far = ledger.grant("0", 2026, "RON").await;
    let allotted = ledger.made("allotment", "100", json!({})).await;
    let bound = ledger.made("commitment", "60", json!({"follows_id": allotted})).await;
    let carried = json!({"to_allocation_id": far, "dated_on": "2026-01-15"});
    let detail = ledger.refused("carry_forward", "40", carried.clone(), 409, "#/money/amount ceiling_exceeded").await;
    assert_eq!(
        detail,
        "The appropriation would be 60.00 RON, below the allotments of 100.00 that stand on it. At most 0.00 can be taken away; \
         give at most that, or take back of those first."
    );
    let of_it = json!({"follows_id": allotted});
    let exceeded = ["#/money/amount ceiling_exceeded", "#/money/amount more_than_followed"];
    let reply = ledger.post("deallotment", "40.01", of_it.clone()).await;
    assert_eq!((reply.status.as_u16(), reply.faults()), (409, exceeded.map(str::to_owned).to_vec()), "{}", reply.text);
    ledger.made("deallotment", "40", of_it).await;
    ledger.made("carry_forward", "40", carried).await;
    let verified = ledger.made("verification", "60", json!({"follows_id": bound})).await;
    let order = ledger.made("payment_order", "60", json!({"follows_id": verified})).await;
    let other = ledger.other().await;
    let pay =
        |amount: &str| other.post("/v1/budget-movements", ledger.body("payment", amount, json!({"follows_id": order})));
    let paid = pay("60").expect(201).await.json();
    assert_eq!(pay("0.01").expect(409).await.faults(), exceeded);
    let reimbursed = ledger.made("reimbursement", "25", json!({"follows_id": paid["id"]})).await;
    assert_eq!(pay("25.01").expect(409).await.faults(), exceeded);
    pay("25").expect(201).await;
    // In the figures there is room to take the reimbursement back, but not in what follows the order.
    let more = ledger.grant("100", 2025, "RON").await;
    ledger.made("virement", "25", json!({"allocation_id": more, "to_allocation_id": ledger.allocation})).await;
    for kind in ["allotment", "commitment", "verification", "payment_order"] {
        ledger.made(kind, "25", json!({})).await;
    }
    let back = json!({"reverses_id": reimbursed});
    ledger.refused("reversal", "25", back, 409, "#/money/amount more_than_followed").await;
    let budget = ledger.client.get("/v1/reports/budget?by=fiscal_year&fiscal_year=2025").expect(200).await.json();
    let row = &budget["items"][0];
    assert_eq!(
        (&row["allotted"], &row["paid"], &row["left"]),
        (&json!("85.00"), &json!("60.00"), &json!("75.00")),
        "{budget}"
    );
    assert_eq!(budget["items"].as_array().unwrap().len(), 1, "{budget}");
    let plan = ledger.client.get("/v1/reports/plan").expect(200).await.json();
    assert_eq!(
        plan["items"][0]["money"],
        json!([{"amount": "200.00", "currency": "RON", "phase": "appropriation"}]),
        "as revised: {plan}"
    );
    let path = format!("/v1/budget-allocations/{}", ledger.allocation.as_str().unwrap());
    let refused = ledger.client.delete(path).header("if-match", "*").expect(409).await;
    assert!(refused.text.contains("they stay, and so does this"), "{}", refused.text);
}

#[tokio::test]
async fn in_a_plan_in_force_ceilings_are_taken_back_and_money_changes_hands_with_a_reason() {
    let ledger = Ledger::open("100").await;
    let client = &ledger.client;
    let more = json!({"direction": "increase", "legal_act_id": null});
    let raised =
        client.post("/v1/budget-movements", ledger.body("revision", "10", more)).header("mandate-reason", "more");
    let raised = raised.expect(201).await.json()["id"].clone();
    let act = json!({"country": "XX", "issuer": "Parliament", "act_type": "law", "number": "7", "date": "2025-02-28"});
    let act = client.create("legal-acts", act).await["id"].clone();
    let agency = client.create("entities", json!({"name": "Agency", "kind": "agency"})).await["id"].clone();
    let strategy = client.get("/v1/strategies?code=S").expect(200).await.json()["items"][0]["id"].clone();
    let path = format!("/v1/strategies/{}", strategy.as_str().unwrap());
    for change in [
        json!({"status": "submitted", "legal_act_id": act}),
        json!({"status": "approved"}),
        json!({"status": "in_force"}),
    ] {
        let call = client.patch(&path, change).header("if-match", "*");
        call.header("mandate-reason", "as it goes").expect(200).await;
    }
    let needed = "Mandate-Reason needs_reason";
    ledger.refused("reversal", "10", json!({"reverses_id": raised}), 422, needed).await;
    let path = format!("/v1/budget-allocations/{}", ledger.allocation.as_str().unwrap());
    let change = client.patch(&path, json!({"entity_id": agency})).header("if-match", "*");
    assert_eq!(change.expect(422).await.faults(), [needed]);
    let back = ledger.body("reversal", "10", json!({"reverses_id": raised}));
    client.post("/v1/budget-movements", back).header("mandate-reason", "a mistake").expect(201).await;
    let diff = client.get("/v1/diff?from=2020-01-01").header("accept", "text/csv").expect(200).await.text;
    for words in [
        "ceiling: +10.00 RON (revision)",
        "ceiling: -10.00 RON (reversal of a revision)",
        "ceiling: +100.00 RON in 2025 (appropriation)",
    ] {
        assert!(diff.contains(words), "{words}: {diff}");
    }
}
