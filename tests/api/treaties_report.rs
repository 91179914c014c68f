//! How a state stands to a treaty on a day, and what was known of it.

use mandate::base::limits::Limits;
use serde_json::{Value, json};

use crate::{
    as_of::now,
    support::{database, service, service_over},
    treaties::{act, done, ground, lay, on, standing},
};

#[tokio::test]
async fn how_a_state_stands_is_derived_for_every_day() {
    let client = ground().await;
    let acts = [
        "XX signed 2002-01-01",
        "XX ratified 2005-01-10 2005-05-01",
        "XX denounced 2008-01-01 2009-01-01",
        "XX acceded 2012-03-01",
        "XZ signed 2002-01-01",
    ];
    done(&client, &acts).await;
    let mut told = Vec::new();
    for day in [
        "2001-12-31",
        "2002-01-01",
        "2005-01-09",
        "2005-01-10",
        "2005-04-30",
        "2005-05-01",
        "2007-12-31",
        "2008-01-01",
        "2008-12-31",
        "2009-01-01",
        "2012-02-29",
        "2012-03-01",
        "2025-01-01",
    ] {
        told.push(format!("{day} {}", on(&client, day).await));
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    2001-12-31 T none since -
    2002-01-01 T signed since 2002-01-01
    2005-01-09 T signed since 2002-01-01
    2005-01-10 T ratified since 2005-01-10, in_force from 2005-05-01
    2005-04-30 T ratified since 2005-01-10, in_force from 2005-05-01
    2005-05-01 T in_force since 2005-05-01 member
    2007-12-31 T in_force since 2005-05-01 member
    2008-01-01 T denunciation_pending since 2008-01-01 member, denounced from 2009-01-01
    2008-12-31 T denunciation_pending since 2008-01-01 member, denounced from 2009-01-01
    2009-01-01 T denounced since 2009-01-01
    2012-02-29 T denounced since 2009-01-01
    2012-03-01 T ratified since 2012-03-01
    2025-01-01 T ratified since 2012-03-01
    ");
    // What is known later moves no day but those after it.
    let path = "/v1/treaty-actions/external:XX-acceded-2012-03-01";
    client.patch(path, json!({"effective_on": "2012-07-01"})).if_match(1).expect(200).await;
    assert_eq!(on(&client, "2012-03-01").await, "T ratified since 2012-03-01, in_force from 2012-07-01");
    assert_eq!(on(&client, "2025-01-01").await, "T in_force since 2012-07-01 member");
    // One row a treaty and state, in the order asked.
    let all = standing(&client, "country=XZ&country=XX&on=2007-01-01").await;
    assert_eq!(
        all,
        ["T signed since 2002-01-01", "U none since -", "T in_force since 2005-05-01 member", "U none since -"]
    );
    let signed = standing(&client, "country=XZ&country=XX&on=2007-01-01&state=signed&state=in_force").await;
    assert_eq!(signed, [all[0].clone(), all[2].clone()]);
    assert_eq!(standing(&client, "").await, ["T none since -", "U none since -"]);
    for (query, fault) in [
        ("country=ZX", "country unknown_code"),
        ("on=yesterday", "on wrong_format"),
        ("state=bound", "state not_allowed"),
        ("strategy_id=external:s", "strategy_id unknown_parameter"),
    ] {
        let reply = client.get(format!("/v1/reports/treaties?{query}")).expect(400).await;
        assert_eq!(reply.faults(), [fault], "{}", reply.text);
    }
}

#[tokio::test]
async fn practice_that_is_not_in_the_books_is_told_right() {
    let client = ground().await;
    // A signature that needs no ratification.
    done(&client, &["XX definitively_signed 2002-01-01 2004-07-01"]).await;
    assert_eq!(on(&client, "2004-06-30").await, "T ratified since 2002-01-01, in_force from 2004-07-01");
    assert_eq!(on(&client, "2004-07-01").await, "T in_force since 2004-07-01 member");
    // A denunciation that is revoked in time, and one that is followed by an accession with a reservation on the same day.
    done(
        &client,
        &["XX denounced 2006-01-01 2007-01-01", "XX denunciation_revoked 2006-06-01 of XX denounced 2006-01-01"],
    )
    .await;
    assert_eq!(
        on(&client, "2006-05-31").await,
        "T denunciation_pending since 2006-01-01 member, denounced from 2007-01-01"
    );
    assert_eq!(on(&client, "2006-06-01").await, "T in_force since 2004-07-01 member");
    done(
        &client,
        &["XX denounced 2010-05-26 2010-08-26", "XX acceded 2010-05-26 2010-08-26", "XX reservation 2010-05-26"],
    )
    .await;
    assert_eq!(
        on(&client, "2010-08-25").await,
        "T denunciation_pending since 2010-05-26 member, in_force from 2010-08-26"
    );
    assert_eq!(on(&client, "2010-08-26").await, "T in_force since 2010-08-26 member");
    // A consent that is taken back before it takes effect.
    done(&client, &["XY acceded 2011-01-01 2011-04-01", "XY withdrawn 2011-02-01"]).await;
    let of =
        async |country: &str, day: &str| standing(&client, &format!("country={country}&on={day}")).await[0].clone();
    assert_eq!(of("XY", "2011-01-31").await, "T ratified since 2011-01-01, in_force from 2011-04-01");
    assert_eq!(of("XY", "2011-04-01").await, "T denounced since 2011-02-01");
    // Acceptance needs no signature; without a day of entry into force nothing is in force.
    done(&client, &["XV accepted 2011-01-01"]).await;
    assert_eq!(of("XV", "2025-01-01").await, "T ratified since 2011-01-01");
    // A denunciation without a known end is pending, and membership with it.
    done(&client, &["XW invited_to_accede 2002-01-01", "XW acceded 2005-01-01 2005-04-01", "XW denounced 2011-01-01"])
        .await;
    assert_eq!(of("XW", "2002-06-01").await, "T none since -");
    assert_eq!(of("XW", "2025-01-01").await, "T denunciation_pending since 2011-01-01 member");
}

#[tokio::test]
async fn reservations_objections_and_provisional_application_are_told() {
    let client = ground().await;
    let acts = [
        "XX signed 2002-01-01",
        "XX reservation 2002-01-01",
        "XX provisionally_applied 2002-02-01",
        "XX ratified 2005-01-10 2005-05-01",
        "XX reservation 2005-01-10",
        "XX reservation_withdrawn 2006-01-01 of XX reservation 2002-01-01",
        "XZ objection 2005-06-01 of XX reservation 2005-01-10",
        "XY objection 2005-06-01 of XX reservation 2005-01-10",
        "XY objection_withdrawn 2007-01-01 of XY objection 2005-06-01",
        "XX denounced 2008-01-01 2009-01-01",
    ];
    done(&client, &acts).await;
    let row = async |day: &str| {
        let row = client.get(format!("/v1/reports/treaties?country=XX&on={day}")).expect(200).await.json()["items"][0]
            .clone();
        let count = |field: &str| row[field].as_array().unwrap().len();
        (count("reservation_ids"), row["objections"].as_i64().unwrap(), row["is_provisionally_applied"] == json!(true))
    };
    assert_eq!(row("2001-12-31").await, (0, 0, false));
    assert_eq!(row("2002-01-01").await, (1, 0, false));
    assert_eq!(row("2002-02-01").await, (1, 0, true));
    assert_eq!(row("2005-01-10").await, (2, 0, true));
    assert_eq!(row("2005-05-01").await, (2, 0, false));
    assert_eq!(row("2005-06-01").await, (2, 2, false));
    assert_eq!(row("2006-01-01").await, (1, 2, false));
    assert_eq!(row("2007-01-01").await, (1, 1, false));
    assert_eq!(row("2008-12-31").await, (1, 1, false));
    assert_eq!(row("2009-01-01").await, (0, 0, false));
    let again = client
        .post("/v1/treaty-actions", act("XZ objection 2006-06-01 of XX reservation 2005-01-10"))
        .expect(409)
        .await;
    assert_eq!(again.faults(), ["#/concerns_action_id taken"], "{}", again.text);
    let page = client.get("/v1/reports/treaties?country=XX&on=2005-06-01").expect(200).await.json();
    assert_eq!(
        page["items"][0]["acts"],
        json!(["signed 2002-01-01", "ratified 2005-01-10, with effect from 2005-05-01"])
    );
    assert_eq!(page["items"][0]["action_ids"].as_array().unwrap().len(), 2);
    assert_eq!(page["items"][1]["protocol_to"], "T");
}

#[tokio::test]
async fn what_was_in_force_and_what_was_known_are_two_questions() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    lay(&client).await;
    let nothing = now(&options).await;
    done(&client, &["XX signed 2002-01-01"]).await;
    let signature = now(&options).await;
    done(&client, &["XX ratified 2005-01-10 2005-05-01"]).await;
    let told = async |day: &str, moment: &str| {
        standing(&client, &format!("country=XX&on={day}&as_of={moment}")).await[0].clone()
    };
    assert_eq!(told("2006-01-01", &nothing).await, "T none since -");
    assert_eq!(told("2006-01-01", &signature).await, "T signed since 2002-01-01");
    assert_eq!(told("2003-01-01", &signature).await, "T signed since 2002-01-01");
    let both = now(&options).await;
    assert_eq!(told("2006-01-01", &both).await, "T in_force since 2005-05-01 member");
    assert_eq!(told("2003-01-01", &both).await, "T signed since 2002-01-01");
    client.delete("/v1/treaty-actions/external:XX-ratified-2005-01-10").header("if-match", "*").expect(204).await;
    assert_eq!(on(&client, "2006-01-01").await, "T signed since 2002-01-01");
    assert_eq!(told("2006-01-01", &both).await, "T in_force since 2005-05-01 member");
    // Without a day it is that of the moment.
    let page = client.get(format!("/v1/reports/treaties?country=XX&as_of={both}")).expect(200).await.json();
    assert!(both.starts_with(page["items"][0]["on"].as_str().unwrap()) || both.contains("T2"), "{page}");
    // What may not be known counts for nobody who may not know it.
    let mut secret = act("XX ratified 2005-01-10 2005-05-01");
    secret["classification"] = json!("restricted");
    client.create("treaty-actions", secret).await;
    assert_eq!(on(&client, "2006-01-01").await, "T signed since 2002-01-01");
    let page = client.get("/v1/reports/treaties?country=XX&on=2006-01-01").expect(200).await.json();
    assert_eq!(page["items"][0]["state"], "in_force", "{page}");
}

