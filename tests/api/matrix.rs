//! Every operation of the document, as every role, on own things, on those of others, and on deleted ones: what comes of it is what the policy
//! says, and what is refused changes nothing.

mod bodies;
mod fields;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use mandate::{
    access::{
        Role,
        policy::{OPEN, Relation, table},
    },
    limits::Limits,
    router,
};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use crate::support::{Call, Client, database, service_over};

/// An operation of the document: id, method, path, and whether it asks for no key.
fn operations() -> Vec<(String, &'static str, String, bool)> {
    let document = router::document();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method =
                ["GET", "POST", "PUT", "PATCH", "DELETE"].into_iter().find(|known| known.eq_ignore_ascii_case(method));
            let id = operation["operationId"].as_str().unwrap().to_owned();
            all.push((id, method.unwrap(), path.clone(), operation["security"] == json!([])));
        }
    }
    all
}

#[test]
fn the_policy_has_a_row_for_every_operation_and_no_other() {
    let (mut asked, mut open) = (BTreeSet::new(), BTreeSet::new());
    for (id, _, _, is_open) in operations() {
        if is_open {
            open.insert(id)
        } else {
            asked.insert(id)
        };
    }
    assert_eq!(table().iter().map(|rule| rule.operation.clone()).collect::<BTreeSet<_>>(), asked);
    assert_eq!(OPEN.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<_>>(), open);
}

/// The table of `docs/access.md`.
fn rows() -> String {
    let roles: Vec<&str> = Role::ALL.iter().map(|role| role.word()).collect();
    let mut text = format!("| operation | {} |\n|---|{}\n", roles.join(" | "), "---|".repeat(roles.len()));
    for rule in table() {
        let words: Vec<&str> = Role::ALL
            .iter()
            .map(|role| match relation(&rule.operation, *role) {
                Some(Relation::Any) => "any",
                Some(Relation::Own) => "own",
                None => "-",
            })
            .collect();
        writeln!(text, "| `{}` | {} |", rule.operation, words.join(" | ")).unwrap();
    }
    text
}

#[test]
fn the_page_on_access_shows_the_policy() {
    let page = include_str!("../../docs/access.md");
    let shown = page.split("<!-- policy -->\n").nth(1).unwrap().split("<!-- /policy -->").next().unwrap();
    assert!(shown == rows(), "put this between the marks of docs/access.md:\n{}", rows());
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Own,
    Other,
    Deleted,
}

/// What the things of the matrix stand on. Each side has an initiative and a step, on which an entity of that side works.
struct World {
    client: Client,
    strategy: Value,
    entity: BTreeMap<Side, Value>,
    initiative: BTreeMap<Side, Value>,
    step: BTreeMap<Side, Value>,
    indicator: BTreeMap<Side, Value>,
    things: BTreeMap<(String, Side), String>,
    count: u32,
}

impl World {
    async fn lay(client: Client) -> Self {
        let strategy = json!({"code": "S", "title": "A strategy", "country": "XX", "kind": "strategy"});
        let strategy = client.create("strategies", strategy).await["id"].clone();
        let (entity, initiative, step, indicator) = Default::default();
        let mut world =
            Self { client, strategy, entity, initiative, step, indicator, things: BTreeMap::new(), count: 0 };
        for side in [Side::Own, Side::Other, Side::Deleted] {
            let agency = world.client.create("entities", json!({"name": "Agency", "kind": "agency"})).await;
            world.entity.insert(side, agency["id"].clone());
            let initiative = world.make("initiative", side).await;
            world.initiative.insert(side, initiative.clone());
            let step = json!({"initiative_id": initiative, "code": "a", "title": "A step"});
            world.step.insert(side, world.client.create("steps", step).await["id"].clone());
            let indicator = world.make("indicator", side).await;
            world.indicator.insert(side, indicator);
        }
        world
    }

    fn plural(kind: &str) -> String {
        let noun = router::nouns().iter().find(|noun| noun.kind == kind).unwrap();
        noun.table.replace('_', "-")
    }

    /// Makes a thing. An initiative gets who works on it.
    async fn make(&mut self, kind: &str, side: Side) -> Value {
        let body = self.body(kind, side).await;
        let id = self.client.create(&Self::plural(kind), body).await["id"].clone();
        if kind == "initiative" {
            let lead = json!({"initiative_id": id, "entity_id": self.entity[&side], "role": "lead"});
            let lead = self.client.create("assignments", lead).await["id"].clone();
            if side == Side::Deleted && self.initiative.contains_key(&side) {
                self.delete("assignment", lead.as_str().unwrap()).await;
            }
        }
        id
    }

