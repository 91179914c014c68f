//! Treaties: what can come after what.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Client, service};

/// A service with a treaty `T`, adopted and opened on 2001-11-23 and in force since 2004-07-01, and another one, `U`, of which nothing is known.
pub(crate) async fn ground() -> Client {
    let client = service().await;
    lay(&client).await;
    client
}

pub(crate) async fn lay(client: &Client) {
    let treaty = json!({"external_id": "t", "code": "T", "name": "A convention", "depositary": "Council of Examples",
        "adopted_on": "2001-11-08", "opened_on": "2001-11-23", "in_force_on": "2004-07-01"});
    client.create("treaties", treaty).await;
    let protocol = json!({"external_id": "u", "code": "U", "name": "A protocol", "parent_id": "code:T"});
    client.create("treaties", protocol).await;
}

/// `RO ratified 2004-05-12 2004-09-01`, named `RO ratified`; `XX objection 2005-01-01 of RO reservation` is about what has that name.
pub(crate) fn act(words: &str) -> Value {
    let (act, concerned) = words.split_once(" of ").map_or((words, None), |(act, concerned)| (act, Some(concerned)));
    let mut parts = act.split(' ');
    let mut next = || parts.next();
    let (country, action, day) = (next().unwrap(), next().unwrap(), next().unwrap());
    let mut body = json!({"external_id": format!("{country}-{action}-{day}"), "treaty_id": "code:T", "country": country,
        "action": action, "acted_on": day});
    if let Some(effective) = next() {
        body["effective_on"] = json!(effective);
    }
    if let Some(concerned) = concerned {
        body["concerns_action_id"] = json!(format!("external:{}", concerned.replace(' ', "-")));
    }
    body
}

pub(crate) async fn done(client: &Client, acts: &[&str]) {
    for words in acts {
        client.create("treaty-actions", act(words)).await;
    }
}

/// The rows of the report, each as `T in_force since 2004-09-01 member`.
pub(crate) async fn standing(client: &Client, query: &str) -> Vec<String> {
    let page = client.as_viewer().get(format!("/v1/reports/treaties?{query}")).expect(200).await.json();
    let row = |row: &Value| {
        let word = |name: &str| row[name].as_str().unwrap_or("-").to_owned();
        let member = if row["is_member"] == json!(true) { " member" } else { "" };
        let next = row["next_on"].as_str().map_or_else(String::new, |on| format!(", {} from {on}", word("next_state")));
        format!("{} {} since {}{member}{next}", word("code"), word("state"), word("since"))
    };
    page["items"].as_array().unwrap().iter().map(row).collect()
}

pub(crate) async fn on(client: &Client, day: &str) -> String {
    standing(client, &format!("country=XX&on={day}")).await[0].clone()
}

