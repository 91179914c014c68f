//! A contribution as an `iati-activity`. The order of the elements is that of the schema.

use mandate_xsd::Element;
use serde_json::Value;

use super::{
    codes::{self, Codes},
    identifier::identifier,
};
use crate::repository::{Fault, Faults};

/// The organisation that publishes.
pub(super) struct Publisher<'a> {
    pub(super) reference: &'a str,
    pub(super) kind: &'a str,
    pub(super) name: &'a Value,
}

/// Somebody who takes part: the fields of a partner, with a name in any case.
pub(super) type Partner = Value;

/// The activity of a contribution, given as the API shows it, or what it lacks.
pub(super) fn activity(
    contribution: &Value,
    partners: &[Partner],
    publisher: &Publisher<'_>,
) -> Result<Element, Vec<Fault>> {
    let mut faults = Faults::default();
    let id = contribution["id"].as_str().unwrap_or_default();
    let own = word(&contribution["external_id"]).map_or_else(|| format!("{}-{id}", publisher.reference), identifier);
    let descriptions: Vec<Element> = codes::DESCRIPTIONS
        .iter()
        .filter(|(_, field)| contribution[*field].is_object())
        .map(|(code, field)| text("description", &contribution[*field]).with("type", *code))
        .collect();
    faults.check(!descriptions.is_empty(), "description", "required", "IATI asks what it is about; give a description");
    let partners: Vec<Element> = partners.iter().filter_map(partner).collect();
    let no_partner = "IATI asks who takes part: give a lead_id, or a contribution-partner that funds, accounts for, extends or implements it, as public as the contribution";
    faults.check(!partners.is_empty(), "lead_id", "required", no_partner);
    let dates: Vec<Element> = codes::DATES
        .iter()
        .filter_map(|(code, field)| {
            Some(Element::new("activity-date").with("type", *code).with("iso-date", word(&contribution[*field])?))
        })
        .collect();
    faults.check(
        !dates.is_empty(),
        "planned_starts_on",
        "required",
        "IATI asks for a date; give planned_starts_on or another one",
    );
    let documents: Vec<Element> =
        items(&contribution["documents"]).enumerate().map(|(at, one)| document(at, one, &mut faults)).collect();
    let Some(status) = code(codes::STATUSES, &contribution["status"]) else { return Err(faults.0) };
    if !faults.0.is_empty() {
        for fault in &mut faults.0 {
            fault.pointer = format!("#/contributions/{id}{}", fault.pointer.trim_start_matches('#'));
        }
        return Err(faults.0);
    }
    let reporter = Element::new("reporting-org").with("ref", publisher.reference).with("type", publisher.kind);
    Ok(Element::new("iati-activity")
        .with("last-updated-datetime", word(&contribution["updated_at"]))
        .with("default-currency", word(&contribution["default_currency"]))
        .holding([
            Element::new("iati-identifier").saying(&own),
            reporter.holding(narratives(publisher.name)),
            text("title", &contribution["title"]),
        ])
        .holding(descriptions)
        .holding(partners)
        .holding([Element::new("activity-status").with("code", status)])
        .holding(dates)
        .holding(recipients(&contribution["recipients"], "country", "recipient-country"))
        .holding(recipients(&contribution["recipients"], "region", "recipient-region"))
        .holding(items(&contribution["themes"]).map(theme))
        .holding(items(&contribution["budgets"]).map(budget))
        .holding(items(&contribution["planned_disbursements"]).map(planned))
        .holding(items(&contribution["transactions"]).map(transaction))
        .holding(documents)
        .holding(items(&contribution["results"]).map(result)))
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn word(value: &Value) -> Option<&str> {
    value.as_str()
}

fn code(codes: Codes, value: &Value) -> Option<&'static str> {
    codes::code(codes, value.as_str()?)
}

fn narratives(text: &Value) -> Vec<Element> {
    let words = text.as_object().into_iter().flatten();
    words.map(|(language, words)| narrative(language, words)).collect()
}

fn narrative(language: &str, words: &Value) -> Element {
    Element::new("narrative").with("xml:lang", language).saying(words.as_str().unwrap_or_default())
}

fn text(name: &str, text: &Value) -> Element {
    Element::new(name).holding(narratives(text))
}

fn optional(name: &str, words: &Value) -> Option<Element> {
    words.is_object().then(|| text(name, words))
}

fn day(name: &str, value: &Value) -> Option<Element> {
    Some(Element::new(name).with("iso-date", word(value)?))
}

/// A partner whose role IATI knows.
fn partner(partner: &Partner) -> Option<Element> {
    let role = code(codes::ROLES, &partner["role"])?;
    Some(organisation("participating-org", "activity-id", partner).with("role", role))
}

fn organisation(name: &str, activity: &str, party: &Value) -> Element {
    text(name, &party["name"])
        .with("ref", word(&party["reference"]))
        .with("type", word(&party["organisation_type"]))
        .with(activity, word(&party["activity_reference"]))
}

fn recipients(list: &Value, field: &'static str, name: &'static str) -> impl Iterator<Item = Element> {
    items(list).filter_map(move |recipient| {
        let code = word(&recipient[field])?;
        Some(Element::new(name).with("code", code).with("percentage", word(&recipient["percentage"])))
    })
}