#[tokio::test]
async fn of_the_reference_rows_nobody_is_a_party() {
    let client = service().await;
    let plan = include_str!("../../examples/reference-treaties.json");
    client.call("POST", "/v1/imports").header("content-type", "application/json").body(plan).expect(200).await;
    let of = async |query: &str| standing(&client, query).await;
    let signed = "CETS-224 signed since 2022-11-30";
    for country in ["HR", "MD", "SI", "LK", "UA", "GB"] {
        let rows = of(&format!("country={country}")).await;
        assert_eq!(rows, ["CETS-185 none since -", signed, "UNCC none since -"], "{country}");
    }
    assert_eq!(of("country=MD&on=2022-11-29&state=signed").await, Vec::<String>::new());
    let rows = of("country=RO").await;
    assert!(rows.iter().all(|row| row.contains(" none ")), "{rows:?}");
    let page = client.get("/v1/reports/positions?country=RO").expect(200).await.json();
    let states: Vec<&Value> = page["items"].as_array().unwrap().iter().map(|row| &row["state"]).collect();
    assert_eq!(states.iter().filter(|state| **state == "covered").count(), 2, "{page}");
    assert_eq!(
        (states[0], states[1], &page["items"][0]["symbols"]),
        (&json!("covered"), &json!("covered"), &json!(["A/76/136"]))
    );
    let text = client.get("/v1/reports/treaties?country=MD").header("accept", "text/plain").expect(200).await.text;
    assert!(text.contains("CETS-224") && text.contains("signed 2022-11-30"), "{text}");
}

