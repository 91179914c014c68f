//! Every reading, as every role and as nobody, beside rows of every noun that are above the reader: there from the beginning, classified anew,
//! deleted since, or only part of something that is. Nothing of them is in any answer, now or in any past.

mod ground;
mod readings;

use std::collections::BTreeSet;

use mandate::{base::limits::Limits, router};
use regex::Regex;
use serde_json::{Value, json};

use self::{
    ground::{Ground, REASON, REQUEST, create},
    readings::{Reader, paths},
};
use crate::{
    as_of::now,
    support::{Client, database, service_over},
};

/// A register in which much is above most readers.
pub(crate) struct World {
    /// What every reader sees, and below which restricted rows stand.
    open: Vec<Ground>,
    /// What is restricted with all that is part of it.
    closed: Ground,
    /// Restricted rows: the noun and the id.
    hidden: Vec<(&'static str, String)>,
    /// Moments at which they were not.
    moments: Vec<String>,
    /// The hash of a captured copy that restricted evidence names.
    document: String,
    /// What is written last, and seen by everybody.
    last: String,
}

const FORCE: (&str, &str) = ("if-match", "*");

async fn restrict(client: &Client, path: &str) {
    let call = client.patch(path, json!({"classification": "restricted"})).header(FORCE.0, FORCE.1);
    call.header("mandate-reason", REASON).header("x-request-id", REQUEST).expect(200).await;
}

impl World {
    async fn lay(client: &Client, options: &sqlx::postgres::PgConnectOptions) -> Self {
        let upload = client.call("POST", "/v1/documents").header("content-type", "text/plain").body("zqdocument");
        let document = upload.expect(201).await.json()["sha256"].as_str().unwrap().to_owned();
        let mut open = Vec::new();
        for word in ["Open1", "Open2", "Open3"] {
            open.push(Ground::lay(client, word).await);
        }
        let closed = Ground::lay(client, "zq4").await;
        let mut hidden = closed.all();
        for (noun, mut body) in open[0].rows("zq1", 1) {
            body["classification"] = json!("restricted");
            if noun == "evidence" {
                body["document"] = json!(document);
            }
            hidden.push((noun, text(&create(client, noun, body).await)));
        }
        let mut written = Vec::new();
        for (number, ground) in [(2, &open[1]), (3, &open[2]), (4, &closed)] {
            let mut rows = Vec::new();
            for (noun, body) in ground.rows(&format!("zq{number}"), number) {
                // A movement stays as it is recorded: it is hidden from the beginning, or with its allocation.
                if number == 4 || noun != "budget-movements" {
                    rows.push((noun, text(&create(client, noun, body).await)));
                }
            }
            written.push(rows);
        }
        let mut moments = vec![now(options).await];
        for (noun, id) in written[0].iter().chain(&written[1]) {
            restrict(client, &format!("/v1/{noun}/{id}")).await;
        }
        for path in closed.tops() {
            restrict(client, &path).await;
        }
        for (noun, id) in &written[2] {
            // Of these nothing is above.
            if ["legal-acts", "entities", "funding-sources", "exchange-rates", "positions", "frameworks"].contains(noun)
            {
                restrict(client, &format!("/v1/{noun}/{id}")).await;
            }
        }
        moments.push(now(options).await);
        for (noun, id) in written[1].iter().rev() {
            let call = client.delete(format!("/v1/{noun}/{id}")).header(FORCE.0, FORCE.1);
            call.header("mandate-reason", REASON).header("x-request-id", REQUEST).expect(204).await;
        }
        let last = json!({"name": "Last", "kind": "agency", "classification": "public"});
        let last = text(&create(client, "entities", last).await);
        moments.push(now(options).await);
        hidden.extend(written.into_iter().flatten());
        Self { open, closed, hidden, moments, document, last }
    }