#[tokio::test]
async fn every_transition_that_cannot_be_is_refused() {
    let bound = "XX acceded 2005-01-01 2005-04-01";
    let cases: &[(&[&str], &str, &str)] = &[
        (&["XX signed 2004-01-01"], "XX ratified 2003-01-01", "# already_bound, #/action not_signed"),
        (&["XX signed 2002-01-01"], "XX signed 2003-01-01", "#/action already_signed"),
        (&["XX signed 2003-01-01"], "XX signed 2002-01-01", "# already_signed"),
        (&["XX signed 2002-01-01"], "XX definitively_signed 2003-01-01", "#/action already_signed"),
        (&[], "XX ratified 2003-01-01", "#/action not_signed"),
        (&["XX signed 2002-01-01", "XX ratified 2003-01-01"], "XX acceded 2004-01-01", "#/action already_bound"),
        (&[bound], "XX signed 2006-01-01", "#/action already_bound"),
        (&[bound], "XX invited_to_accede 2006-01-01", "#/action already_bound"),
        (&[bound], "XX accepted 2004-12-01", "# already_bound"),
        (&["XX signed 2002-01-01"], "XX denounced 2006-01-01", "#/action not_bound"),
        (&[], "XX withdrawn 2006-01-01", "#/action not_bound"),
        (&[bound], "XX denounced 2005-03-31", "#/acted_on not_in_force"),
        (&[bound, "XX denounced 2008-01-01 2009-01-01"], "XX denounced 2008-06-01", "#/action not_bound"),
        (&[bound, "XX denounced 2008-01-01 2009-01-01"], "XX ratified 2010-01-01", "#/action not_signed"),
        (&[], "XX reservation 2005-01-01", "#/action not_signed"),
        (&[bound], "XX reservation 2004-12-31", "#/action not_signed"),
        (&[bound], "XX provisionally_applied 2006-01-01", "#/action in_force"),
        (&[bound], "XX provisional_application_ended 2006-01-01", "#/action not_applied"),
        (&[], "XX signed 2001-11-22", "#/acted_on before_opening"),
        (&[], "XX declaration 2001-11-07", "#/acted_on before_adoption"),
        (&[], "XX acceded 2003-01-01 2004-06-30", "#/effective_on before_entry_into_force"),
        (&[], "XX acceded 2030-01-01", "#/acted_on in_future"),
        (
            &[bound, "XX reservation 2005-01-01"],
            "XX objection 2006-01-01 of XX reservation 2005-01-01",
            "#/concerns_action_id own_reservation",
        ),
        (
            &[bound, "XX reservation 2005-01-01"],
            "XZ objection 2004-12-31 of XX reservation 2005-01-01",
            "#/acted_on before_action",
        ),
        (
            &[bound, "XX declaration 2005-01-01"],
            "XZ objection 2006-01-01 of XX declaration 2005-01-01",
            "#/concerns_action_id wrong_action",
        ),
        (
            &[bound, "XX reservation 2005-01-01"],
            "XZ reservation_withdrawn 2006-01-01 of XX reservation 2005-01-01",
            "#/concerns_action_id other_country",
        ),
        (&[bound], "XX reservation_withdrawn 2006-01-01 of XX acceded 2005-01-01", "#/concerns_action_id wrong_action"),
        (
            &[bound, "XX denounced 2008-01-01 2009-01-01"],
            "XX denunciation_revoked 2009-01-01 of XX denounced 2008-01-01",
            "#/acted_on took_effect",
        ),
        // A consent taken back before it had any effect has ended at once.
        (
            &["XX acceded 2005-01-01", "XX withdrawn 2006-01-01"],
            "XX denunciation_revoked 2007-01-01 of XX withdrawn 2006-01-01",
            "#/acted_on took_effect",
        ),
        (
            &[bound, "XX denounced 2008-01-01 2009-01-01", "XX acceded 2010-01-01"],
            "XX denunciation_revoked 2008-06-01 of XX denounced 2008-01-01",
            "# already_bound",
        ),
    ];
    let client = ground().await;
    for (before, refused, fault) in cases {
        done(&client, before).await;
        let reply = client.post("/v1/treaty-actions", act(refused)).expect(409).await;
        assert_eq!(reply.faults().join(", "), *fault, "{before:?}, {refused}: {}", reply.text);
        let listed = client.get("/v1/treaty-actions?count=true").expect(200).await.json();
        assert_eq!(listed["count"], before.len(), "{refused}");
        for words in before.iter().rev() {
            let path = format!("/v1/treaty-actions/external:{}", act(words)["external_id"].as_str().unwrap());
            client.delete(path).header("if-match", "*").expect(204).await;
        }
    }
}