#[tokio::test]
async fn a_membership_that_names_no_treaty_is_unproven() {
    let client = ground().await;
    let claim = json!({"external_id": "claim", "kind": "secondary_source", "title": "A page", "claim": {"en": "It is a member of treaties"},
        "about": "treaty_membership", "country": "XX", "published_on": "2018-12-01"});
    client.create("evidence", claim).await;
    let mut other =
        json!({"kind": "statement", "title": "A page", "claim": "A plan", "about": "plan", "country": "XX"});
    client.create("evidence", other.clone()).await;
    other["about"] = json!("treaty_membership");
    other["country"] = json!("XZ");
    client.create("evidence", other).await;
    let unproven = async |day: &str| standing(&client, &format!("country=XX&on={day}&state=unproven")).await.len();
    assert_eq!((unproven("2018-11-30").await, unproven("2018-12-01").await), (0, 1));
    let page = client.as_viewer().get("/v1/reports/treaties?country=XX").expect(200).await.json();
    let row = &page["items"][2];
    assert_eq!((&row["treaty_id"], &row["code"], &row["is_member"]), (&Value::Null, &Value::Null, &json!(false)));
    assert_eq!(row["name"], json!({"en": "It is a member of treaties"}));
    assert_eq!(row["acts"], json!(["secondary source, proposed"]));
    assert!(row["evidence_id"].is_string(), "{row}");
    // Who withdraws it claims nothing any more.
    let body = json!({"state": "withdrawn", "state_reason": {"en": "it is of another country"}});
    client.patch("/v1/evidence/external:claim", body).header("if-match", "*").expect(200).await;
    assert_eq!(unproven("2018-12-01").await, 0);
}
