//! What can be read: every `GET` of the document, with every way to ask it.

use std::time::Duration;

use http_body_util::BodyExt as _;
use mandate::router;
use serde_json::Value;
use tokio::time::timeout;

use super::World;
use crate::support::Client;

/// Somebody who reads.
pub(super) struct Reader {
    pub(super) name: &'static str,
    pub(super) client: Client,
}

/// What is asked.
#[derive(Debug)]
pub(super) struct Path {
    pub(super) text: String,
    pub(super) accept: &'static str,
    /// Whether it names something that is above the reader.
    pub(super) is_hidden: bool,
    named: Vec<String>,
}

impl Path {
    fn of(text: String) -> Self {
        Self { text, accept: "application/json", is_hidden: false, named: Vec::new() }
    }

    /// One that names what is above the reader; a refusal repeats the name.
    fn to(text: String, name: &str) -> Self {
        Self { is_hidden: true, ..Self::naming(text, name) }
    }

    fn naming(text: String, name: &str) -> Self {
        Self { named: vec![name.to_owned()], ..Self::of(text) }
    }

    pub(super) fn without_what_was_asked(&self, answer: &str) -> String {
        self.named.iter().fold(answer.to_owned(), |answer, name| answer.replace(name.as_str(), ""))
    }
}

/// What the service says of itself, and what is not for those who do not see all.
const OTHERS: &[&str] = &[
    "find_webhook",
    "find_api_key",
    "find_calendar_token",
    "find_delivery",
    "find_document",
    "find_liveness",
    "find_readiness",
    "find_metrics",
    "find_plan_schema",
    "find_me",
    "list_calendar_tokens",
    "list_feed_tokens",
    // There is something behind these only with a token or a second principal: `feed_tokens` and `four_eyes` ask what is hidden in them.
    "find_feed",
    "list_proposals",
    "find_proposal",
    "list_webhooks",
    "list_webhook_secrets",
    "list_deliveries",
    "list_api_keys",
    "find_checkpoint",
    "find_log_key",
    "find_tile",
    "find_entries",
    "find_consistency",
    "find_proof",
    "export_plan",
];

/// Everything that can be read, in every way. An operation of the document that is not known here fails.
pub(super) fn paths(document: &Value, world: &World) -> Vec<Path> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let operation = &item["get"];
        let Some(id) = operation["operationId"].as_str() else { continue };
        let noun = router::nouns().iter().find(|noun| {
            path.strip_prefix("/v1/")
                .is_some_and(|rest| rest.split('/').next() == Some(noun.table.replace('_', "-").as_str()))
        });
        let is_of_noun = noun.is_some()
            && (path.matches('/').count() == 2 || path.ends_with("/{id}") || path.ends_with("/{id}/history"));
        match id {
            _ if is_of_noun && path.contains("{id}") => single(path, operation, world, &mut all),
            _ if is_of_noun => list(path, operation, world, &mut all),
            _ if id.starts_with("report_") || id == "list_obligations" || id == "export_iati" => {
                asked(path, operation, world, &mut all);
            }
            "find_calendar" => {
                for ground in &world.open {
                    all.push(Path::of(path.replace("{entity}", ground.id("entity"))));
                }
                let hidden = world.closed.id("entity");
                all.push(Path::to(path.replace("{entity}", hidden), hidden));
            }
            "list_candidates" => {
                for ground in &world.open {
                    asked(&path.replace("{id}", ground.id("assessment")), operation, world, &mut all);
                }
                let hidden = world.closed.id("assessment");
                all.push(Path::to(path.replace("{id}", hidden), hidden));
            }
            "download_document" => all.push(Path::to(path.replace("{sha256}", &world.document), &world.document)),
            "list_changes" => feed(path, world, &mut all),
            "diff" => differences(path, world, &mut all),
            "stream_changes" => {}
            _ if OTHERS.contains(&id) => {
                all.push(Path::of(path.replace("{id}", &world.last).replace("{level}", "0").replace("{index}", "0")));
            }
            _ => panic!("{id} ({path}) is read by no test of sight; say here how"),
        }
    }
    all
}

fn enumerated(operation: &Value) -> Vec<String> {
    let mut all = Vec::new();
    for parameter in
        operation["parameters"].as_array().into_iter().flatten().filter(|parameter| parameter["in"] == "query")
    {
        let name = parameter["name"].as_str().unwrap();
        let schema = &parameter["schema"];
        let is_boolean = schema["type"] == "boolean"
            || schema["type"].as_array().is_some_and(|types| types.contains(&"boolean".into()));
        let words = [&schema["enum"], &schema["items"]["enum"], &schema["oneOf"][1]["enum"]]
            .into_iter()
            .filter_map(Value::as_array)
            .flatten();
        all.extend(words.filter_map(Value::as_str).map(|word| format!("{name}={word}")));
        all.extend(is_boolean.then(|| format!("{name}=true")));
    }
    all
}