#[tokio::test]
async fn a_single_act_has_rules_of_its_own() {
    let client = ground().await;
    for (change, fault) in [
        (json!({"effective_on": "2005-01-01"}), "#/effective_on not_allowed"),
        (json!({"action": "acceded", "effective_on": "2001-12-31"}), "#/effective_on before_act"),
        (json!({"action": "objection"}), "#/concerns_action_id required"),
        (json!({"concerns_action_id": "0190aaaa-0000-7000-8000-000000000000"}), "#/concerns_action_id not_allowed"),
        (json!({"country": "ZX"}), "#/country unknown_code"),
        (json!({"action": "ratifyed"}), "#/action not_allowed"),
    ] {
        let mut body = act("XX signed 2002-01-01");
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let reply = client.post("/v1/treaty-actions", body).expect(422).await;
        assert_eq!(reply.faults(), [fault], "{}", reply.text);
    }
    // The country of the service is meant where none is named, and a succession dates back.
    let mut body = act("XX succeeded 2002-01-01");
    body.as_object_mut().unwrap().remove("country");
    assert_eq!(client.create("treaty-actions", body).await["country"], "RO");
    let late = json!({"treaty_id": "code:U", "country": "XX", "action": "succeeded", "acted_on": "2010-01-01", "effective_on": "1993-01-01"});
    client.create("treaty-actions", late).await;
    assert_eq!(standing(&client, "country=XX&on=1995-01-01").await[1], "U in_force since 1993-01-01 member");
    assert_eq!(standing(&client, "country=XX&on=1992-12-31").await[1], "U none since -");
}

#[tokio::test]
async fn what_is_changed_or_deleted_must_leave_a_history_that_can_be() {
    let client = ground().await;
    done(&client, &["XX signed 2002-01-01", "XX ratified 2005-01-01 2005-04-01", "XX reservation 2005-01-01"]).await;
    done(&client, &["XZ signed 2002-01-01", "XZ objection 2006-01-01 of XX reservation 2005-01-01"]).await;
    let path = |name: &str| format!("/v1/treaty-actions/external:{name}");
    let change = async |name: &str, body: Value| {
        let reply = client.patch(path(name), body).header("if-match", "*").expect(409).await;
        reply.faults()
    };
    assert_eq!(
        change("XX-signed-2002-01-01", json!({"acted_on": "2006-01-01"})).await,
        ["# not_signed", "#/action already_bound"]
    );
    // It leaves the ledger in which it stood.
    assert_eq!(change("XX-signed-2002-01-01", json!({"treaty_id": "code:U"})).await, ["# not_signed"]);
    assert_eq!(change("XX-signed-2002-01-01", json!({"country": "XY"})).await, ["# not_signed"]);
    assert_eq!(change("XX-reservation-2005-01-01", json!({"action": "declaration"})).await, ["# wrong_action"]);
    let gone = client.delete(path("XX-signed-2002-01-01")).header("if-match", "*").expect(409).await;
    assert_eq!(gone.faults(), ["# not_signed"], "{}", gone.text);
    assert!(gone.text.contains("XX, ratified on 2005-01-01"), "{}", gone.text);
    let gone = client.delete(path("XX-reservation-2005-01-01")).header("if-match", "*").expect(409).await;
    assert_eq!(gone.faults(), ["# referred_to"], "{}", gone.text);
    // So must a change of the treaty.
    for (body, fault) in [
        (json!({"opened_on": "2002-01-02"}), vec!["# before_opening", "# before_opening"]),
        (json!({"in_force_on": "2005-04-02"}), vec!["# before_entry_into_force"]),
        (json!({"parent_id": "code:U"}), vec!["#/parent_id cycle"]),
    ] {
        let reply = client.patch("/v1/treaties/external:t", body).header("if-match", "*").send().await;
        assert_eq!(
            (reply.status.as_u16(), reply.faults()),
            (409, fault.iter().map(|f| (*f).to_owned()).collect()),
            "{}",
            reply.text
        );
    }
    assert_eq!(client.get("/v1/treaty-actions?count=true").expect(200).await.json()["count"], 5);
    // An administrator and a diplomat, who may not see all, are told the same.
    let diplomat = client.create("api-keys", json!({"name": "d", "role": "diplomat"})).await["key"].clone();
    let diplomat = client.with_key(diplomat.as_str().unwrap().to_owned());
    for who in [&client, &diplomat] {
        let reply = who.delete("/v1/treaties/external:t").header("if-match", "*").expect(409).await;
        assert!(reply.text.contains("refer to it by treaty_id"), "{}", reply.text);
        let reply = who.delete(path("XX-signed-2002-01-01")).header("if-match", "*").expect(409).await;
        assert_eq!(reply.faults(), ["# not_signed"], "{}", reply.text);
    }
    // What they may not see they are not told.
    let secret = "/v1/treaty-actions/external:XX-ratified-2005-01-01";
    client.patch(secret, json!({"classification": "restricted"})).header("if-match", "*").expect(200).await;
    let reply = diplomat.delete(path("XX-signed-2002-01-01")).header("if-match", "*").expect(409).await;
    assert!(reply.text.contains("another act of XX") && !reply.text.contains("2005"), "{}", reply.text);
    diplomat.delete(path("XZ-objection-2006-01-01")).header("if-match", "*").expect(204).await;
    diplomat.delete(path("XX-reservation-2005-01-01")).header("if-match", "*").expect(204).await;
}

