//! Keys of the API over HTTP: made, limited, changed, revoked; and what an entity's own key may.

use mandate::{access::Role, base::limits::Limits};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};

use crate::support::{Client, database, service, service_over};

async fn key_of(client: &Client, body: Value) -> Client {
    let key = client.create("api-keys", body).await["key"].as_str().unwrap().to_owned();
    client.with_key(key)
}

async fn id_of(client: &Client, noun: &str, body: Value) -> Value {
    client.create(noun, body).await["id"].clone()
}

#[tokio::test]
async fn the_text_of_a_key_is_shown_once_and_kept_nowhere() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let reply = client.post("/v1/api-keys", json!({"name": "night-batch", "role": "coordinator"})).expect(201).await;
    assert_eq!(reply.header("cache-control"), "no-store");
    let made = reply.json();
    let text = made["key"].as_str().unwrap();
    let path = reply.header("location");
    let mut kept = made.clone();
    kept.as_object_mut().unwrap().remove("key");
    assert_eq!(client.get(&path).expect(200).await.json(), kept);
    assert!(made["created_by"].as_str().unwrap().starts_with("key:"), "{made}");
    let listed = client.get("/v1/api-keys?role=coordinator&active=true").expect(200).await;
    assert_eq!(listed.json()["items"], json!([kept]));
    let problem = client
        .post("/v1/api-keys", json!({"name": "again", "role": "viewer"}))
        .header("idempotency-key", "a")
        .expect(400)
        .await;
    assert!(problem.text.contains("would hold the secret"), "{}", problem.text);

    let secret = text.split('_').nth(2).unwrap();
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    let tables: Vec<String> = sqlx::query_scalar("select tablename::text from pg_tables where schemaname = 'public'")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    for table in tables {
        let sql = sqlx::AssertSqlSafe(format!("select count(*) from {table} t where t::text like '%{secret}%'"));
        let rows: i64 = sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
        assert_eq!(rows, 0, "{table}");
    }
    let user = client.with_key(text.to_owned());
    user.create("entities", json!({"name": "Agency", "kind": "agency"})).await;
    let used: Value = client.get(&path).expect(200).await.json()["last_used_on"].clone();
    assert!(used.is_string(), "{used}");
}

#[tokio::test]
async fn what_is_wrong_with_a_key_is_said_at_once() {
    let client = service().await;
    let refused = async |body: Value| client.post("/v1/api-keys", body).expect(422).await.faults();
    assert_eq!(refused(json!({"name": "x", "role": "editor"})).await, ["#/entity_id required"]);
    let nobody = "0190aaaa-0000-7000-8000-000000000000";
    assert_eq!(
        refused(json!({"name": "x", "role": "editor", "entity_id": nobody, "expires_at": "2020-01-01T00:00:00Z"}))
            .await,
        ["#/entity_id not_found", "#/expires_at in_the_past"]
    );
    assert_eq!(
        refused(json!({"name": "x", "role": "viewer", "entity_id": nobody, "expires_at": "2999-01-01T00:00:00Z"}))
            .await,
        ["#/entity_id not_allowed", "#/expires_at too_late"]
    );
    assert_eq!(
        refused(json!({"name": " ", "role": "boss", "scopes": ["plans:read"], "entity": 1})).await,
        ["#/entity unknown_field", "#/name wrong_format", "#/role not_allowed", "#/scopes/0 not_allowed"]
    );
    assert_eq!(
        refused(json!({"name": "x", "role": "editor", "entity_id": "code:none"})).await,
        ["#/entity_id not_found"]
    );
    client.get("/v1/api-keys/nothing").expect(404).await;
    client.get("/v1/api-keys/%00").expect(404).await;
    client.get("/v1/api-keys?rol=admin").expect(400).await;
}