    /// What is in no answer.
    fn marks(&self) -> Regex {
        // Words, sums of money (also what is left of an appropriation), other figures, and ids.
        let mut marks: Vec<String> = [
            r"zq",
            r"BWP",
            r"\b7771\.25",
            r"313131\.25",
            r"186868\.75",
            r"\b7\.7712",
            r"\b7[78]\.75",
            r"\b777[23]\.5",
            r"\b27771\b",
            r#""lag_days":2777"#,
            r"2031-07-07",
        ]
        .map(str::to_owned)
        .to_vec();
        marks.extend(self.hidden.iter().map(|(_, id)| id.clone()));
        Regex::new(&marks.join("|")).unwrap()
    }
}

fn text(id: &Value) -> String {
    id.as_str().unwrap().to_owned()
}

/// A key of each role that does not see all, and nobody.
async fn readers(client: &Client, options: &sqlx::postgres::PgConnectOptions, world: &World) -> Vec<Reader> {
    let mut readers = Vec::new();
    for role in ["viewer", "editor", "finance", "diplomat", "assessor"] {
        let entity = ["editor", "finance"].contains(&role).then(|| world.open[0].id("entity"));
        let key = client.create("api-keys", json!({"name": role, "role": role, "entity_id": entity})).await;
        readers.push(Reader { name: role, client: client.with_key(text(&key["key"])) });
    }
    readers.push(Reader { name: "nobody", client: crate::public::open(options.clone(), client) });
    readers
}

#[tokio::test]
async fn nothing_that_is_above_a_reader_is_in_any_answer() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let world = World::lay(&client, &options).await;
    let marks = world.marks();
    // The ground is not empty, and who sees all sees the marks.
    for path in ["/v1/reports/budget", "/v1/steps?limit=200", "/v1/changes?limit=200", "/v1/diff?from=2020-01-01"] {
        assert!(marks.is_match(&client.get(path).expect(200).await.text), "{path}");
    }
    let mut leaks = BTreeSet::new();
    for reader in readers(&client, &options, &world).await {
        // The past is the same for all who see the same.
        let sees_the_same = !["viewer", "nobody"].contains(&reader.name);
        for path in paths(&router::document(), &world) {
            if sees_the_same && path.text.contains("as_of=") {
                continue;
            }
            let reply = reader.client.get(&path.text).header("accept", path.accept).send().await;
            let status = reply.status.as_u16();
            assert!(status != 500 && status != 503, "{}: {path:?} {}", reader.name, reply.text);
            assert!(
                !path.is_hidden || [400, 401, 403, 404].contains(&status),
                "{} {path:?}: {}",
                reader.name,
                reply.text
            );
            let shown = path.without_what_was_asked(&reply.text);
            if let Some(found) = marks.find(&shown) {
                leaks.insert(format!(
                    "{} {}: {} in {}",
                    reader.name,
                    path.text,
                    found.as_str(),
                    around(&shown, found.start())
                ));
            }
            let who = ["key:", REASON, REQUEST];
            // What the service publishes of itself is the same for everybody, and has examples of such names.
            let is_published = ["/openapi.json", "/schemas/plan.json"].contains(&path.text.as_str());
            if reader.name == "nobody"
                && !is_published
                && let Some(found) = who.iter().find(|word| shown.contains(**word))
            {
                leaks.insert(format!(
                    "nobody {}: {found} in {}",
                    path.text,
                    around(&shown, shown.find(*found).unwrap())
                ));
            }
        }
        for reply in readings::stream(&reader, &world).await {
            assert!(!marks.is_match(&reply), "{}: {reply}", reader.name);
            assert!(reader.name != "nobody" || !(reply.contains(REASON) || reply.contains("key:")), "{reply}");
        }
    }
    let told: Vec<&str> = leaks.iter().map(String::as_str).collect();
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), told.join("\n"));
}

/// The text around a place.
fn around(text: &str, place: usize) -> String {
    let all: Vec<char> = text.chars().collect();
    let place = text[..place].chars().count();
    all[place.saturating_sub(120)..(place + 60).min(all.len())].iter().collect()
}

#[tokio::test]
async fn a_refusal_says_nothing_of_what_is_above_the_writer() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let world = World::lay(&client, &options).await;
    let marks = world.marks();
    for Reader { name, client } in readers(&client, &options, &world).await {
        for (noun, id) in &world.hidden {
            let path = format!("/v1/{noun}/{id}");
            for method in ["PUT", "PATCH", "DELETE"] {
                let call = client.call(method, &path).header(FORCE.0, FORCE.1).header("mandate-reason", "a test");
                let call = if method == "DELETE" { call } else { call.json(json!({"external_id": "mine"})) };
                let reply = call.send().await;
                assert!(
                    [401, 403, 404, 405].contains(&reply.status.as_u16()),
                    "{name} {method} {path}: {}",
                    reply.text
                );
                assert!(
                    !marks.is_match(&reply.text.replace(id.as_str(), "")),
                    "{name} {method} {path}: {}",
                    reply.text
                );
            }
        }
        for (noun, mut body) in world.closed.rows("probe", 0) {
            body.as_object_mut().unwrap().remove("classification");
            let refers = world.hidden.iter().any(|(_, id)| body.to_string().contains(id.as_str()));
            let reply = client.post(format!("/v1/{noun}"), body).send().await;
            let status = reply.status.as_u16();
            assert!(!refers || [401, 403, 422].contains(&status), "{name} {noun}: {}", reply.text);
            assert!(status != 422 || !refers || reply.text.contains("not_found"), "{name} {noun}: {}", reply.text);
            assert!(!marks.is_match(&reply.text), "{name} {noun}: {}", reply.text);
        }
    }
}
