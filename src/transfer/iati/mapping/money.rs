//! Budgets, planned disbursements and transactions.

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::{Mapper, Part, brief};
use crate::{
    base::values::codelists,
    nouns::international::contributions::{MOST_BUDGETS, MOST_DISBURSEMENTS, MOST_TRANSACTIONS},
    transfer::iati::codes,
};

/// An amount as an element has it.
struct Amount {
    money: Value,
    is_negative: bool,
    value_on: String,
}

impl Mapper {
    pub(super) fn money(&mut self, activity: &mut Part, fields: &mut Map<String, Value>) {
        let budgets: Vec<Value> =
            self.first(activity, "budget", MOST_BUDGETS).into_iter().filter_map(|part| self.budget(part)).collect();
        let planned: Vec<Value> = self
            .first(activity, "planned-disbursement", MOST_DISBURSEMENTS)
            .into_iter()
            .filter_map(|part| self.planned(part))
            .collect();
        let transactions: Vec<Value> = self
            .first(activity, "transaction", MOST_TRANSACTIONS)
            .into_iter()
            .filter_map(|part| self.transaction(part))
            .collect();
        fields.insert("budgets".into(), budgets.into());
        fields.insert("planned_disbursements".into(), planned.into());
        fields.insert("transactions".into(), transactions.into());
    }

    fn budget(&mut self, mut part: Part) -> Option<Value> {
        // Without a code it is the first of its list, says the standard.
        let kind = self.word(&mut part, "type", codes::BUDGET_KINDS).unwrap_or("original");
        let status = self.word(&mut part, "status", codes::BUDGET_STATUSES).unwrap_or("indicative");
        let (from, to) = (self.day_of(&mut part, "period-start"), self.day_of(&mut part, "period-end"));
        let (amount, from, to) = match (self.amount(&mut part), from, to) {
            (Ok(amount), Some(from), Some(to)) if !amount.is_negative => (amount, from, to),
            (Ok(amount), Some(_), Some(_)) if amount.is_negative => return self.without(part, "is below zero"),
            (Err(why), ..) => return self.without(part, why),
            _ => return self.without(part, "has no period"),
        };
        part.rest(&mut self.listing);
        Some(
            json!({"kind": kind, "status": status, "from": from, "to": to, "money": amount.money, "value_on": amount.value_on}),
        )
    }

    fn planned(&mut self, mut part: Part) -> Option<Value> {
        let kind = self.word(&mut part, "type", codes::BUDGET_KINDS);
        let (from, to) = (self.day_of(&mut part, "period-start"), self.day_of(&mut part, "period-end"));
        let (amount, from) = match (self.amount(&mut part), from) {
            (Ok(amount), Some(from)) if !amount.is_negative => (amount, from),
            (Ok(amount), Some(_)) if amount.is_negative => return self.without(part, "is below zero"),
            (Err(why), _) => return self.without(part, why),
            _ => return self.without(part, "has no period"),
        };
        let (provider, receiver) = self.parties(&mut part);
        part.rest(&mut self.listing);
        Some(json!({"kind": kind, "from": from, "to": to, "money": amount.money, "value_on": amount.value_on,
            "provider": provider, "receiver": receiver}))
    }

    fn transaction(&mut self, mut part: Part) -> Option<Value> {
        let kind = part.one("transaction-type").and_then(|mut kind| {
            let word = self.word(&mut kind, "code", codes::TRANSACTIONS);
            kind.rest(&mut self.listing);
            word
        });
        let Some(kind) = kind else { return self.without(part, "its type is not one of the standard") };
        let dated_on = self.day_of(&mut part, "transaction-date");
        let (amount, dated_on) = match (self.amount(&mut part), dated_on) {
            (Ok(amount), Some(dated_on)) => (amount, dated_on),
            (Err(why), _) => return self.without(part, why),
            (_, None) => return self.without(part, "has no day"),
        };
        let reference = self.code(&mut part, "ref", |word| word.chars().count() <= 200);
        let description = part.one("description").and_then(|description| self.text(description));
        let (provider, receiver) = self.parties(&mut part);
        part.rest(&mut self.listing);
        Some(json!({"kind": kind, "reference": reference, "dated_on": dated_on, "money": amount.money,
            "is_reversal": amount.is_negative, "value_on": amount.value_on, "description": description,
            "provider": provider, "receiver": receiver}))
    }

    fn parties(&mut self, part: &mut Part) -> (Option<Value>, Option<Value>) {
        let mut party = |element: &str, activity: &str| {
            let mut party = part.one(element)?;
            let organisation = self.organisation(&mut party, activity);
            party.rest(&mut self.listing);
            organisation.map(Value::Object)
        };
        (party("provider-org", "provider-activity-id"), party("receiver-org", "receiver-activity-id"))
    }

    fn without(&mut self, part: Part, why: &str) -> Option<Value> {
        part.refuse(&mut self.listing, why);
        None
    }

    fn amount(&mut self, part: &mut Part) -> Result<Amount, &'static str> {
        let mut value = part.one("value").ok_or("has no value")?;
        let currency = value.attribute("currency").or_else(|| self.currency.clone());
        let currency = currency.ok_or("has no currency, nor has the activity a default one")?;
        let decimals = codelists::minor_units(&currency).ok_or("its currency is not one of ISO 4217 in use")?;
        let value_on = self.day(&mut value, "value-date").ok_or("has no value date")?;
        let words = value.words();
        let number = words.parse::<Decimal>().map_err(|_| "is too large")?;
        let exact = number.abs();
        let amount = if exact.scale() > decimals { exact.round_dp(decimals).normalize() } else { exact };
        if amount != exact {
            value.leave("text()", &mut self.listing, &format!("`{}` is rounded to {decimals} decimals", brief(&words)));
        }
        if amount.trunc().to_string().len() > 16 {
            return Err("is too large");
        }
        value.rest(&mut self.listing);
        let is_negative = number.is_sign_negative() && !amount.is_zero();
        Ok(Amount { money: json!({"amount": amount.to_string(), "currency": currency}), is_negative, value_on })
    }
}
