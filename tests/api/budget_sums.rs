//! The report of the budget: its columns, its currencies, and that the sums that are kept are those of the lines.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    movements::Ledger,
    support::{Client, client::Reply, database, service, service_over},
};
use mandate::base::limits::Limits;
use sqlx::{Connection as _, PgConnection};

async fn items(client: &Client, path: &str) -> Vec<Value> {
    client.get(path).expect(200).await.json()["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn the_report_says_what_is_planned_granted_bound_paid_and_left() {
    let ledger = Ledger::open("1000").await;
    let order = ledger.ordered("200").await;
    let payment = ledger.body("payment", "125", json!({"follows_id": order}));
    ledger.other().await.post("/v1/budget-movements", payment).expect(201).await;
    let raise = ledger.body("revision", "200", json!({"direction": "increase"}));
    ledger.client.post("/v1/budget-movements", raise).header("mandate-reason", "more").expect(201).await;
    let undone = ledger.made("allotment", "1", json!({})).await;
    ledger.made("reversal", "1", json!({"reverses_id": undone})).await;
    // Out of the sums that are kept, out of the lines, and out of the past.
    let viewer = ledger.client.as_viewer();
    for (client, path) in [
        (&ledger.client, "/v1/reports/budget?by=fiscal_year"),
        (&viewer, "/v1/reports/budget?by=fiscal_year"),
        (&ledger.client, "/v1/reports/budget?by=fiscal_year&status=not_started"),
    ] {
        let row = items(client, path).await.remove(0);
        let figures = [
            "estimate",
            "appropriation",
            "allotted",
            "committed",
            "verified",
            "ordered",
            "paid",
            "left",
            "executed_percent",
        ];
        let figures: Vec<&Value> = figures.iter().map(|name| &row[*name]).collect();
        assert_eq!(
            json!(figures),
            json!([null, "1200.00", "200.00", "200.00", "200.00", "200.00", "125.00", "1000.00", "10.4"]),
            "{row}"
        );
    }
    let row = items(&ledger.client, "/v1/reports/budget?explain=true").await.remove(0);
    let sources = row["sources"].as_array().unwrap();
    let sum = |figure: &str| -> f64 {
        sources
            .iter()
            .filter(|s| s["figure"] == figure)
            .map(|s| s["amount"].as_str().unwrap().parse::<f64>().unwrap())
            .sum()
    };
    assert!((sum("appropriation") - 1200.0).abs() < 1e-9 && (sum("allotted") - 200.0).abs() < 1e-9, "{row}");
    assert!(row["rule"].as_str().unwrap().contains("appropriation less committed"), "{row}");
}

/// The same report out of the sums that are kept, and out of the lines: as of now, and narrowed by what all have.
async fn compare(client: &Client) {
    let now = client.get("/v1/reports/budget?by=phase").expect(200).await;
    assert!(now.text.contains("RON"), "{}", now.text);
    for by in ["objective", "entity", "fiscal_year", "funding_source", "phase", "programme", "cofog"] {
        let kept = items(client, &format!("/v1/reports/budget?by={by}")).await;
        let plain = items(client, &format!("/v1/reports/budget?by={by}&status=not_started&status=in_progress")).await;
        assert_eq!(kept, plain, "{by}");
        let viewed = items(&client.as_viewer(), &format!("/v1/reports/budget?by={by}")).await;
        assert_eq!(kept, viewed, "{by}");
    }
}

async fn write(client: &Client, world: &[Vec<Value>; 5], writer: u64) {
    let [initiatives, steps, objectives, entities, strategies] = world;
    let mut dice = writer * 7919 + 1;
    let mut roll = |sides: usize| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(dice >> 33).unwrap() % sides
    };
    let mut own: Vec<Value> = Vec::new();
    for turn in 0..30 {
        let act = roll(7);
        let reply: Reply = match act {
            0..=1 => {
                let owner = roll(2);
                let (field, all) = [("initiative_id", initiatives), ("step_id", steps)][owner];
                let phase = ["estimate", "appropriation"][roll(2)];
                let body = json!({field: all[roll(all.len())], "fiscal_year": 2024 + roll(2), "phase": phase, "entity_id": entities[roll(2)],
                    "programme_code": format!("P{}", roll(3)), "money": {"amount": format!("{}.{:02}", 100 + roll(900), roll(100)), "currency": (["RON", "EUR"][roll(2)])}});
                let reply = client.post("/v1/budget-allocations", body).send().await;
                own.push(reply.json()["id"].clone());
                reply
            }
            2..=3 if !own.is_empty() => {
                let allocation = &own[roll(own.len())];
                let found = client
                    .get(format!("/v1/budget-allocations/{}", allocation.as_str().unwrap()))
                    .expect(200)
                    .await
                    .json();
                let body = json!({"allocation_id": allocation, "kind": (["allotment", "commitment"][roll(2)]), "dated_on": format!("{}-05-05", found["fiscal_year"]),
                    "money": {"amount": format!("{}.{:02}", 1 + roll(200), roll(100)), "currency": found["money"]["currency"]}});
                client.post("/v1/budget-movements", body).send().await
            }
            4 if !own.is_empty() => {
                let path = format!("/v1/budget-allocations/{}", own[roll(own.len())].as_str().unwrap());
                let change = if turn % 2 == 0 {
                    json!({"entity_id": entities[roll(2)]})
                } else {
                    json!({"money": {"amount": format!("{}", 1 + roll(1500))}})
                };
                client.patch(path, change).header("if-match", "*").send().await
            }
            5 => {
                let path = format!("/v1/initiatives/{}", initiatives[roll(initiatives.len())].as_str().unwrap());
                client
                    .patch(path, json!({"objective_id": objectives[roll(objectives.len())]}))
                    .header("if-match", "*")
                    .send()
                    .await
            }
            _ if own.len() > 3 => {
                let path = format!("/v1/budget-allocations/{}", own.last().unwrap().as_str().unwrap());
                let reply = client.delete(path).header("if-match", "*").send().await;
                if reply.status == 204 {
                    own.pop();
                }
                reply
            }
            _ => {
                let path = format!("/v1/steps/{}", steps[roll(steps.len())].as_str().unwrap());
                client
                    .patch(path, json!({"initiative_id": initiatives[roll(initiatives.len())]}))
                    .header("if-match", "*")
                    .send()
                    .await
            }
        };
        assert!([200, 201, 204, 409, 412, 422].contains(&reply.status.as_u16()), "act {act}: {}", reply.text);
    }
    assert_eq!(strategies.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sums_that_are_kept_are_those_of_the_lines_whatever_is_written() {
    let options = database().await;
    let mut database = PgConnection::connect_with(&options).await.unwrap();
    let client = service_over(options, Limits::default()).await;
    let strategy = json!({"code": "S", "title": "A strategy", "country": "XX", "kind": "strategy"});
    let strategy = client.create("strategies", strategy).await["id"].clone();
    let mut world: [Vec<Value>; 5] = [vec![], vec![], vec![], vec![], vec![strategy.clone()]];
    for number in 0..4 {
        let objective = json!({"strategy_id": strategy, "code": format!("{number}"), "title": "An objective", "parent_id": world[2].first()});
        world[2].push(client.create("objectives", objective).await["id"].clone());
    }
    for number in 0..4 {
        let initiative = json!({"strategy_id": strategy, "objective_id": world[2][number], "code": format!("{number}"), "title": "An initiative"});
        let initiative = client.create("initiatives", initiative).await["id"].clone();
        let step = json!({"initiative_id": initiative, "code": format!("s{number}"), "title": "A step"});
        world[1].push(client.create("steps", step).await["id"].clone());
        world[0].push(initiative);
        world[3].push(
            client.create("entities", json!({"name": "Agency", "kind": "agency", "code": format!("E{number}")})).await
                ["id"]
                .clone(),
        );
    }
    let world = Arc::new(world);
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let (client, world) = (client.clone(), Arc::clone(&world));
            tokio::spawn(async move { write(&client, &world, writer).await })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
        // Folded or not, the sums are the same.
        let _: i64 = sqlx::query_scalar("select fold_budget(7)").fetch_one(&mut database).await.unwrap();
    }
    compare(&client).await;
    let _: i64 = sqlx::query_scalar("select fold_budget(100000)").fetch_one(&mut database).await.unwrap();
    compare(&client).await;
}

#[tokio::test]
async fn currencies_are_added_only_at_a_rate_that_is_named() {
    let ledger = Ledger::open("100").await;
    ledger.grant("10.01", 2025, "EUR").await;
    ledger.grant("1000", 2025, "HUF").await;
    let client = &ledger.client;
    let path = "/v1/reports/budget?by=fiscal_year";
    assert_eq!(items(client, path).await.len(), 3);
    for (query, faults) in [
        ("&in=EUR", ["rates_on required"]),
        ("&rates_on=2024-10-18", ["in required"]),
        ("&in=EUX&rates_on=2024-10-18", ["in unknown_code"]),
    ] {
        assert_eq!(client.get(format!("{path}{query}")).expect(400).await.faults(), faults);
    }
    let ask = format!("{path}&in=RON&rates_on=2024-10-18");
    assert_eq!(client.get(&ask).expect(400).await.faults(), ["rates_on no_rate", "rates_on no_rate"]);
    let bank = "<DataSet xmlns=\"http://www.bnr.ro/xsd\"><Body><OrigCurrency>RON</OrigCurrency><Cube date=\"2024-10-18\">\
        <Rate currency=\"EUR\">4.9735</Rate><Rate currency=\"HUF\" multiplier=\"100\">1.2418</Rate></Cube></Body></DataSet>";
    let import = |kind: &str, body: &str| {
        client.call("POST", "/v1/imports/exchange-rates").header("content-type", kind).body(body)
    };
    assert_eq!(import("application/xml", bank).expect(200).await.json()["created"], 2);
    assert_eq!(import("application/xml", bank).expect(200).await.json()["unchanged"], 2);
    // Gold, and currencies of the past, are in the files of the banks and no money to budget in.
    let with_gold = bank.replace("</Cube>", "<Rate currency=\"XAU\">402.17</Rate></Cube>");
    let told = import("application/xml", &with_gold).expect(200).await.json();
    assert_eq!(
        (&told["unchanged"], &told["left_out"]),
        (&json!(2), &json!([{"currency": "XAU", "rates": 1}])),
        "{told}"
    );
    let history = "Date,GBP,HRK,\n2024-10-16,0.8,7.5,\n2024-10-15,0.8,7.5,\n";
    let told = import("text/csv", history).expect(200).await.json();
    assert_eq!((&told["created"], &told["left_out"]), (&json!(2), &json!([{"currency": "HRK", "rates": 2}])), "{told}");
    let rows = items(client, &ask).await;
    // 100 + 10.01 x 4.9735 + 1000 x 0.012418 = 162.202735
    assert_eq!(
        (rows.len(), &rows[0]["appropriation"], &rows[0]["currency"]),
        (1, &json!("162.20"), &json!("RON")),
        "{rows:?}"
    );
    let rates = json!([
        {"base_currency": "EUR", "quote_currency": "RON", "rate": "4.9735", "valid_on": "2024-10-18", "source": "BNR"},
        {"base_currency": "HUF", "quote_currency": "RON", "rate": "0.012418", "valid_on": "2024-10-18", "source": "BNR"}]);
    assert_eq!(rows[0]["rates"], rates);
    let missing = client.get(format!("{path}&in=RON&rates_on=2024-10-20")).expect(400).await;
    assert!(missing.text.contains("the last before it is of 2024-10-18"), "{}", missing.text);
    assert_eq!(
        import("text/csv", "Date, USD, RON, \n18 October 2024, 1.0847, 4.97, \n").expect(200).await.json()["created"],
        2
    );
    assert_eq!(client.get(&ask).expect(400).await.faults(), ["rates_source several_rates"]);
    assert_eq!(items(client, &format!("{ask}&rates_source=BNR")).await, rows);
    for (kind, body, status) in [
        ("application/xml", "<!DOCTYPE a><DataSet/>", 400),
        ("text/csv", "Date,USD\n2024-10-18,x\n", 400),
        ("text/csv", "Date,XYZ\n2024-10-18,1\n", 422),
        ("text/csv", "Date,HRK,XYZ\n2024-10-18,1,\n", 422),
        ("application/json", "{}", 415),
    ] {
        import(kind, body).expect(status).await;
    }
    client
        .as_viewer()
        .call("POST", "/v1/imports/exchange-rates")
        .header("content-type", "text/csv")
        .body("")
        .expect(403)
        .await;
    assert_eq!(service().await.get("/v1/exchange-rates").expect(200).await.json()["items"], json!([]));
}