    /// Whether nobody can delete it: it is only added to.
    fn stays(kind: &str) -> bool {
        !table().iter().any(|rule| rule.operation == format!("delete_{kind}"))
    }

    async fn delete(&self, kind: &str, id: &str) {
        let path = format!("/v1/{}/{id}", Self::plural(kind));
        self.client.delete(path).header("if-match", "*").expect(204).await;
    }

    /// The id of a thing of this kind and side.
    async fn thing(&mut self, kind: &str, side: Side) -> String {
        if let Some(id) = self.things.get(&(kind.to_owned(), side)) {
            return id.clone();
        }
        let id = self.make(kind, side).await.as_str().unwrap().to_owned();
        if side == Side::Deleted && !Self::stays(kind) {
            self.delete(kind, &id).await;
        }
        self.things.insert((kind.to_owned(), side), id.clone());
        id
    }

    async fn key(&self, role: Role) -> Value {
        let mut body = json!({"name": role.word(), "role": role});
        if role.is_of_an_entity() {
            body["entity_id"] = self.entity[&Side::Own].clone();
        }
        self.client.create("api-keys", body).await
    }
}

fn cycle(strategy: &Value, code: &str) -> Value {
    let period = json!({"code": "1", "from": "2025-03-01", "to": "2025-03-31", "due_on": "2025-04-10"});
    json!({"strategy_id": strategy, "code": code, "title": "A cycle", "cadence": "monthly", "periods": [period]})
}

/// What the policy says of a role and an operation.
fn relation(operation: &str, role: Role) -> Option<Relation> {
    let rule = table().iter().find(|rule| rule.operation == operation).unwrap();
    rule.grants.iter().find(|(granted, _)| *granted == role).map(|(_, relation)| *relation)
}

/// The verb and the kind of an operation of a noun.
fn of_noun(operation: &str) -> Option<(&'static str, &'static str)> {
    router::nouns().iter().find_map(|noun| {
        ["create", "find", "replace", "patch", "delete", "history_of", "list"].into_iter().find_map(|verb| {
            let name = if verb == "list" { noun.table } else { noun.kind };
            (operation == format!("{verb}_{name}")).then_some((verb, noun.kind))
        })
    })
}

/// The status that the policy makes of a call.
fn expected((verb, kind): (&str, &str), relation: Option<Relation>, side: Side) -> u16 {
    match (relation, side, verb) {
        (None, ..) => 403,
        (_, Side::Deleted, "find") if World::stays(kind) => 200,
        (_, Side::Deleted, "find" | "replace" | "patch" | "delete") => 410,
        (Some(Relation::Own), Side::Other | Side::Deleted, "create" | "replace" | "patch" | "delete") => 403,
        // Its assignment keeps it.
        (_, _, "delete") if kind == "initiative" => 409,
        (_, _, "delete") => 204,
        (_, _, "create") => 201,
        _ => 200,
    }
}

/// What a refused call must leave as it is.
async fn state(connection: &mut PgConnection) -> (i64, Option<String>) {
    let sql = "select (select count(*) from changes), md5(string_agg(k::text, ',' order by id)) from (select id, name, scopes, revoked_at from api_keys) k";
    sqlx::query_as(sql).fetch_one(connection).await.unwrap()
}

struct Trial {
    connection: PgConnection,
    wrong: Vec<String>,
    tried: usize,
}

impl Trial {
    async fn run(&mut self, name: String, call: Call, expected: u16) {
        let before = state(&mut self.connection).await;
        // Only its head: the answer of the stream has no end.
        let status = call.open().await.status().as_u16();
        self.tried += 1;
        if status != expected {
            self.wrong.push(format!("{name}: {status}, not {expected}"));
        }
        if status >= 400 && state(&mut self.connection).await != before {
            self.wrong.push(format!("{name}: refused with {status}, and yet something changed"));
        }
    }
}

