//! Recipients and themes, which have shares of the whole.

use std::collections::HashSet;

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::{Mapper, Part, brief, is_url};
use crate::base::values::codelists;

impl Mapper {
    pub(super) fn recipients(&mut self, activity: &mut Part, fields: &mut Map<String, Value>) {
        let mut found: Vec<(Part, Value)> = Vec::new();
        for (element, field) in [("recipient-country", "country"), ("recipient-region", "region")] {
            for mut part in activity.all(element) {
                let code = part.attribute("code").unwrap_or_default();
                let is_dac =
                    element == "recipient-country" || part.attribute("vocabulary").is_none_or(|word| word == "1");
                let is_known = if field == "country" {
                    codelists::is_country(&code)
                } else {
                    codelists::dac_region(&code).is_some()
                };
                if !is_known || !is_dac {
                    let why = format!(
                        "`{}` is no {field} of the code list (for a region that of the OECD DAC)",
                        brief(&code)
                    );
                    part.refuse(&mut self.listing, &why);
                } else if found.iter().any(|(_, other)| other[field] == code.as_str()) {
                    part.refuse(&mut self.listing, "it stands in the activity already");
                } else {
                    let recipient = json!({field: code, "percentage": self.share(&mut part)});
                    found.push((part, recipient));
                }
            }
        }
        fields.insert("recipients".into(), self.shared(found).into());
    }

    pub(super) fn themes(&mut self, activity: &mut Part, fields: &mut Map<String, Value>) {
        let mut found: Vec<(Part, Value)> = Vec::new();
        let mut seen = HashSet::new();
        for mut part in activity.all("sector") {
            let vocabulary = part.attribute("vocabulary").unwrap_or_else(|| "1".into());
            let code = part.attribute("code").unwrap_or_default();
            let is_known = match vocabulary.as_str() {
                "1" => code.len() == 5 && codelists::is_dac_sector(&code),
                "2" => code.len() == 3 && codelists::is_dac_sector(&code),
                "3" | "4" | "5" | "6" | "7" | "8" | "9" | "10" | "11" | "12" | "98" | "99" => {
                    (1..=100).contains(&code.chars().count())
                }
                _ => false,
            };
            if !is_known {
                let why = format!("`{}` is no code of the vocabulary `{}`", brief(&code), brief(&vocabulary));
                part.refuse(&mut self.listing, &why);
            } else if !seen.insert((vocabulary.clone(), code.clone())) {
                part.refuse(&mut self.listing, "it stands in the activity already");
            } else {
                let url = self.code(&mut part, "vocabulary-uri", is_url);
                let theme = json!({"vocabulary": vocabulary, "vocabulary_url": url, "code": code,
                    "narrative": self.narratives(&mut part), "percentage": self.share(&mut part)});
                found.push((part, theme));
            }
        }
        let mut themes = Vec::new();
        while let Some((_, first)) = found.first() {
            let vocabulary = first["vocabulary"].clone();
            let (own, others) = found.into_iter().partition(|(_, theme)| theme["vocabulary"] == vocabulary);
            themes.extend(self.shared(own));
            found = others;
        }
        fields.insert("themes".into(), themes.into());
    }

    fn share(&mut self, part: &mut Part) -> Option<String> {
        let word = part.attribute("percentage")?;
        let share =
            word.parse::<Decimal>().ok().filter(|share| *share > Decimal::ZERO && *share <= Decimal::ONE_HUNDRED);
        let share = share.map(|share| share.normalize()).filter(|share| share.scale() <= 6);
        if share.is_none() {
            part.leave("@percentage", &mut self.listing, "is not above 0 and up to 100, with at most six decimals");
        }
        share.map(|share| share.to_string())
    }

    /// Takes the shares away where they are not given for all, or do not sum to 100.
    fn shared(&mut self, found: Vec<(Part, Value)>) -> Vec<Value> {
        let shares: Vec<Decimal> =
            found.iter().filter_map(|(_, value)| value["percentage"].as_str()?.parse().ok()).collect();
        let is_good = shares.len() == found.len() && shares.iter().sum::<Decimal>() == Decimal::ONE_HUNDRED;
        let mut values = Vec::with_capacity(found.len());
        for (part, mut value) in found {
            if !is_good && value["percentage"].take().is_string() {
                part.leave("@percentage", &mut self.listing, "the shares are not given for all, or do not sum to 100");
            }
            part.rest(&mut self.listing);
            values.push(value);
        }
        values
    }
}
