//! What real publishers have in their files: odd identifiers, many budgets, days to come, and one activity that cannot be taken.

use serde_json::{Value, json};

use super::{SMALL, count, import, left_out, outcomes, publisher};
use crate::support::service;

fn activity(identifier: &str) -> String {
    let from = SMALL.find("  <iati-activity>").unwrap();
    SMALL[from..SMALL.find("</iati-activities>").unwrap()].replace("XM-DAC-9-1", identifier)
}

fn file(activities: &[String]) -> String {
    format!("{}{}</iati-activities>\n", &SMALL[..SMALL.find("  <iati-activity>").unwrap()], activities.concat())
}

#[tokio::test]
async fn an_identifier_with_a_slash_is_kept_and_comes_back() {
    let client = publisher().await;
    let xml = SMALL.replace("XM-DAC-9-1", "GB-COH-1/2 a?b");
    let query = "direction=given&classification=public";
    assert_eq!(outcomes(&import(&client, query, xml.as_str()).expect(200).await.json()), [1, 0, 0, 0]);
    assert_eq!(outcomes(&import(&client, query, xml).expect(200).await.json()), [0, 0, 1, 0]);
    let rows = client.get("/v1/contributions").expect(200).await.json();
    assert_eq!(rows["items"][0]["external_id"], "GB-COH-1%2F2%20a%3Fb");
    let exported = client.get("/v1/exports/iati").expect(200).await.text;
    assert!(exported.contains("<iati-identifier>GB-COH-1/2 a?b</iati-identifier>"), "{exported}");
}

#[tokio::test]
async fn what_a_contribution_does_not_allow_is_left_out_and_named() {
    let client = service().await;
    let budget = |year: u32| {
        format!(
            "<budget><period-start iso-date=\"{year}-01-01\"/><period-end iso-date=\"{year}-12-31\"/><value currency=\"EUR\" value-date=\"{year}-01-01\">1</value></budget>"
        )
    };
    let odd = "<budget><period-start iso-date=\"2025-12-31\"/><period-end iso-date=\"2025-01-01\"/><value currency=\"EUR\" value-date=\"2025-01-01\">7</value></budget>";
    let many: String = (0..201).map(|number| budget(2000 + number % 90)).collect();
    let xml = SMALL
        .replace("<recipient-country", "<activity-date type=\"4\" iso-date=\"2099-01-01\"/><recipient-country")
        .replace("<recipient-country code=\"MD\"/>", &format!("<recipient-country code=\"MD\"/>{many}{odd}"));
    let report = import(&client, "direction=given", xml).expect(200).await.json();
    assert_eq!(outcomes(&report), [1, 0, 0, 0], "{report}");
    let named = left_out(&report["rows"][0]["left_out"]);
    assert!(named.contains("actual_ends_on") && named.contains("budgets/201"), "{named}");
    let contribution = client.get("/v1/contributions/external:XM-DAC-9-1").expect(200).await.json();
    assert_eq!(
        (contribution["budgets"].as_array().unwrap().len(), &contribution["actual_ends_on"]),
        (201, &Value::Null)
    );
}

#[tokio::test]
async fn more_than_a_contribution_can_hold_is_counted() {
    let client = service().await;
    let budget = "<budget><period-start iso-date=\"2025-01-01\"/><period-end iso-date=\"2025-12-31\"/><value currency=\"EUR\" value-date=\"2025-01-01\">1</value></budget>";
    let budgets = budget.repeat(2005);
    let xml = SMALL.replace("<recipient-country code=\"MD\"/>", &format!("<recipient-country code=\"MD\"/>{budgets}"));
    let report = import(&client, "direction=given", xml).expect(200).await.json();
    let named = left_out(&report["rows"][0]["left_out"]);
    assert!(named.contains("budget x5 a contribution has at most 2000 of them"), "{named}");
}

#[tokio::test]
async fn partial_takes_what_can_be_taken_and_names_the_rest() {
    let client = service().await;
    let refused =
        activity("XM-DAC-9-2").replace("<narrative xml:lang=\"en\">Exercises</narrative>", "<narrative> </narrative>");
    let xml = file(&[activity("XM-DAC-9-1"), refused, activity("XM-DAC-9-3")]);
    import(&client, "direction=given", xml.as_str()).expect(422).await;
    assert_eq!(count(&client, "contributions").await, 0);
    let dry = import(&client, "direction=given&dry_run=true", xml.as_str()).expect(200).await.json();
    assert_eq!((outcomes(&dry), &dry["would_create"]), ([0, 0, 0, 1], &json!(2)), "{dry}");
    let report = import(&client, "direction=given&partial=true", xml.as_str()).expect(200).await.json();
    assert_eq!((outcomes(&report), &report["committed"]), ([2, 0, 0, 1], &json!(true)), "{report}");
    assert_eq!(report["rows"][1]["errors"][0]["code"], "required", "{report}");
    assert_eq!(count(&client, "contributions").await, 2);
    // Where nothing can be taken, nothing is said to be.
    let none = file(&[activity("X").replace("Exercises</narrative></title>", " </narrative></title>")]);
    import(&client, "direction=given&partial=true", none).expect(422).await;
}

#[tokio::test]
async fn a_narrative_in_one_language_leaves_the_others() {
    let client = service().await;
    import(&client, "direction=given", SMALL).expect(200).await;
    let other = SMALL.replace("xml:lang=\"en\">Exercises", "xml:lang=\"ro\">Exerciții");
    import(&client, "direction=given", other).expect(200).await;
    let contribution = client.get("/v1/contributions/external:XM-DAC-9-1").expect(200).await.json();
    assert_eq!(contribution["title"], json!({"en": "Exercises", "ro": "Exerciții"}));
}

#[tokio::test]
async fn an_export_leaves_out_and_names_what_cannot_be_an_activity() {
    let client = publisher().await;
    import(&client, "direction=given&classification=public", SMALL).expect(200).await;
    let bare = json!({"classification": "public", "direction": "received", "title": "x", "status": "pipeline", "planned_starts_on": "2027-01-01"});
    let id = client.create("contributions", bare).await["id"].as_str().unwrap().to_owned();
    let reply = client.get("/v1/exports/iati").expect(200).await;
    assert_eq!(reply.headers["mandate-left-out"], "1");
    assert!(
        reply.text.contains("XM-DAC-9-1")
            && reply.text.contains(&format!("<!-- left out: #/contributions/{id}/description")),
        "{}",
        reply.text
    );
    super::judged_by_xmllint(&reply.text);
    client.get(format!("/v1/exports/iati?contribution_id={id}")).expect(409).await;
}