#[tokio::test]
async fn every_operation_as_every_role_does_what_the_policy_says() {
    let options = database().await;
    let mut trial =
        Trial { connection: PgConnection::connect_with(&options).await.unwrap(), wrong: Vec::new(), tried: 0 };
    let mut world = World::lay(service_over(options, Limits::default()).await).await;
    let mut clients: Vec<(Option<Role>, Client)> = vec![(None, world.client.as_nobody())];
    for role in Role::ALL {
        let key = world.key(role).await["key"].as_str().unwrap().to_owned();
        clients.push((Some(role), world.client.with_key(key)));
    }
    while world.client.get("/v1/log/checkpoint").send().await.status != 200 {}
    for (operation, method, path, is_open) in operations() {
        for (role, client) in &clients {
            if is_open {
                trial.run(format!("{operation} as {role:?}"), client.call(method, &path), 200).await;
                continue;
            }
            let granted = role.and_then(|role| relation(&operation, role));
            for side in [Side::Own, Side::Other, Side::Deleted] {
                let name = format!("{operation} as {role:?} on {side:?}");
                let Some((verb, kind)) = of_noun(&operation) else {
                    other(&mut trial, &world, (&operation, method, &path), (*role, granted, client), side).await;
                    continue;
                };
                let id = world.thing(kind, side).await;
                let call = client.call(method, path.replace("{id}", &id)).header("if-match", "*");
                let call = match verb {
                    // Its period is the coordinator's.
                    "replace" if kind == "assignment" && side == Side::Own => {
                        let mut body = world.client.get(format!("/v1/assignments/{id}")).expect(200).await.json();
                        for own in ["id", "version", "created_at", "updated_at"] {
                            body.as_object_mut().unwrap().shift_remove(own);
                        }
                        call.json(body)
                    }
                    "create" | "replace" => call.json(world.body(kind, side).await),
                    "patch" => call.json(json!({"external_id": format!("x-{}", trial.tried)})),
                    _ => call,
                };
                let wanted = if role.is_none() { 401 } else { expected((verb, kind), granted, side) };
                trial.run(name, call, wanted).await;
                if wanted == 204 {
                    world.things.remove(&(kind.to_owned(), side));
                }
            }
        }
    }
    assert!(trial.wrong.is_empty(), "{:#?}", trial.wrong);
    assert!(trial.tried > 2000, "only {} calls were tried", trial.tried);
}