#[tokio::test]
async fn of_many_who_sign_at_once_one_does() {
    let client = ground().await;
    let posts = (0..12).map(|turn| {
        let mut body = act("XX signed 2002-01-01");
        body["external_id"] = json!(format!("turn-{turn}"));
        client.post("/v1/treaty-actions", body).send()
    });
    let mut statuses: Vec<u16> = join_all(posts).await.iter().map(|reply| reply.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [&[201][..], &[409; 11]].concat());
    // While one takes the signature away another ratifies: whichever is first, both cannot be.
    let path = "/v1/treaty-actions?country=XX";
    let signed = client.get(path).expect(200).await.json()["items"][0]["id"].as_str().unwrap().to_owned();
    let (deleted, ratified) = tokio::join!(
        client.delete(format!("/v1/treaty-actions/{signed}")).header("if-match", "*").send(),
        client.post("/v1/treaty-actions", act("XX ratified 2005-01-01")).send()
    );
    let outcome = (deleted.status.as_u16(), ratified.status.as_u16());
    assert!([(204, 409), (409, 201)].contains(&outcome), "{outcome:?} {} {}", deleted.text, ratified.text);
}

#[tokio::test]
async fn a_ledger_comes_in_whatever_order_a_file_has() {
    let client = ground().await;
    let mut acts = vec![act("XX ratified 2005-01-10 2005-05-01"), act("XX reservation 2005-01-10")];
    acts.push(act("XZ objection 2006-01-01 of XX reservation 2005-01-10"));
    acts.push(act("XX signed 2002-01-01"));
    let plan = json!({"format": "mandate-plan/1", "treaty_actions": acts});
    let send = |plan: Value| {
        client.call("POST", "/v1/imports").header("content-type", "application/json").body(plan.to_string())
    };
    let report = send(plan.clone()).expect(200).await.json();
    assert_eq!(report["created"], 4, "{report}");
    assert_eq!(send(plan).expect(200).await.json()["unchanged"], 4);
    assert_eq!(on(&client, "2006-01-01").await, "T in_force since 2005-05-01 member");
    // A file of more acts than go into one statement, in no order of days, comes back as it went out.
    let mut many = Vec::new();
    for first in 'A'..='Z' {
        for second in 'A'..='Z' {
            let country = format!("{first}{second}");
            let is_known = mandate::base::values::codelists::is_country(&country);
            if is_known && !["XX", "XZ"].contains(&country.as_str()) {
                many.push(act(&format!("{country} ratified 2005-01-10")));
                many.insert(0, act(&format!("{country} signed 2002-01-01")));
            }
        }
    }
    many.reverse();
    assert!(many.len() > 500, "{}", many.len());
    let report = send(json!({"format": "mandate-plan/1", "treaty_actions": many})).expect(200).await.json();
    assert_eq!((&report["created"], &report["refused"]), (&json!(many.len()), &json!(0)));
    let export = client.get("/v1/exports/plan").expect(200).await.json();
    let other = service().await;
    let report = other
        .call("POST", "/v1/imports")
        .header("content-type", "application/json")
        .body(export.to_string())
        .expect(200)
        .await;
    assert_eq!(report.json()["created"], many.len() + 6, "{}", report.text);
}
