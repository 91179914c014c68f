//! What a change means, in the words of the field.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    known::Known,
    net::{Fields, Net},
};

/// What a change means for those who carry out the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Meaning {
    /// It got its first dates.
    Dated,
    /// It is to end on another day than before.
    ReDated,
    /// The dates against which it is measured were set anew.
    ReBaselined,
    /// Another entity leads.
    Reassigned,
    /// An appropriation is another amount.
    CeilingChanged,
    /// It is done.
    Completed,
    /// It was given up.
    Dropped,
    /// It is at another point of its way.
    StatusChanged,
}

/// A meaning, if there is one, and a sentence.
pub(super) type Words = (Option<Meaning>, String);

fn text<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields.get(name)?.as_str()
}

fn day(fields: &Fields, name: &str) -> Option<NaiveDate> {
    text(fields, name)?.parse().ok()
}

fn id(fields: &Fields, name: &str) -> Option<Uuid> {
    text(fields, name)?.parse().ok()
}

/// A value as people read it: a text in the language that there is.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Null => "nothing".into(),
        Value::String(text) => text.clone(),
        Value::Object(languages) => {
            let preferred = ["en", "ro"].iter().find_map(|language| languages.get(*language)?.as_str());
            let any = || languages.values().find_map(Value::as_str);
            preferred.or_else(any).map_or_else(|| value.to_string(), str::to_owned)
        }
        other => other.to_string(),
    }
}

/// From one day to another.
fn moved(from: Option<NaiveDate>, to: Option<NaiveDate>) -> String {
    match (from, to) {
        (Some(from), Some(to)) => format!("by {:+} days, {from} -> {to}", (to - from).num_days()),
        (None, Some(to)) => format!("to {to}, from no date"),
        (Some(from), None) => format!("to no date, from {from}"),
        (None, None) => "without a date".into(),
    }
}

/// One field that changed.
pub(super) fn of_field(net: &Net, field: &str, before: &Value, after: &Value, known: &Known) -> Words {
    let plainly = || format!("{field}: {} -> {}", plain(before), plain(after));
    let as_day = |value: &Value| value.as_str().and_then(|day| day.parse().ok());
    let (kind, fields) = (net.kind.as_str(), net.fields());
    let is = |name: &str, value: &str| fields.and_then(|fields| text(fields, name)) == Some(value);
    match (kind, field) {
        ("initiative" | "step" | "milestone", "deadline_to") | ("timeline", "ends_on") => {
            (Some(Meaning::ReDated), format!("re-dated {}", moved(as_day(before), as_day(after))))
        }
        ("assignment", "entity_id") if is("role", "lead") => {
            let name = |value: &Value| known.entity(value.as_str().and_then(|id| id.parse().ok()));
            (Some(Meaning::Reassigned), format!("lead: {} -> {}", name(before), name(after)))
        }
        ("budget_allocation", "amount") if is("phase", "appropriation") => {
            let amount = |value: &Value| plain(value).parse::<Decimal>().ok();
            let by = amount(before).zip(amount(after)).map(|(before, after)| after - before);
            let by =
                by.map_or_else(String::new, |by| format!(" ({}{by})", if by.is_sign_positive() { "+" } else { "" }));
            let currency = fields.and_then(|fields| text(fields, "currency")).unwrap_or_default();
            let words = format!("ceiling: {} -> {} {currency}{by}", plain(before), plain(after));
            (Some(Meaning::CeilingChanged), words)
        }
        // What a report says is no change of what it is about; that has a change of its own.
        ("progress_report", _) => (None, plainly()),
        (_, "status") => {
            let meaning = match after.as_str() {
                Some("completed") => Meaning::Completed,
                Some("cancelled") => Meaning::Dropped,
                _ => Meaning::StatusChanged,
            };
            (Some(meaning), plainly())
        }
        _ => (None, plainly()),
    }
}

/// A resource that came.
pub(super) fn of_new(net: &Net, fields: &Fields, known: &Known) -> Words {
    match net.kind.as_str() {
        "timeline" => {
            let basis = text(fields, "basis").unwrap_or_default();
            let ends = net.item().and_then(|item| known.ends.get(&item).copied()).unwrap_or_default();
            let to = day(fields, "ends_on").or_else(|| day(fields, "deadline_to"));
            let is_forecast = basis == "forecast";
            let from = if is_forecast { ends.forecast.or(ends.baseline) } else { ends.baseline };
            match (from, is_forecast) {
                (None, _) => (Some(Meaning::Dated), format!("dated ({basis}) {}", moved(None, to))),
                (_, true) => (Some(Meaning::ReDated), format!("re-dated ({basis}) {}", moved(from, to))),
                (_, false) => (Some(Meaning::ReBaselined), format!("re-baselined ({basis}) {}", moved(from, to))),
            }
        }
        "assignment" => {
            let role = text(fields, "role").unwrap_or_default();
            let (entity, led) = (id(fields, "entity_id"), net.item().and_then(|item| known.leads.get(&item).copied()));
            let other = led.filter(|led| role == "lead" && Some(*led) != entity);
            match other {
                Some(led) => {
                    let words = format!("lead: {} -> {}", known.entity(Some(led)), known.entity(entity));
                    (Some(Meaning::Reassigned), words)
                }
                None => (None, format!("{role}: {}", known.entity(entity))),
            }
        }
        "budget_movement" => {
            let kind = text(fields, "kind").unwrap_or_default();
            let word = |name: &str| fields.get(name).map(plain).unwrap_or_default();
            let money = format!("{} {}", word("amount"), word("currency"));
            let takes = text(fields, "to_allocation_id").is_some()
                || text(fields, "direction") == Some("decrease")
                || net.revised.as_deref() == Some("increase");
            match kind {
                "reversal" if net.revised.is_some() => {
                    let sign = if takes { '-' } else { '+' };
                    (Some(Meaning::CeilingChanged), format!("ceiling: {sign}{money} (reversal of a revision)"))
                }
                "revision" | "virement" | "carry_forward" => {
                    let sign = if takes { '-' } else { '+' };
                    (Some(Meaning::CeilingChanged), format!("ceiling: {sign}{money} ({})", kind.replace('_', " ")))
                }
                _ => (None, format!("{}: {money}", kind.replace('_', " "))),
            }
        }
        "budget_allocation" => of_allocation(fields, '+'),
        _ => (None, "added".into()),
    }
}

/// Money that came, or went.
fn of_allocation(fields: &Fields, sign: char) -> Words {
    let word = |name: &str| fields.get(name).map(plain).unwrap_or_default();
    let money = format!("{sign}{} {} in {}", word("amount"), word("currency"), word("fiscal_year"));
    match text(fields, "phase") {
        Some("appropriation") => (Some(Meaning::CeilingChanged), format!("ceiling: {money} (appropriation)")),
        phase => (None, format!("{}: {money}", phase.unwrap_or_default())),
    }
}

/// A resource that went.
pub(super) fn of_gone(net: &Net, fields: &Fields, known: &Known) -> Words {
    match net.kind.as_str() {
        "assignment" => {
            let role = text(fields, "role").unwrap_or_default();
            (None, format!("no longer {role}: {}", known.entity(id(fields, "entity_id"))))
        }
        "timeline" => (None, format!("{} dates removed", text(fields, "basis").unwrap_or_default())),
        "budget_allocation" => of_allocation(fields, '-'),
        _ => (None, "removed".into()),
    }
}