/// A call on a webhook of its own, and the status of its success.
async fn of_webhook(
    world: &World,
    client: &Client,
    (operation, method, path): (&str, &'static str, &str),
) -> (Call, u16) {
    let webhook = world.client.create("webhooks", json!({"url": "https://receiver.invalid/x"})).await;
    let path = path.replace("{id}", webhook["id"].as_str().unwrap());
    let call = client.call(method, path.replace("{secret_id}", &Uuid::nil().to_string())).header("if-match", "*");
    match operation {
        "patch_webhook" => (call.json(json!({"description": "other"})), 200),
        "delete_webhook" => (call, 204),
        "end_webhook_secret" => (call, 404),
        "create_webhook_secret" => (call, 201),
        "redeliver" => (call.json(json!({"status": "dead"})), 202),
        "replay_webhook" => (call.json(json!({"after": "0"})), 202),
        _ => (call, 200),
    }
}

/// The operations that belong to no noun.
async fn other(
    trial: &mut Trial,
    world: &World,
    (operation, method, path): (&str, &'static str, &str),
    (role, granted, client): (Option<Role>, Option<Relation>, &Client),
    side: Side,
) {
    let call = |path: &str| client.call(method, path);
    let (call, success) = match operation {
        "import_plan" => {
            let plan = world.client.get("/v1/exports/plan").expect(200).await.json();
            (call(path).json(plan), 200)
        }
        "create_progress_report_batch" => {
            let cycle = cycle(&world.strategy, &Uuid::now_v7().to_string());
            let cycle = world.client.create("reporting-cycles", cycle).await["id"].clone();
            let report = json!({"step_id": world.step[&Side::Own], "cycle_id": cycle, "period": "1", "status": "in_progress",
                "confidence": "green", "narrative": "Work was done"});
            let id = world.client.create("progress-reports", report).await["id"].clone();
            (call(path).json(json!({"items": [{"id": id, "state": "submitted"}]})), 200)
        }
        "find_calendar" => {
            let id = world.entity[&Side::Own].as_str().unwrap();
            (call(&path.replace("{entity}", id)), 200)
        }
        "create_calendar_token" => {
            (call(path).json(json!({"entity_id": world.entity[&Side::Own], "name": "calendar"})), 201)
        }
        "delete_calendar_token" => {
            let token = json!({"entity_id": world.entity[&Side::Own], "name": "calendar"});
            let token = world.client.create("calendar-tokens", token).await;
            (call(&path.replace("{id}", token["id"].as_str().unwrap())), 204)
        }
        "create_confirmation" => (call(path).json(json!({"proposal_id": Uuid::nil(), "decision": "reject"})), 422),
        "create_feed_token" => (call(path).json(json!({"path": "/v1/reports/plan", "name": "feed"})), 201),
        "find_feed" | "delete_feed_token" => {
            let token = world.client.create("feed-tokens", json!({"path": "/v1/reports/plan", "name": "feed"})).await;
            let success = if method == "GET" { 200 } else { 204 };
            (call(&path.replace("{id}", token["id"].as_str().unwrap())), success)
        }
        "upload_document" => {
            (call(path).header("content-type", "text/plain").body(format!("words {}", trial.tried)), 201)
        }
        // Of what there is not: all that matters here is who is told.
        "download_document" => (call(&path.replace("{sha256}", &"0".repeat(64))), 404),
        "erase_document" => (call(&path.replace("{sha256}", &"0".repeat(64))).header("mandate-reason", "a test"), 404),
        "import_iati" => {
            let path = format!("{path}?direction=received");
            (call(&path).header("content-type", "application/xml").body(crate::iati::SMALL), 200)
        }
        // There is nothing yet that could be published: all that matters here is who is told.
        "export_iati" => (call(path), 409),
        "import_exchange_rates" => {
            (call(path).header("content-type", "text/csv").body("Date,USD\n2024-10-18,1.0847\n"), 200)
        }
        "create_api_key" => (call(path).json(json!({"name": "new", "role": "viewer"})), 201),
        "find_api_key" | "patch_api_key" | "delete_api_key" => {
            let id = world.key(Role::Viewer).await["id"].as_str().unwrap().to_owned();
            if side == Side::Deleted {
                world.client.delete(format!("/v1/api-keys/{id}")).expect(204).await;
            }
            let call = call(&path.replace("{id}", &id));
            match (operation, side) {
                ("find_api_key", _) => (call, 200),
                ("patch_api_key", Side::Deleted) => (call.json(json!({"name": "renamed"})), 410),
                ("patch_api_key", _) => (call.json(json!({"name": "renamed"})), 200),
                (_, Side::Deleted) => (call, 410),
                _ => (call, 204),
            }
        }
        "diff" => (call(&format!("{path}?from=2020-01-01")), 200),
        "find_consistency" => (call(path), 200),
        // Of what there is not: all that matters here is who is told.
        "find_proof" | "find_proposal" => (call(&path.replace("{id}", &Uuid::nil().to_string())), 404),
        "find_tile" => (call("/v1/log/tile/5/000"), 404),
        "find_entries" => (call("/v1/log/tile/entries/x999/000"), 404),
        "create_measurement_batch" => {
            // Whoever may write own measurements only is told so about each row.
            let may = granted.is_some_and(|relation| relation == Relation::Any || side == Side::Own);
            let id = &world.indicator[&side];
            let item = json!({"indicator_id": id, "period_from": "1999-01-01", "period_to": "1999-12-31", "value": trial.tried.to_string(), "status": "provisional"});
            (call(path).json(json!({"items": [item]})), if may { 200 } else { 422 })
        }
        "list_candidates" => {
            let assessment = world.assessment(&Uuid::now_v7().to_string()).await;
            let id = world.client.create("assessments", assessment).await["id"].clone();
            (call(&path.replace("{id}", id.as_str().unwrap())), 200)
        }
        "create_webhook" => (call(path).json(json!({"url": "https://receiver.example/x"})), 201),
        _ if path.starts_with("/v1/webhooks/{id}") => of_webhook(world, client, (operation, method, path)).await,
        _ if method == "GET" && !path.contains('{') => (call(path), 200),
        _ => panic!("{operation} is not tried here"),
    };
    let wanted = match (role, granted) {
        (None, _) => 401,
        (_, None) => 403,
        _ => success,
    };
    trial.run(format!("{operation} as {role:?} on {side:?}"), call, wanted).await;
}
