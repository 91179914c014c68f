//! Rules of the domain that cross nouns.

use serde_json::{Value, json};

use crate::support::{Client, service};

async fn strategy(client: &Client) -> Value {
    let body = json!({"code": "S", "title": {"en": "A strategy"}, "country": "XX", "kind": "strategy"});
    client.create("strategies", body).await["id"].clone()
}

async fn initiatives(client: &Client, strategy: &Value, codes: &[&str]) -> Vec<Value> {
    let mut ids = Vec::new();
    for code in codes {
        let body = json!({"strategy_id": strategy, "code": code, "title": {"ro": format!("Inițiativa {code}"), "en": "Initiative"}});
        ids.push(client.create("initiatives", body).await["id"].clone());
    }
    ids
}

#[tokio::test]
async fn codes_sort_in_natural_order_and_pages_meet_each_once() {
    let client = service().await;
    let strategy = strategy(&client).await;
    initiatives(&client, &strategy, &["1.10", "1.2", "A.1.01", "1.1", "2", "10", "1.1.1"]).await;
    let mut path = "/v1/initiatives?sort=code&limit=2".to_owned();
    let mut codes = Vec::new();
    loop {
        let reply = client.get(&path).expect(200).await;
        let page = reply.json();
        codes.extend(page["items"].as_array().unwrap().iter().map(|item| item["code"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        assert!(reply.header("link").contains(next));
        // A row before the cursor shifts nothing.
        client
            .post(
                "/v1/initiatives",
                json!({"strategy_id": strategy, "code": format!("0.{}", codes.len()), "title": "x"}),
            )
            .expect(201)
            .await;
        path = format!("/v1/initiatives?sort=code&limit=2&after={next}");
    }
    assert_eq!(codes, ["1.1", "1.1.1", "1.2", "1.10", "2", "10", "A.1.01"]);
    let reversed = client.get("/v1/initiatives?sort=-code,created_at&fields=code&limit=1").expect(200).await.json();
    assert_eq!(reversed["items"], json!([{"code": "A.1.01"}]));
    let next = reversed["next"].as_str().unwrap();
    let second = client
        .get(format!("/v1/initiatives?sort=-code,created_at&fields=code&limit=1&after={next}"))
        .expect(200)
        .await
        .json();
    assert_eq!(second["items"], json!([{"code": "10"}]));
    client.get(format!("/v1/initiatives?sort=code&after={next}")).expect(400).await;
}

#[tokio::test]
async fn search_ignores_diacritics_in_both_spellings() {
    let client = service().await;
    let strategy = strategy(&client).await;
    let body = json!({"strategy_id": strategy, "code": "1", "title": {"ro": "Creșterea securității instituțiilor", "en": "Raising security"}});
    client.post("/v1/initiatives", body).expect(201).await;
    for words in [
        "securitatii",
        "securit%C4%83%C8%9Bii",
        "securit%C4%83%C5%A3ii",
        "CRESTEREA",
        "cre%C5%9Fterea",
        "raise",
        "institutiilor",
    ] {
        let page = client.get(format!("/v1/initiatives?q={words}")).expect(200).await;
        assert_eq!(page.json()["items"].as_array().unwrap().len(), 1, "{words}");
    }
    assert_eq!(client.get("/v1/initiatives?q=budget").expect(200).await.json()["items"], json!([]));
}

#[tokio::test]
async fn two_writers_cannot_close_a_cycle_together() {
    let client = service().await;
    let strategy = strategy(&client).await;
    for round in 0..5 {
        let codes = [format!("{round}.1"), format!("{round}.2")];
        let ids = initiatives(&client, &strategy, &[&codes[0], &codes[1]]).await;
        let edge = |from: usize, to: usize| json!({"predecessor_initiative_id": ids[from], "successor_initiative_id": ids[to]});
        let (one, other) = tokio::join!(
            client.post("/v1/dependencies", edge(0, 1)).send(),
            client.post("/v1/dependencies", edge(1, 0)).send()
        );
        let mut statuses = [one.status.as_u16(), other.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409], "{} {}", one.text, other.text);
    }
}

#[tokio::test]
async fn an_objective_cannot_stand_under_itself() {
    let client = service().await;
    let strategy = strategy(&client).await;
    let top =
        client.create("objectives", json!({"strategy_id": strategy, "code": "1", "title": "a"})).await["id"].clone();
    let below = client
        .create("objectives", json!({"strategy_id": strategy, "parent_id": top, "code": "1.1", "title": "b"}))
        .await["id"]
        .clone();
    let path = format!("/v1/objectives/{}", top.as_str().unwrap());
    let reply = client.patch(&path, json!({"parent_id": below})).if_match(1).expect(409).await;
    assert_eq!(reply.faults(), ["#/parent_id cycle"]);
    let gone = client.delete(&path).if_match(1).expect(409).await;
    assert!(gone.text.contains("1 of /v1/objectives refer to it by parent_id"), "{}", gone.text);
}

#[tokio::test]
async fn sixteen_writers_of_one_row_lose_nothing() {
    let client = service().await;
    let strategy = strategy(&client).await;
    let id = initiatives(&client, &strategy, &["1"]).await[0].as_str().unwrap().to_owned();
    let path = format!("/v1/initiatives/{id}");
    let writers =
        (0..16).map(|writer| client.patch(&path, json!({"title": {"en": format!("by {writer}")}})).if_match(1).send());
    let replies = futures_util::future::join_all(writers).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
    assert_eq!(replies.iter().filter(|reply| reply.status == 412).count(), 15);
    let history = client.get(format!("{path}/history")).expect(200).await.json();
    assert_eq!(history["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_deadline_keeps_its_words_and_gains_dates() {
    let client = service().await;
    let strategy = strategy(&client).await;
    let id = initiatives(&client, &strategy, &["1"]).await[0].as_str().unwrap().to_owned();
    let path = format!("/v1/initiatives/{id}");
    let patched = client
        .patch(&path, json!({"deadline": {"text": "Semestrul I, 2023, se continuă permanent"}}))
        .if_match(1)
        .expect(200)
        .await
        .json();
    assert_eq!(patched["deadline"]["kind"], "first_due_then_continuous");
    assert_eq!(patched["deadline"]["to"], "2023-06-30");
    let patched = client.patch(&path, json!({"deadline": {"text": "Q4 2024"}})).if_match(2).expect(200).await.json();
    assert_eq!(
        patched["deadline"],
        json!({"text": "Q4 2024", "kind": "quarter", "from": "2024-10-01", "to": "2024-12-31"})
    );
    let unclear =
        client.patch(&path, json!({"deadline": {"text": "in due course"}})).if_match(3).expect(200).await.json();
    assert_eq!(unclear["deadline"]["kind"], "unparsed");
    let found = client.get("/v1/initiatives?deadline_kind=unparsed&expand=strategy").expect(200).await.json();
    assert_eq!(found["items"][0]["strategy"]["code"], "S");
}

#[tokio::test]
async fn references_may_be_given_by_the_callers_own_ids() {
    let client = service().await;
    client
        .create(
            "strategies",
            json!({"external_id": "s-1", "code": "S", "title": "x", "country": "XX", "kind": "strategy"}),
        )
        .await;
    let body = |name: &str| json!({"strategy_id": format!("external:{name}"), "code": "1", "title": "y"});
    client.post("/v1/initiatives", body("s-1")).expect(201).await;
    assert_eq!(client.post("/v1/initiatives", body("s-2")).expect(422).await.faults(), ["#/strategy_id not_found"]);
    let reply = client
        .post(
            "/v1/initiatives",
            json!({"strategy_id": "0190aaaa-0000-7000-8000-000000000000", "code": "2", "title": "y"}),
        )
        .expect(422)
        .await;
    assert_eq!(reply.faults(), ["#/strategy_id not_found"]);
}

#[tokio::test]
async fn filters_take_the_callers_own_ids() {
    let client = service().await;
    for name in ["s-1", "s-2"] {
        let strategy = json!({"external_id": name, "code": name, "title": name, "kind": "strategy"});
        client.create("strategies", strategy).await;
        let initiative =
            json!({"external_id": name, "strategy_id": format!("external:{name}"), "code": name, "title": name});
        client.create("initiatives", initiative).await;
    }
    client.create("entities", json!({"external_id": "e", "name": "Agency", "kind": "agency"})).await;
    let lead = json!({"initiative_id": "external:s-1", "entity_id": "external:e", "role": "lead"});
    client.create("assignments", lead).await;
    let codes = async |path: &str| {
        let page = client.get(path).expect(200).await.json();
        let codes = page["items"].as_array().unwrap().iter().map(|item| item["code"].as_str().unwrap().to_owned());
        codes.collect::<Vec<_>>()
    };
    for base in ["/v1/initiatives", "/v1/reports/plan", "/v1/reports/timeline"] {
        assert_eq!(codes(&format!("{base}?strategy_id=external:s-1")).await, ["s-1"]);
        assert_eq!(codes(&format!("{base}?strategy_id=external:s-1&strategy_id=external:s-2")).await, ["s-1", "s-2"]);
    }
    assert_eq!(codes("/v1/initiatives?lead_id=external:e").await, ["s-1"]);
    assert_eq!(codes("/v1/reports/plan?entity_id=external:e").await, ["s-1"]);
    // All that is wrong is named at once.
    let path = "/v1/initiatives?strategy_id=external:s-1&strategy_id=external:s-3&objective_id=external:o&status=x";
    let reply = client.get(path).expect(400).await;
    assert_eq!(reply.faults(), ["objective_id not_found", "status not_allowed", "strategy_id not_found"]);
    assert!(reply.text.contains("no row of strategies has the external id `s-3`"), "{}", reply.text);
    let reply = client.get("/v1/initiatives?strategy_id=s-1").expect(400).await;
    assert_eq!(reply.faults(), ["strategy_id wrong_format"]);
    let reply = client.get("/v1/initiatives?strategy_id=external:s-2").header("accept", "text/csv").expect(200).await;
    assert_eq!(reply.text.lines().count(), 2, "{}", reply.text);
}

#[tokio::test]
async fn an_approved_timeline_stays() {
    let client = service().await;
    let strategy = strategy(&client).await;
    let initiative = initiatives(&client, &strategy, &["1"]).await[0].clone();
    let act = json!({"issuer": "Government", "act_type": "decision", "number": "1", "date": "2024-01-31"});
    let act = client.create("legal-acts", act).await["id"].clone();
    let forecast = json!({"initiative_id": initiative, "basis": "forecast", "ends_on": "2025-06-30"});
    let forecast = client.create("timelines", forecast).await["id"].clone();
    let path = format!("/v1/timelines/{}", forecast.as_str().unwrap());
    // It can become the approved one, and from then on it is neither rewritten nor deleted, not even by an admin.
    let approve = json!({"basis": "approved", "legal_act_id": act});
    client.patch(&path, approve).if_match(1).expect(200).await;
    client.delete(&path).if_match(1).expect(412).await;
    let reply = client.delete(&path).if_match(2).expect(409).await;
    assert_eq!(reply.faults(), ["# approved_timeline"]);
    assert!(reply.text.contains("add a timeline with basis revised"), "{}", reply.text);
    client.delete(&path).header("if-match", "*").expect(409).await;
    let reply = client.patch(&path, json!({"basis": "forecast"})).if_match(2).expect(422).await;
    assert_eq!(reply.faults(), ["#/basis approved_timeline"]);
    // Nor does it go with what it belongs to.
    for owner in
        [format!("initiatives/{}", initiative.as_str().unwrap()), format!("legal-acts/{}", act.as_str().unwrap())]
    {
        let reply = client.delete(format!("/v1/{owner}")).if_match(1).expect(409).await;
        assert!(reply.text.contains("1 of /v1/timelines refer to it"), "{}", reply.text);
    }
    client.get(&path).expect(200).await;
    // A forecast may go.
    let forecast = json!({"initiative_id": initiative, "basis": "forecast", "ends_on": "2025-06-30"});
    let forecast = client.create("timelines", forecast).await["id"].clone();
    client.delete(format!("/v1/timelines/{}", forecast.as_str().unwrap())).if_match(1).expect(204).await;
}

#[tokio::test]
async fn legal_acts_do_not_lead_back_to_themselves() {
    let client = service().await;
    for field in ["amends_id", "repeals_id", "implements_id"] {
        let mut ids: Vec<Value> = Vec::new();
        for number in ["1", "2", "3"] {
            let mut act = json!({"issuer": field, "act_type": "law", "number": number, "date": "2024-01-31"});
            if let Some(before) = ids.last() {
                act[field] = before.clone();
            }
            ids.push(client.create("legal-acts", act).await["id"].clone());
        }
        let first = format!("/v1/legal-acts/{}", ids[0].as_str().unwrap());
        for target in [&ids[2], &ids[0]] {
            let reply = client.patch(&first, json!({field: target})).if_match(1).expect(409).await;
            assert_eq!(reply.faults(), [format!("#/{field} cycle")]);
        }
    }
}

#[tokio::test]
async fn what_a_rule_refused_is_free_for_the_next_writer() {
    let client = service().await;
    let made = client.create("entities", json!({"name": "x", "kind": "agency"})).await;
    let path = format!("/v1/entities/{}", made["id"].as_str().unwrap());
    // Several connections, so that the next writer gets another than the one that was refused.
    futures_util::future::join_all((0..4).map(|_| client.get("/v1/entities").expect(200))).await;
    for _ in 0..3 {
        let refused = client.patch(&path, json!({"parent_id": made["id"]})).header("if-match", "*").expect(409).await;
        assert_eq!(refused.faults(), ["#/parent_id cycle"]);
    }
    client.patch(&path, json!({"code": "A"})).header("if-match", "\"1\"").expect(200).await;
}

#[tokio::test]
async fn a_fault_of_a_deadline_points_to_its_field() {
    let client = service().await;
    let strategy = json!({"external_id": "s-1", "code": "S", "title": "x", "kind": "strategy"});
    client.create("strategies", strategy).await;
    for (deadline, fault) in [
        (json!({"text": "x", "kind": "exact"}), "#/deadline/to not_allowed"),
        (json!({"text": "x", "kind": "year", "to": "1914-01-01"}), "#/deadline/to out_of_range"),
        (
            json!({"text": "x", "kind": "range", "from": "2025-01-01", "to": "2024-01-01"}),
            "#/deadline/from not_allowed",
        ),
    ] {
        let body = json!({"strategy_id": "external:s-1", "code": "1", "title": "x", "deadline": deadline});
        assert_eq!(client.post("/v1/initiatives", body).expect(422).await.faults(), [fault]);
    }
}
