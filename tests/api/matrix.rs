//! Every operation of the document, as every role, on own things, on those of others, and on deleted ones: what comes of it is what the policy
//! says, and what is refused changes nothing.

mod bodies;
mod fields;
mod others;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use mandate::{
    access::{
        Role,
        policy::{OPEN, Relation, table},
    },
    base::limits::Limits,
    router,
};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};

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

/// The table of `docs/reference/access.md`.
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
    let page = include_str!("../../docs/reference/access.md");
    let shown = page.split("<!-- policy -->\n").nth(1).unwrap().split("<!-- /policy -->").next().unwrap();
    assert!(shown == rows(), "put this between the marks of docs/reference/access.md:\n{}", rows());
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
                    others::other(&mut trial, &world, (&operation, method, &path), (*role, granted, client), side)
                        .await;
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
