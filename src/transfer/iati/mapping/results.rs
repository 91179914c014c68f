//! Results, their indicators and figures.

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::{Mapper, Part, brief};
use crate::transfer::iati::codes;

impl Mapper {
    pub(super) fn result(&mut self, mut part: Part) -> Option<Value> {
        let Some(kind) = self.word(&mut part, "type", codes::RESULTS) else {
            part.refuse(&mut self.listing, "its type is not one of the standard");
            return None;
        };
        let can_be_added = part.attribute("aggregation-status").map(|word| word == "true" || word == "1");
        let Some(title) = part.one("title").and_then(|title| self.text(title)) else {
            part.refuse(&mut self.listing, "has no title");
            return None;
        };
        let description = part.one("description").and_then(|description| self.text(description));
        let indicators: Vec<Value> =
            part.all("indicator").into_iter().filter_map(|part| self.indicator(part)).collect();
        if indicators.is_empty() {
            part.refuse(&mut self.listing, "has no indicator that could be kept");
            return None;
        }
        part.rest(&mut self.listing);
        Some(json!({"kind": kind, "title": title, "description": description, "can_be_added": can_be_added,
            "indicators": indicators}))
    }

    fn indicator(&mut self, mut part: Part) -> Option<Value> {
        let Some(measure) = self.word(&mut part, "measure", codes::MEASURES) else {
            part.refuse(&mut self.listing, "its measure is not one of the standard");
            return None;
        };
        let direction = self.word(&mut part, "ascending", codes::DIRECTIONS);
        let Some(title) = part.one("title").and_then(|title| self.text(title)) else {
            part.refuse(&mut self.listing, "has no title");
            return None;
        };
        let description = part.one("description").and_then(|description| self.text(description));
        let mut baseline = Value::Null;
        for one in part.all("baseline") {
            if baseline.is_null() {
                baseline = self.baseline(one).unwrap_or_default();
            } else {
                one.refuse(&mut self.listing, "an indicator has one baseline");
            }
        }
        let periods: Vec<Value> = part.all("period").into_iter().filter_map(|part| self.period(part)).collect();
        part.rest(&mut self.listing);
        Some(json!({"title": title, "description": description, "measure": measure, "direction": direction,
            "baseline": baseline, "periods": periods}))
    }

    fn baseline(&mut self, mut part: Part) -> Option<Value> {
        let year = part.attribute("year").and_then(|year| year.parse::<i32>().ok());
        let Some(year) = year.filter(|year| (1990..=2100).contains(year)) else {
            part.refuse(&mut self.listing, "its year is not between 1990 and 2100");
            return None;
        };
        let dated_on = self.day(&mut part, "iso-date");
        let mut figure = self.figure(part)?;
        figure.insert("year".into(), year.into());
        figure.insert("dated_on".into(), json!(dated_on));
        Some(Value::Object(figure))
    }

    fn period(&mut self, mut part: Part) -> Option<Value> {
        let (from, to) = (self.day_of(&mut part, "period-start"), self.day_of(&mut part, "period-end"));
        let (Some(from), Some(to)) = (from, to) else {
            part.refuse(&mut self.listing, "has no days");
            return None;
        };
        let mut figures = |name: &str| -> Vec<Value> {
            part.all(name).into_iter().filter_map(|part| self.figure(part).map(Value::Object)).collect()
        };
        let (targets, actuals) = (figures("target"), figures("actual"));
        part.rest(&mut self.listing);
        Some(json!({"from": from, "to": to, "targets": targets, "actuals": actuals}))
    }

    /// A value, or words in its place, of the whole or of a part.
    fn figure(&mut self, mut part: Part) -> Option<Map<String, Value>> {
        let mut disaggregation = Map::new();
        for mut dimension in part.all("dimension") {
            let (name, value) = (dimension.attribute("name"), dimension.attribute("value"));
            match (name, value) {
                (Some(name), Some(value))
                    if is_dimension(&name, &value)
                        && !disaggregation.contains_key(&name)
                        && disaggregation.len() < 8 =>
                {
                    disaggregation.insert(name, value.into());
                    dimension.rest(&mut self.listing);
                }
                _ => dimension
                    .refuse(&mut self.listing, "a dimension stands once, with a name and a value, eight at most"),
            }
        }
        let mut comment = None;
        for one in part.all("comment") {
            if comment.is_none() {
                comment = self.text(one);
            } else {
                one.refuse(&mut self.listing, "a figure has one comment");
            }
        }
        let word = part.attribute("value");
        let value = word.as_deref().and_then(quantity);
        if let (Some(word), None) = (&word, &value) {
            let why = if comment.is_none() {
                comment = Some(json!({self.language.as_str(): word}));
                format!("`{}` is no number, and is kept as a comment", brief(word))
            } else {
                format!("`{}` is no number", brief(word))
            };
            part.leave("@value", &mut self.listing, &why);
        }
        if value.is_none() && comment.is_none() {
            part.refuse(&mut self.listing, "has neither a value nor a comment");
            return None;
        }
        part.rest(&mut self.listing);
        match json!({"value": value, "disaggregation": disaggregation, "comment": comment}) {
            Value::Object(figure) => Some(figure),
            _ => None,
        }
    }
}

fn is_dimension(name: &str, value: &str) -> bool {
    let is_line = |word: &str| !word.contains(['\n', '\r']) && word.chars().count() <= 100;
    is_line(name) && is_line(value) && !name.contains('.')
}

/// A number as it is kept here: 15 digits before the point, six after it.
fn quantity(word: &str) -> Option<String> {
    let number = word.parse::<Decimal>().ok()?.normalize();
    let fits = number.scale() <= 6 && number.trunc().abs().to_string().len() <= 15;
    fits.then(|| if number.is_zero() { "0".into() } else { number.to_string() })
}
