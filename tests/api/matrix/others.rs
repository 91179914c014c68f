//! Calls of the operations that belong to no noun.

use mandate::access::{Role, policy::Relation};
use serde_json::json;
use uuid::Uuid;

use super::{Side, Trial, World, cycle};
use crate::support::{Call, Client};

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
pub(super) async fn other(
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