fn theme(theme: &Value) -> Element {
    text("sector", &theme["narrative"])
        .with("vocabulary", word(&theme["vocabulary"]))
        .with("vocabulary-uri", word(&theme["vocabulary_url"]))
        .with("code", word(&theme["code"]))
        .with("percentage", word(&theme["percentage"]))
}

fn value(item: &Value, is_negative: bool) -> Element {
    let amount = word(&item["money"]["amount"]).unwrap_or_default();
    Element::new("value")
        .with("currency", word(&item["money"]["currency"]))
        .with("value-date", word(&item["value_on"]))
        .saying(&if is_negative { format!("-{amount}") } else { amount.to_owned() })
}

fn budget(budget: &Value) -> Element {
    Element::new("budget")
        .with("type", code(codes::BUDGET_KINDS, &budget["kind"]))
        .with("status", code(codes::BUDGET_STATUSES, &budget["status"]))
        .holding(day("period-start", &budget["from"]))
        .holding(day("period-end", &budget["to"]))
        .holding([value(budget, false)])
}

fn planned(planned: &Value) -> Element {
    Element::new("planned-disbursement")
        .with("type", code(codes::BUDGET_KINDS, &planned["kind"]))
        .holding(day("period-start", &planned["from"]))
        .holding(day("period-end", &planned["to"]))
        .holding([value(planned, false)])
        .holding(parties(planned))
}

fn transaction(transaction: &Value) -> Element {
    Element::new("transaction")
        .with("ref", word(&transaction["reference"]))
        .holding([Element::new("transaction-type").with("code", code(codes::TRANSACTIONS, &transaction["kind"]))])
        .holding(day("transaction-date", &transaction["dated_on"]))
        .holding([value(transaction, transaction["is_reversal"] == true)])
        .holding(optional("description", &transaction["description"]))
        .holding(parties(transaction))
}

fn parties(item: &Value) -> Vec<Element> {
    let party = |field: &str, name: &str, activity: &str| {
        item[field].is_object().then(|| organisation(name, activity, &item[field]))
    };
    let provider = party("provider", "provider-org", "provider-activity-id");
    provider.into_iter().chain(party("receiver", "receiver-org", "receiver-activity-id")).collect()
}

fn document(at: usize, document: &Value, faults: &mut Faults) -> Element {
    for (field, what) in [
        ("format", "its media type, such as application/pdf"),
        ("category", "its code of the IATI code list DocumentCategory, such as A01"),
    ] {
        let detail = format!("IATI asks for {what}");
        faults.check(document[field].is_string(), &format!("documents/{at}/{field}"), "required", &detail);
    }
    Element::new("document-link")
        .with("url", word(&document["url"]))
        .with("format", word(&document["format"]))
        .holding([text("title", &document["title"])])
        .holding(optional("description", &document["description"]))
        .holding([Element::new("category").with("code", word(&document["category"]))])
        .holding(items(&document["languages"]).map(|language| Element::new("language").with("code", word(language))))
        .holding(day("document-date", &document["dated_on"]))
}

fn result(result: &Value) -> Element {
    let can_be_added = result["can_be_added"].as_bool().map(|yes| if yes { "true" } else { "false" });
    Element::new("result")
        .with("type", code(codes::RESULTS, &result["kind"]))
        .with("aggregation-status", can_be_added)
        .holding([text("title", &result["title"])])
        .holding(optional("description", &result["description"]))
        .holding(items(&result["indicators"]).map(indicator))
}

fn indicator(indicator: &Value) -> Element {
    let baseline = &indicator["baseline"];
    let year = baseline["year"].as_i64().map(|year| year.to_string());
    let baseline = year.map(|year| {
        let start = Element::new("baseline").with("year", year.as_str()).with("iso-date", word(&baseline["dated_on"]));
        figure(start, baseline)
    });
    Element::new("indicator")
        .with("measure", code(codes::MEASURES, &indicator["measure"]))
        .with("ascending", code(codes::DIRECTIONS, &indicator["direction"]))
        .holding([text("title", &indicator["title"])])
        .holding(optional("description", &indicator["description"]))
        .holding(baseline)
        .holding(items(&indicator["periods"]).map(period))
}

fn period(period: &Value) -> Element {
    let figures = |list: &str, name: &'static str| -> Vec<Element> {
        items(&period[list]).map(|one| figure(Element::new(name), one)).collect()
    };
    Element::new("period")
        .holding(day("period-start", &period["from"]))
        .holding(day("period-end", &period["to"]))
        .holding(figures("targets", "target"))
        .holding(figures("actuals", "actual"))
}

fn figure(start: Element, figure: &Value) -> Element {
    let dimensions = figure["disaggregation"].as_object().into_iter().flatten();
    start
        .with("value", word(&figure["value"]))
        .holding(
            dimensions
                .map(|(name, value)| Element::new("dimension").with("name", name.as_str()).with("value", word(value))),
        )
        .holding(optional("comment", &figure["comment"]))
}