#[tokio::test]
async fn a_revoked_key_is_gone_and_the_last_admin_stays() {
    let client = service().await;
    let made = client.create("api-keys", json!({"name": "a", "role": "viewer"})).await;
    let path = format!("/v1/api-keys/{}", made["id"].as_str().unwrap());
    client.delete(&path).expect(204).await;
    assert_eq!(client.delete(&path).expect(410).await.json()["history"], path);
    client.patch(&path, json!({"name": "b"})).expect(410).await;
    client.with_key(made["key"].as_str().unwrap().into()).get("/v1/me").expect(401).await;
    assert_eq!(client.get("/v1/api-keys?active=false").expect(200).await.json()["items"][0]["id"], made["id"]);

    let me = client.get("/v1/me").expect(200).await.json();
    let own = format!("/v1/api-keys/{}", me["principal"].as_str().unwrap().strip_prefix("key:").unwrap());
    assert!(client.delete(format!("{own}?in_use=true")).expect(409).await.text.contains("last_admin"));
    assert!(client.patch(&own, json!({"scopes": ["plan:read"]})).expect(409).await.text.contains("last_admin"));
    let second = client.create("api-keys", json!({"name": "second", "role": "admin"})).await;
    assert!(client.delete(&own).expect(409).await.text.contains("in_use=true"));
    client.delete(format!("{own}?in_use=true")).expect(204).await;
    let second = client.with_key(second["key"].as_str().unwrap().into());
    assert_eq!(second.get("/v1/me").expect(200).await.json()["role"], "admin");
}

#[tokio::test]
async fn a_key_is_changed_in_name_scopes_and_end() {
    let client = service().await;
    let made = client.create("api-keys", json!({"name": "a", "role": "coordinator"})).await;
    let path = format!("/v1/api-keys/{}", made["id"].as_str().unwrap());
    let change = json!({"name": "b", "scopes": ["plan:write"], "expires_at": "2999-01-01T00:00:00Z"});
    assert_eq!(client.patch(&path, change).expect(422).await.faults(), ["#/expires_at too_late"]);
    assert_eq!(client.patch(&path, json!({"expires_at": null})).expect(422).await.faults(), ["#/expires_at required"]);
    assert_eq!(client.patch(&path, json!({"rol": null})).expect(422).await.faults(), ["#/rol unknown_field"]);
    assert_eq!(client.patch(&path, json!({"role": "admin"})).expect(422).await.faults(), ["#/role unknown_field"]);
    let change = client.patch(&path, json!({"name": "b", "scopes": ["plan:write"]})).header("idempotency-key", "1");
    let changed = change.expect(200).await.json();
    assert_eq!((&changed["name"], &changed["scopes"]), (&json!("b"), &json!(["plan:write"])));
    assert_eq!(changed["expires_at"], made["expires_at"]);
}

#[tokio::test]
async fn scopes_limit_what_a_role_may() {
    let client = service().await;
    let planner =
        key_of(&client, json!({"name": "p", "role": "coordinator", "scopes": ["plan:write", "entities:read"]})).await;
    planner.create("strategies", json!({"code": "S", "title": "S", "country": "XX", "kind": "strategy"})).await;
    planner.get("/v1/strategies").expect(200).await;
    planner.get("/v1/entities").expect(200).await;
    let problem = planner.post("/v1/entities", json!({"name": "A", "kind": "agency"})).expect(403).await;
    assert!(problem.text.contains("entities:write"), "{}", problem.text);
    planner.get("/v1/changes").expect(403).await;
    planner.get("/v1/funding-sources").expect(403).await;
    planner.get("/v1/reports/budget").expect(403).await;
    let me = planner.get("/v1/me").expect(200).await.json();
    let may: Vec<&str> = me["may"].as_array().unwrap().iter().map(|may| may["operation"].as_str().unwrap()).collect();
    assert!(may.contains(&"create_step") && !may.contains(&"create_entity") && !may.contains(&"list_changes"), "{me}");

    // Nor is what they hide shown beside something else, or handed on.
    planner.get("/v1/assignments?expand=entity").expect(200).await;
    planner.get("/v1/timelines?expand=legal_act").expect(200).await;
    let money = key_of(&client, json!({"name": "m", "role": "viewer", "scopes": ["money:read"]})).await;
    assert_eq!(money.get("/v1/budget-allocations?expand=entity").expect(403).await.json()["code"], "forbidden");
    let keeper = key_of(&client, json!({"name": "k", "role": "admin", "scopes": ["access:write"]})).await;
    for scopes in [json!([]), json!(["plan:write"])] {
        let body = json!({"name": "more", "role": "admin", "scopes": scopes});
        assert_eq!(keeper.post("/v1/api-keys", body).expect(422).await.faults(), ["#/scopes not_allowed"]);
    }
    keeper.create("api-keys", json!({"name": "less", "role": "admin", "scopes": ["access:read"]})).await;
}

