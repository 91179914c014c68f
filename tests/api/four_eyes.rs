//! Four eyes: what one principal asks for stands as proposed, and is written when another confirms it.

mod doors;
mod in_force;
mod shown;
mod sight;
mod tried;

use clap::Parser as _;
use mandate::{cli::config::Cli, proposals};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};

use crate::support::{Call, Client, client::Reply, database, service, service_changed};

struct Ground {
    admin: Client,
    /// Two coordinators.
    anna: Client,
    bogdan: Client,
    entity: Value,
    initiative: Value,
    options: PgConnectOptions,
}

/// What a service that starts with this setting does.
async fn put_in_force(options: &PgConnectOptions, acts: &str) {
    let words = ["mandate", "serve", "--four-eyes", acts];
    let cli = Cli::try_parse_from(if acts.is_empty() { &words[..2] } else { &words });
    let mut connection = PgConnection::connect_with(options).await.unwrap();
    proposals::put_in_force(&mut connection, &cli.unwrap().settings.four_eyes).await.unwrap();
}

async fn ground(acts: &str) -> Ground {
    let options = database().await;
    // What the tests stand on is made where nobody is asked.
    let free = service_changed(options.clone(), |app| app).await;
    let id = async |noun: &str, body: Value| free.create(noun, body).await["id"].clone();
    let strategy = json!({"external_id": "s", "code": "S", "title": "S", "country": "XX", "kind": "strategy"});
    let strategy = id("strategies", strategy).await;
    let entity = id("entities", json!({"name": "Agency", "kind": "agency"})).await;
    let body = json!({"external_id": "i", "strategy_id": strategy, "code": "1", "title": "One"});
    let initiative = id("initiatives", body).await;
    id("assignments", json!({"initiative_id": initiative, "entity_id": entity, "role": "lead"})).await;
    id("steps", json!({"external_id": "st", "initiative_id": initiative, "code": "a", "title": "A step"})).await;
    let act = json!({"external_id": "law", "country": "XX", "issuer": "P", "act_type": "law", "number": "1", "date": "2024-02-29"});
    id("legal-acts", act).await;
    for (name, basis) in [("t1", "forecast"), ("t2", "revised")] {
        let body = json!({"external_id": name, "initiative_id": initiative, "basis": basis, "ends_on": "2025-06-30", "reason": "x"});
        id("timelines", body).await;
    }
    let money = |name: &str| {
        json!({"external_id": name, "initiative_id": initiative, "entity_id": entity, "fiscal_year": 2025,
        "phase": "appropriation", "money": {"amount": "100", "currency": "RON"}})
    };
    for name in ["m1", "m2", "m3"] {
        id("budget-allocations", money(name)).await;
    }
    let period = json!({"code": "1", "from": "2025-03-01", "to": "2025-03-31", "due_on": "2025-04-10"});
    let cycle = json!({"external_id": "c", "strategy_id": strategy, "code": "q", "title": "C", "cadence": "monthly", "periods": [period]});
    id("reporting-cycles", cycle).await;
    put_in_force(&options, acts).await;
    let admin = service_changed(options.clone(), |app| app).await;
    let coordinator = async |name: &str| {
        let key = admin.create("api-keys", json!({"name": name, "role": "coordinator"})).await;
        admin.with_key(key["key"].as_str().unwrap().to_owned())
    };
    let (anna, bogdan) = (coordinator("anna").await, coordinator("bogdan").await);
    Ground { admin, anna, bogdan, entity, initiative, options }
}

/// The words of the proposers.
const REASON: &str = "decided in May, %41 of it";
/// The same as a header has them: a percent sign before two digits is escaped.
const SENT: &str = "decided in May, %2541 of it";
const ALL: &str = "appropriation,approved_timeline,completion,closing";

