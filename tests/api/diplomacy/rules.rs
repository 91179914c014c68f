//! What diplomacy refuses, and what few see.

use serde_json::{Value, json};

use super::{import, register, spoke, told, with};
use crate::support::service;

#[tokio::test]
async fn points_of_contact_are_seen_by_few() {
    let client = service().await;
    register(&client).await;
    let point = json!({"external_id": "poc", "forum_id": "code:UN-WG", "entity_id": "external:cert", "kind": "technical",
        "function": "Officer on duty", "channel": "+40 21 000 0000"});
    let made = client.create("contact-points", point.clone()).await;
    assert_eq!(made["classification"], "restricted");
    let key = client.create("api-keys", json!({"name": "d", "role": "diplomat"})).await;
    let diplomat = client.with_key(key["key"].as_str().unwrap().into());
    let path = format!("/v1/contact-points/{}", made["id"].as_str().unwrap());
    for reader in [client.as_viewer(), diplomat.clone()] {
        for accept in ["application/json", "text/csv", "application/x-ndjson", "text/plain"] {
            let list = reader.get("/v1/contact-points").header("accept", accept).expect(200).await.text;
            assert!(!list.contains("duty") && !list.contains("+40"), "{accept}: {list}");
        }
        assert_eq!(reader.get("/v1/contact-points?count=true").expect(200).await.json()["count"], 0);
        reader.get(&path).expect(404).await;
        reader.get("/v1/contact-points/external:poc").expect(404).await;
        reader.get(format!("{path}/history")).expect(404).await;
        let feed = reader.get("/v1/changes?kind=contact_point").expect(200).await.text;
        assert!(!feed.contains("+40"), "{feed}");
        reader.get("/v1/exports/plan").expect(403).await;
        reader.post("/v1/contact-points", with(point.clone(), json!({"external_id": "b"}))).expect(403).await;
    }
    let file = client.get("/v1/exports/plan").expect(200).await.json();
    assert_eq!(file["contact_points"][0]["classification"], "restricted", "{file}");
    // A file that does not say it leaves it so.
    let mut row = file.clone();
    row["contact_points"][0].as_object_mut().unwrap().remove("classification");
    assert_eq!(import(&client, &row.to_string()).await["changed"], 0);
    // The export of a plan has none: it is of no plan.
    let of_plan = client.get("/v1/exports/plan?strategy_id=external:s").expect(200).await.text;
    assert!(!of_plan.contains("contact_points"), "{of_plan}");
    let auditor = client.create("api-keys", json!({"name": "a", "role": "auditor"})).await;
    let auditor = client.with_key(auditor["key"].as_str().unwrap().into());
    assert_eq!(told(&auditor, "/v1/contact-points?is_current=true", &["channel"]).await, ["+40 21 000 0000"]);
    assert_eq!(told(&auditor, "/v1/contact-points?entity_id=external:mfa", &["channel"]).await, [""; 0]);
}

#[tokio::test]
async fn diplomacy_has_rules() {
    let client = service().await;
    register(&client).await;
    let engagement = client.create("engagements", spoke("1", json!({}))).await["id"].clone();
    let delegation = json!({"engagement_id": engagement, "entity_id": "external:mfa", "role": "head"});
    client.create("delegations", delegation.clone()).await;
    let forum = json!({"code": "NEW", "name": "New", "kind": "other"});
    let commitment = json!({"catalogue": "own", "code": "1", "kind": "norm"});
    client.create("commitments", commitment.clone()).await;
    let point = json!({"forum_id": "code:UN", "entity_id": "external:mfa", "kind": "policy", "function": "Desk"});
    let symbol = json!({"symbol": "A/1", "kind": "report"});
    for (noun, body, more, status, fault) in [
        ("forums", &forum, json!({"code": "UN"}), 409, "#/code taken"),
        ("forums", &forum, json!({"member_from": "2024-01-01"}), 422, "#/member_from needs_membership"),
        (
            "forums",
            &forum,
            json!({"membership": "none", "member_to": "2024-01-01"}),
            422,
            "#/member_to needs_membership",
        ),
        (
            "forums",
            &forum,
            json!({"starts_on": "2024-01-02", "ends_on": "2024-01-01"}),
            422,
            "#/ends_on ends_before_start",
        ),
        ("forums", &forum, json!({"documents": [symbol, symbol]}), 422, "#/documents/1/symbol duplicate"),
        (
            "forums",
            &forum,
            json!({"documents": [{"symbol": "A/1", "kind": "rapport"}]}),
            422,
            "#/documents/0/kind not_allowed",
        ),
        ("forums", &forum, json!({"parent_id": "code:NONE"}), 422, "#/parent_id not_found"),
        (
            "engagements",
            &spoke("2", json!({})),
            json!({"starts_on": "2024-01-02", "ends_on": "2024-01-01"}),
            422,
            "#/ends_on ends_before_start",
        ),
        (
            "engagements",
            &spoke("2", json!({})),
            json!({"statements": [{"url": "https://example.org", "language": "xx"}]}),
            422,
            "#/statements/0/language unknown_code",
        ),
        (
            "engagements",
            &spoke("2", json!({})),
            json!({"statements": [{"title": "A", "titel": "B"}]}),
            422,
            "#/statements/0/titel unknown_field",
        ),
        (
            "engagements",
            &spoke("2", json!({})),
            json!({"follow_up_initiative_id": "external:late", "no_follow_up_reason": "Why"}),
            422,
            "#/no_follow_up_reason contradiction",
        ),
        ("delegations", &delegation, json!({}), 409, "#/entity_id taken"),
        ("delegations", &delegation, json!({"entity_id": "external:cert"}), 409, "#/role taken"),
        ("commitments", &commitment, json!({}), 409, "#/code taken"),
        ("commitments", &commitment, json!({"code": "2", "state": "partial"}), 422, "#/measures_taken needs_measures"),
        ("contact-points", &point, json!({"forum_id": null}), 422, "#/forum_id exactly_one"),
        (
            "contact-points",
            &point,
            json!({"valid_from": "2024-01-02", "valid_to": "2024-01-01"}),
            422,
            "#/valid_to ends_before_start",
        ),
    ] {
        let refused = client.post(format!("/v1/{noun}"), with(body.clone(), more.clone())).expect(status).await;
        assert_eq!(refused.faults(), [fault], "{noun} {more}: {}", refused.text);
    }
    // A forum does not meet under itself, and stays while it is spoken of.
    let circle =
        client.patch("/v1/forums/external:un", json!({"parent_id": "external:wg"})).if_match(1).expect(409).await;
    assert_eq!(circle.faults(), ["#/parent_id cycle"]);
    let kept = client.delete("/v1/forums/external:wg").if_match(1).expect(409).await;
    assert_eq!(kept.faults(), ["# referred_to"]);
    // Nothing more is known than that there was one.
    let bare = client.create("engagements", json!({"forum_id": "code:PLAT", "source": "A secondary source"})).await;
    assert_eq!((&bare["starts_on"], &bare["capacity"], &bare["statements"]), (&Value::Null, &Value::Null, &json!([])));
    let shown = format!("/v1/engagements/{}?expand=forum", bare["id"].as_str().unwrap());
    assert_eq!(client.get(shown).expect(200).await.json()["forum"]["code"], "PLAT");
}