#[tokio::test]
async fn an_editor_cannot_reach_beyond_the_work_of_its_entity() {
    let client = service().await;
    let mine = id_of(&client, "entities", json!({"name": "Mine", "kind": "agency", "code": "MINE"})).await;
    let other = id_of(&client, "entities", json!({"name": "Other", "kind": "agency"})).await;
    let body = json!({"code": "S", "title": "S", "country": "XX", "kind": "strategy"});
    let strategy = id_of(&client, "strategies", body).await;
    let initiative = |code: &str| json!({"strategy_id": strategy, "code": code, "title": "An initiative"});
    let own = id_of(&client, "initiatives", initiative("1")).await;
    let foreign = id_of(&client, "initiatives", initiative("2")).await;
    let assign = |initiative: &Value, entity: &Value, role: &str| json!({"initiative_id": initiative, "entity_id": entity, "role": role});
    let support = id_of(&client, "assignments", assign(&own, &mine, "support")).await;
    id_of(&client, "assignments", assign(&foreign, &other, "lead")).await;
    let editor = key_of(&client, json!({"name": "e", "role": "editor", "entity_id": "code:MINE"})).await;
    let finance = key_of(&client, json!({"name": "f", "role": "finance", "entity_id": mine})).await;

    // Nor may it let itself in: its own assignment does not count for itself.
    editor.post("/v1/assignments", assign(&foreign, &mine, "support")).expect(403).await;
    editor.post("/v1/assignments", assign(&own, &other, "support")).expect(403).await;
    let support = format!("/v1/assignments/{}", support.as_str().unwrap());
    editor.patch(&support, json!({"initiative_id": foreign})).if_match(1).expect(403).await;
    let step = json!({"initiative_id": own, "code": "a", "title": "A step"});
    let step = id_of(&editor, "steps", step).await;
    let path = format!("/v1/steps/{}", step.as_str().unwrap());
    editor.patch(&path, json!({"initiative_id": foreign})).if_match(1).expect(403).await;
    assert_eq!(editor.get(&path).expect(200).await.json()["version"], 1);
    editor
        .put("/v1/steps/external:new", json!({"initiative_id": foreign, "code": "b", "title": "B"}))
        .expect(403)
        .await;
    editor.put("/v1/steps/external:new", json!({"initiative_id": own, "code": "b", "title": "B"})).expect(201).await;
    let waits =
        |first: &Value, second: &Value| json!({"predecessor_initiative_id": first, "successor_initiative_id": second});
    editor.post("/v1/dependencies", waits(&own, &foreign)).expect(403).await;
    editor.create("dependencies", waits(&foreign, &own)).await;
    assert_eq!(editor.delete(&path).if_match(2).expect(412).await.json()["current"]["version"], 1);

    // What stands in the way of a deletion is told as ever.
    let work = json!({"step_id": step, "entity_id": mine, "role": "informed"});
    let work = id_of(&editor, "assignments", work).await;
    assert_eq!(editor.delete(&path).if_match(1).expect(409).await.faults(), ["# referred_to"]);
    editor.delete(format!("/v1/assignments/{}", work.as_str().unwrap())).if_match(1).expect(204).await;
    editor.delete(&path).if_match(1).expect(204).await;

    // Support is enough for an editor, and not for the money.
    let money = json!({"initiative_id": own, "fiscal_year": 2025, "phase": "estimate", "money": {"amount": "1", "currency": "RON"}});
    finance.post("/v1/budget-allocations", money.clone()).expect(403).await;
    editor.create("budget-allocations", money.clone()).await;
    client.patch(&support, json!({"role": "lead"})).if_match(1).expect(200).await;
    finance.create("budget-allocations", money).await;

    // Work that is over gives no right any more, nor does being consulted.
    client.patch(&support, json!({"valid_to": "2020-01-01"})).if_match(2).expect(200).await;
    let path = format!("/v1/initiatives/{}", own.as_str().unwrap());
    editor.patch(&path, json!({"status": "in_progress"})).if_match(1).expect(403).await;
    client.create("assignments", assign(&own, &mine, "consulted")).await;
    editor.patch(&path, json!({"status": "in_progress"})).if_match(1).expect(403).await;
    client.create("assignments", assign(&own, &mine, "co_lead")).await;
    editor.patch(&path, json!({"status": "in_progress"})).if_match(1).header("idempotency-key", "1").expect(200).await;
    let me = editor.get("/v1/me").expect(200).await.json();
    assert_eq!((&me["role"], &me["entity_id"]), (&json!(Role::Editor), &mine));
    assert!(me["may"].as_array().unwrap().contains(&json!({"operation": "patch_initiative", "on": "own"})), "{me}");
}