impl Ground {
    /// How many changes of nouns there are, and who made the last.
    async fn record(&self) -> (i64, Option<String>) {
        let mut connection = PgConnection::connect_with(&self.options).await.unwrap();
        let sql = "select count(*), (array_agg(actor order by at desc, id))[1] from changes where kind <> 'api_key'";
        sqlx::query_as(sql).fetch_one(&mut connection).await.unwrap()
    }

    fn timeline(&self, ends_on: &str) -> Value {
        json!({"initiative_id": self.initiative, "basis": "approved", "ends_on": ends_on, "legal_act_id": "external:law"})
    }

    async fn proposed(&self, call: Call) -> Value {
        let before = self.record().await;
        let reply = call.header("mandate-reason", SENT).expect(202).await;
        assert_eq!(self.record().await, before, "it is written already: {}", reply.text);
        let proposal = reply.json();
        assert_eq!(proposal["state"], "proposed", "{proposal}");
        assert_eq!(reply.header("location"), format!("/v1/proposals/{}", proposal["id"].as_str().unwrap()));
        proposal
    }
}

async fn decide(client: &Client, proposal: &Value, decision: &str) -> Reply {
    client
        .post("/v1/confirmations", json!({"proposal_id": proposal["id"], "decision": decision, "reason": "seen"}))
        .send()
        .await
}

async fn decided(client: &Client, proposal: &Value, decision: &str) -> Value {
    let reply = decide(client, proposal, decision).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()
}

