//! Each status, with each noun: new, changed, put, imported, deleted, and not changed at all.

use super::*;

/// What is refused without a reason: the status of the answer, and the fault.
fn refusal(status: &str, weighs: bool) -> Option<(u16, &'static str)> {
    match status {
        "draft" => None,
        "in_force" | "amended" => weighs.then_some((422, "Mandate-Reason needs_reason")),
        "closed" => Some((422, "Mandate-Reason needs_reason")),
        "archived" => Some((409, "# archived")),
        other => panic!("no such status: {other}"),
    }
}

/// Sends a change without a reason, holds the answer against what is expected, and where it was refused for want of a reason, gives one.
async fn owes(
    client: &Client,
    (method, path, body): (&'static str, &str, Option<&Value>),
    (status, weighs): (&str, bool),
) -> Option<Reply> {
    let asked = format!("{status}: {method} {path}");
    let reply = send(client, method, path, body, None).await;
    let Some((code, fault)) = refusal(status, weighs) else {
        assert!(reply.status.is_success(), "{asked}: {}", reply.text);
        return Some(reply);
    };
    assert_eq!(reply.status.as_u16(), code, "{asked}: {}", reply.text);
    assert_eq!(reply.faults(), [fault], "{asked}: {}", reply.text);
    assert!(reply.text.contains("The strategy S is "), "{asked}: {}", reply.text);
    let reply = send(client, method, path, body, Some("as decided")).await;
    if status == "archived" {
        assert_eq!(reply.status.as_u16(), 409, "{asked}: {}", reply.text);
        assert_eq!(reply.json()["code"], "archived", "{asked}: {}", reply.text);
        assert!(reply.text.contains("To reopen it, change its status to closed"), "{asked}: {}", reply.text);
        return None;
    }
    assert!(reply.status.is_success(), "{asked}: {}", reply.text);
    Some(reply)
}

/// Every noun of a plan whose strategy is in this status.
async fn drive(status: &str) {
    let client = service().await;
    let ground = ground(&client).await;
    let mut there = Vec::new();
    for (row, ..) in rows() {
        let mut named = body(&row, &ground);
        named["external_id"] = json!("one");
        let created = client.create(row.noun, named).await;
        there.push(format!("/v1/{}/{}", row.noun, created["id"].as_str().unwrap()));
    }
    lead(&client, &ground.strategy, status).await;
    for ((row, new, change, gone), path) in rows().into_iter().zip(there) {
        let collection = format!("/v1/{}", row.noun);
        let body = body(&row, &ground);
        let Some(weighs) = change else {
            owes(&client, ("POST", &collection, Some(&body)), (status, new)).await;
            continue;
        };
        let mut changed = merged(body.clone(), &row.change);
        changed["external_id"] = json!("one");
        let table = row.noun.replace('-', "_");
        let file = json!({"format": "mandate-plan/1", table.as_str(): [changed.clone()]});
        if refusal(status, weighs).is_some() {
            let refused = client.post("/v1/imports", file).expect(422).await;
            let code = if status == "archived" { "archived" } else { "needs_reason" };
            assert_eq!(refused.faults(), [format!("#/{table}/0 {code}")], "{}", refused.text);
        }
        owes(&client, ("PUT", &path, Some(&changed)), (status, weighs)).await;
        if status != "archived" {
            assert_eq!(client.get(&path).expect(200).await.json()["version"], 2, "{path}");
        }
        // The same again, and nothing at all, is no change in any status.
        let now = client.get(&path).expect(200).await;
        let same = if status == "archived" { json!({}) } else { row.change.clone() };
        for nothing in [json!({}), same] {
            let idle = send(&client, "PATCH", &path, Some(&nothing), None).await;
            assert_eq!((idle.status.as_u16(), &idle.text), (200, &now.text), "{status}: {path}");
            assert_eq!(idle.header("etag"), now.header("etag"));
            assert!(!idle.headers.contains_key("mandate-receipt"), "{path}");
        }
        if status == "archived" {
            owes(&client, ("PATCH", &path, Some(&row.change)), (status, weighs)).await;
            owes(&client, ("DELETE", &path, None), (status, gone)).await;
            owes(&client, ("POST", &collection, Some(&body)), (status, new)).await;
            continue;
        }
        owes(&client, ("DELETE", &path, None), (status, gone)).await;
        owes(&client, ("POST", &collection, Some(&body)), (status, new)).await;
    }
}

#[tokio::test]
async fn a_draft_changes_freely() {
    drive("draft").await;
}

#[tokio::test]
async fn a_plan_in_force_owes_reasons_for_what_weighs() {
    drive("in_force").await;
}

#[tokio::test]
async fn an_amended_plan_is_in_force() {
    drive("amended").await;
}

#[tokio::test]
async fn a_closed_plan_owes_reasons_for_everything() {
    drive("closed").await;
}

#[tokio::test]
async fn an_archived_plan_stays_as_it_is() {
    drive("archived").await;
}