/// A report or the like: as it is, with each word that it may be asked with, in other formats, and in the past.
fn asked(path: &str, operation: &Value, world: &World, all: &mut Vec<Path>) {
    all.push(Path::of(path.to_owned()));
    all.push(Path { accept: "text/csv", ..Path::of(path.to_owned()) });
    let words = enumerated(operation);
    all.extend(words.iter().map(|word| Path::of(format!("{path}?{word}"))));
    if has(operation, "as_of") {
        all.extend(world.moments.iter().map(|moment| Path::of(format!("{path}?as_of={moment}"))));
        all.extend(words.iter().map(|word| Path::of(format!("{path}?{word}&as_of={}", world.moments[0]))));
    }
    for (name, hidden) in [("strategy_id", "strategy"), ("objective_id", "objective"), ("entity_id", "entity")] {
        if has(operation, name) {
            let id = world.closed.id(hidden);
            all.push(Path::naming(format!("{path}?{name}={id}"), id));
            all.extend(world.open.iter().map(|ground| Path::of(format!("{path}?{name}={}", ground.id(hidden)))));
        }
    }
}

fn has(operation: &Value, name: &str) -> bool {
    operation["parameters"].as_array().is_some_and(|all| all.iter().any(|parameter| parameter["name"] == name))
}

fn list(path: &str, operation: &Value, world: &World, all: &mut Vec<Path>) {
    let noun = router::nouns().iter().find(|noun| path[4..] == noun.table.replace('_', "-")).unwrap();
    let expand: Vec<&str> = noun.references.iter().map(|reference| reference.field.trim_end_matches("_id")).collect();
    let mut ways = vec![
        "limit=200&count=true".to_owned(),
        "limit=200&q=zq1+or+zq2+or+zq3+or+zq4".into(),
        "sort=-created_at".into(),
    ];
    ways.extend((!expand.is_empty()).then(|| format!("limit=200&expand={}", expand.join(","))));
    ways.extend(enumerated(operation));
    all.extend(world.moments.iter().map(|moment| Path::of(format!("{path}?limit=200&count=true&as_of={moment}"))));
    all.extend(ways.iter().take(2).map(|way| Path::of(format!("{path}?{way}&as_of={}", world.moments[0]))));
    all.extend(ways.iter().map(|way| Path::of(format!("{path}?{way}"))));
    for accept in ["text/csv", "application/x-ndjson", "text/plain"] {
        all.push(Path { accept, ..Path::of(path.to_owned()) });
    }
    for reference in noun.references {
        for (_, id) in world.hidden.iter().filter(|(noun, _)| *noun == reference.table.replace('_', "-")) {
            all.push(Path::naming(format!("{path}?{}={id}", reference.field), id));
        }
    }
}

fn single(path: &str, operation: &Value, world: &World, all: &mut Vec<Path>) {
    let noun = path[4..].split('/').next().unwrap();
    let fields = router::nouns().iter().find(|each| each.table.replace('_', "-") == noun).unwrap().references;
    let expand: Vec<&str> = fields.iter().map(|reference| reference.field.trim_end_matches("_id")).collect();
    for (_, id) in world.hidden.iter().filter(|(hidden, _)| *hidden == noun) {
        let path = path.replace("{id}", id);
        all.push(Path::to(path.clone(), id));
        all.extend(world.moments.iter().map(|moment| Path::to(format!("{path}?as_of={moment}"), id)));
    }
    let open = world.open.iter().flat_map(super::Ground::all).filter(|(open, _)| *open == noun);
    for (_, id) in open {
        let path = path.replace("{id}", &id);
        all.push(Path::of(path.clone()));
        if has(operation, "expand") && !expand.is_empty() {
            all.push(Path::of(format!("{path}?expand={}", expand.join(","))));
            all.extend(
                world
                    .moments
                    .iter()
                    .map(|moment| Path::of(format!("{path}?expand={}&as_of={moment}", expand.join(",")))),
            );
        }
    }
}

fn feed(path: &str, world: &World, all: &mut Vec<Path>) {
    for after in (0..1000).step_by(50) {
        all.push(Path::of(format!("{path}?limit=200&after={after}")));
    }
    all.push(Path { accept: "text/csv", ..Path::of(format!("{path}?limit=200")) });
    for (_, id) in &world.hidden {
        all.push(Path::naming(format!("{path}?resource_id={id}"), id));
    }
}

fn differences(path: &str, world: &World, all: &mut Vec<Path>) {
    let mut moments = vec!["2020-01-01"];
    moments.extend(world.moments.iter().map(String::as_str));
    for (place, from) in moments.iter().enumerate() {
        all.push(Path::of(format!("{path}?from={from}")));
        all.push(Path { accept: "text/plain", ..Path::of(format!("{path}?from={from}")) });
        all.extend(moments[place + 1..].iter().map(|to| Path::of(format!("{path}?from={from}&to={to}"))));
    }
    all.extend(
        world
            .open
            .iter()
            .map(|ground| Path::of(format!("{path}?from=2020-01-01&strategy_id={}", ground.id("strategy")))),
    );
    let hidden = world.closed.id("strategy");
    all.push(Path::naming(format!("{path}?from=2020-01-01&strategy_id={hidden}"), hidden));
}

/// The feed as it comes, until what was written last.
pub(super) async fn stream(reader: &Reader, world: &World) -> Vec<String> {
    let mut parts = Vec::new();
    for after in ["0", "1"] {
        let mut body = reader.client.get(format!("/v1/changes/stream?after={after}")).open().await.into_body();
        let mut whole = String::new();
        while !whole.contains(&world.last) {
            let frame = timeout(Duration::from_mins(1), body.frame()).await.expect("nothing comes").unwrap();
            whole.push_str(std::str::from_utf8(&frame.unwrap().into_data().unwrap()).unwrap());
        }
        parts.push(whole);
    }
    parts
}