#[tokio::test]
async fn at_every_door_an_act_stands_as_proposed_until_another_confirms_it() {
    let ground = ground(ALL).await;
    let anna = &ground.anna;
    let any = |call: Call| call.header("if-match", "*");
    let money = json!({"initiative_id": ground.initiative, "fiscal_year": 2026, "phase": "appropriation", "money": {"amount": "5", "currency": "RON"}});
    let allocation = async |name: &str| {
        let found = anna.get(format!("/v1/budget-allocations/external:{name}")).expect(200).await.json();
        found["id"].clone()
    };
    let moves = |on: Value, kind: &str, more: Value| {
        let mut body = json!({"allocation_id": on, "kind": kind, "dated_on": "2025-03-01", "legal_act_id": "external:law",
            "money": {"amount": "1", "currency": "RON"}});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let report = json!({"initiative_id": "external:i", "cycle_id": "external:c", "period": "1", "status": "completed", "confidence": "green",
        "narrative": "Done", "evidence": "https://example.org/x", "state": "submitted"});
    let step_report = json!({"external_id": "r", "step_id": "external:st", "cycle_id": "external:c", "period": "1", "status": "completed",
        "confidence": "green", "narrative": "Done", "evidence": "https://example.org/x"});
    anna.create("progress-reports", step_report).await;
    let batch = json!({"items": [{"external_id": "r", "state": "submitted"}]});
    let (m1, m2) = (allocation("m1").await, allocation("m2").await);
    let done = json!({"status": "completed", "evidence": "https://example.org/y"});
    let file = json!({"format": "mandate-plan/1", "timelines": [{"external_id": "new", "initiative_id": "external:i", "basis": "approved", "ends_on": "2027-01-31",
        "legal_act_id": "external:law"}]});
    let strategy =
        |status: &str| json!({"code": status, "title": "Old", "country": "XX", "kind": "strategy", "status": status});
    let step = |code: &str| json!({"initiative_id": "external:i", "code": code, "title": "B", "status": "completed", "evidence": "x"});
    let calls: Vec<(&str, Call)> = vec![
        ("approved_timeline", anna.post("/v1/timelines", ground.timeline("2026-01-31"))),
        ("approved_timeline", anna.put("/v1/timelines/external:put", ground.timeline("2026-02-28"))),
        (
            "approved_timeline",
            any(anna.patch("/v1/timelines/external:t1", json!({"basis": "approved", "legal_act_id": "external:law"}))),
        ),
        ("approved_timeline", any(anna.delete("/v1/timelines/external:t2"))),
        ("approved_timeline", anna.post("/v1/imports", file)),
        ("appropriation", anna.post("/v1/budget-allocations", money)),
        ("appropriation", any(anna.patch("/v1/budget-allocations/external:m1", json!({"money": {"amount": "90"}})))),
        (
            "appropriation",
            anna.post("/v1/budget-movements", moves(m1.clone(), "revision", json!({"direction": "increase"}))),
        ),
        ("appropriation", anna.post("/v1/budget-movements", moves(m1, "virement", json!({"to_allocation_id": m2})))),
        ("appropriation", any(anna.delete("/v1/budget-allocations/external:m3"))),
        ("completion", anna.post("/v1/steps", step("b"))),
        ("completion", anna.post("/v1/progress-report-batches", batch)),
        ("completion", anna.post("/v1/progress-reports", report)),
        ("completion", any(anna.patch("/v1/steps/external:b2", done.clone()))),
        ("closing", anna.post("/v1/strategies", strategy("closed"))),
        ("closing", anna.put("/v1/strategies/external:old", strategy("archived"))),
    ];
    let mut open = step("b2");
    (open["external_id"], open["status"]) = (json!("b2"), json!("in_progress"));
    anna.create("steps", open).await;
    for (act, call) in calls {
        let proposal = ground.proposed(call).await;
        assert_eq!(
            (&proposal["act"], &proposal["actor"], &proposal["reason"]),
            (&json!(act), &json!("key:anna"), &json!(REASON))
        );
        let (count, _) = ground.record().await;
        let confirmed = decided(&ground.bogdan, &proposal, "confirm").await;
        assert_eq!(
            (&confirmed["state"], &confirmed["decision_reason"]),
            (&json!("confirmed"), &json!("seen")),
            "{confirmed}"
        );
        assert!(confirmed["answer"]["status"].as_u64().unwrap() < 300, "{confirmed}");
        let (more, actor) = ground.record().await;
        assert!(
            more > count && actor.as_deref() == Some("key:anna, confirmed by key:bogdan"),
            "{act}: {actor:?} {confirmed}"
        );
    }
}

#[tokio::test]
async fn only_another_principal_who_may_do_it_himself_decides() {
    let ground = ground(ALL).await;
    let proposal = ground.proposed(ground.anna.post("/v1/timelines", ground.timeline("2026-01-31"))).await;
    let key = async |name: &str, role: &str, maker: &Client| {
        let mut body = json!({"name": name, "role": role});
        if ["editor", "finance"].contains(&role) {
            body["entity_id"] = ground.entity.clone();
        }
        maker.with_key(maker.create("api-keys", body).await["key"].as_str().unwrap().to_owned())
    };
    let editor = key("e", "editor", &ground.admin).await;
    let finance = key("f", "finance", &ground.admin).await;
    // Himself, who made his key, and whoever could not do it.
    for client in [&ground.anna, &ground.admin, &editor, &finance, &ground.admin.as_viewer()] {
        for decision in ["confirm", "reject"] {
            let reply = decide(client, &proposal, decision).await;
            assert_eq!(reply.status, 403, "{decision}: {}", reply.text);
        }
    }
    // A key that he makes himself is he, whatever its name; and so is one that that makes.
    let first = key("somebody else", "admin", &ground.admin).await;
    let proposal = ground.proposed(first.post("/v1/timelines", ground.timeline("2026-03-31"))).await;
    let second = key("another", "admin", &first).await;
    let third = key("a third", "coordinator", &second).await;
    for client in [&second, &third, &ground.admin] {
        assert_eq!(decide(client, &proposal, "confirm").await.status, 403);
    }
    assert_eq!(decide(&ground.anna, &proposal, "withdraw").await.status, 403);
    decided(&ground.anna, &proposal, "reject").await;
    decided(&ground.anna, &proposal, "reject").await;
    let again = decide(&ground.bogdan, &proposal, "confirm").await;
    assert_eq!((again.status.as_u16(), again.faults()), (409, vec!["#/proposal_id decided".to_owned()]));
    // Nobody passes for two by his name.
    let name = json!({"name": "x, confirmed by key:y", "role": "viewer"});
    assert_eq!(ground.admin.post("/v1/api-keys", name).expect(422).await.faults(), ["#/name not_allowed"]);
    let twice = ground.bogdan.post("/v1/confirmations", json!({"proposal_id": proposal["id"], "decision": "reject"}));
    twice.header("idempotency-key", "k").expect(400).await;
}

#[tokio::test]
async fn what_has_changed_meanwhile_is_stale_and_says_why() {
    let ground = ground(ALL).await;
    let path = "/v1/budget-allocations/external:m1";
    let change = || ground.anna.patch(path, json!({"money": {"amount": "80"}})).header("if-match", "*");
    let proposal = ground.proposed(change()).await;
    assert_eq!((&proposal["if_match"], &proposal["target_version"]), (&json!("*"), &json!(1)), "{proposal}");
    ground.bogdan.patch(path, json!({"note": "seen"})).if_match(1).expect(200).await;
    let reply = decide(&ground.bogdan, &proposal, "confirm").await;
    assert_eq!(
        (reply.status.as_u16(), reply.faults()),
        (409, vec!["#/proposal_id stale".to_owned()]),
        "{}",
        reply.text
    );
    let kept = ground.anna.get(format!("/v1/proposals/{}", proposal["id"].as_str().unwrap())).expect(200).await.json();
    assert_eq!((&kept["state"], kept["problem"].is_string()), (&json!("stale"), true), "{kept}");
    // The same again is the same proposal, until it is decided.
    let first = ground.proposed(change()).await;
    assert_ne!(first["id"], proposal["id"]);
    assert_eq!(ground.proposed(change()).await["id"], first["id"]);
    decided(&ground.anna, &first, "withdraw").await;
    assert_ne!(ground.proposed(change()).await["id"], first["id"]);
    // Under a key it is the same also afterwards.
    let keyed = || ground.anna.post("/v1/timelines", ground.timeline("2028-01-31")).header("idempotency-key", "k");
    let proposal = ground.proposed(keyed()).await;
    decided(&ground.bogdan, &proposal, "confirm").await;
    assert_eq!(keyed().header("mandate-reason", SENT).expect(202).await.json()["state"], "confirmed");
    let listed = ground.anna.get("/v1/timelines?ends_after=2028-01-01").expect(200).await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    let changes = ground.admin.get("/v1/proposals?state=stale&act=appropriation&limit=1").expect(200).await.json();
    assert_eq!((changes["items"].as_array().unwrap().len(), &changes["next"]), (1, &Value::Null));
}

#[tokio::test]
async fn of_many_who_confirm_at_once_one_does() {
    let ground = ground(ALL).await;
    let proposal = ground.proposed(ground.anna.post("/v1/timelines", ground.timeline("2026-01-31"))).await;
    let mut deciders = Vec::new();
    for place in 0..6 {
        let key = ground.admin.create("api-keys", json!({"name": format!("c{place}"), "role": "coordinator"})).await;
        deciders.push(ground.admin.with_key(key["key"].as_str().unwrap().to_owned()));
    }
    let replies =
        futures_util::future::join_all(deciders.iter().map(|client| decide(client, &proposal, "confirm"))).await;
    let done = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!(done, 1, "{replies:#?}");
    assert!(replies.iter().all(|reply| [200, 409].contains(&reply.status.as_u16())), "{replies:#?}");
    let listed = ground.anna.get("/v1/timelines?basis=approved").expect(200).await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_proposal_is_seen_by_whoever_sees_what_it_is_about() {
    let ground = ground(ALL).await;
    let viewer = ground.admin.as_viewer();
    let money = |classification: &str, year: i32| {
        json!({"initiative_id": ground.initiative, "fiscal_year": year, "phase": "appropriation",
        "money": {"amount": "5", "currency": "RON"}, "classification": classification})
    };
    let open = ground.proposed(ground.anna.post("/v1/budget-allocations", money("internal", 2030))).await;
    let hidden = ground.proposed(ground.anna.post("/v1/budget-allocations", money("restricted", 2031))).await;
    let path = |proposal: &Value| format!("/v1/proposals/{}", proposal["id"].as_str().unwrap());
    viewer.get(path(&open)).expect(200).await;
    viewer.get(path(&hidden)).expect(404).await;
    let seen = viewer.get("/v1/proposals").expect(200).await;
    assert!(seen.text.contains("2030") && !seen.text.contains("2031"), "{}", seen.text);
    assert!(ground.bogdan.get("/v1/proposals").expect(200).await.text.contains("2031"));
    // What is restricted afterwards is hidden with what it is about.
    ground
        .bogdan
        .patch("/v1/initiatives/external:i", json!({"classification": "restricted"}))
        .if_match(1)
        .expect(200)
        .await;
    viewer.get(path(&open)).expect(404).await;
    // Scopes are those of what is asked for.
    let key = json!({"name": "n", "role": "coordinator", "scopes": ["plan:write"]});
    let narrow = ground.admin.with_key(ground.admin.create("api-keys", key).await["key"].as_str().unwrap().to_owned());
    narrow.get(path(&open)).expect(404).await;
    ground.admin.as_nobody().get("/v1/proposals").expect(401).await;
    let public = service_changed(ground.options.clone(), |app| app.with_public(true)).await;
    public.as_nobody().get("/v1/proposals").expect(401).await;
}

#[tokio::test]
async fn only_the_acts_that_are_named_wait_and_by_default_none() {
    let ground = ground("closing").await;
    ground.anna.create("timelines", ground.timeline("2026-01-31")).await;
    let mut closed = json!({"code": "T", "title": "T", "country": "XX", "kind": "strategy", "status": "closed"});
    ground.proposed(ground.anna.post("/v1/strategies", closed.clone())).await;
    // What is wrong for another reason is said first, and nothing is proposed.
    closed["ends_on"] = json!("2020-01-01");
    closed["starts_on"] = json!("2021-01-01");
    ground.anna.post("/v1/strategies", closed).expect(422).await;
    assert_eq!(ground.admin.get("/v1/proposals").expect(200).await.json()["items"].as_array().unwrap().len(), 1);
    let parsed = |acts: &str| Cli::try_parse_from(["mandate", "--four-eyes", acts, "serve"]);
    assert_eq!(parsed("closing,completion").unwrap().settings.four_eyes.len(), 2);
    for wrong in ["clozing", "closing;completion", "all"] {
        assert!(parsed(wrong).is_err_and(|error| error.to_string().contains("approved_timeline")), "{wrong}");
    }
    assert!(Cli::try_parse_from(["mandate", "serve"]).unwrap().settings.four_eyes.is_empty());
    let open = service().await;
    let body = json!({"code": "S", "title": "S", "country": "XX", "kind": "strategy", "status": "closed"});
    open.create("strategies", body).await;
}

#[tokio::test]
async fn a_file_too_large_to_stand_as_proposed_is_refused_and_says_what_to_do() {
    let ground = ground(ALL).await;
    let row = |place: usize| {
        json!({"external_id": format!("x{place}"), "initiative_id": "external:i", "basis": "approved", "ends_on": "2027-01-31",
        "legal_act_id": "external:law", "reason": "x".repeat(900)})
    };
    let file = json!({"format": "mandate-plan/1", "timelines": (0..1300).map(row).collect::<Vec<_>>()});
    let before = ground.record().await;
    let reply = ground.anna.post("/v1/imports", file).expect(422).await;
    assert_eq!(reply.faults(), ["# needs_second"], "{}", reply.text);
    assert_eq!(ground.record().await, before);
}
