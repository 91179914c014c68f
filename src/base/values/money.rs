//! `Money`: an exact amount in one currency.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct as _};
use utoipa::ToSchema;

use super::codelists::minor_units;

/// An exact amount in one currency. Amounts of different currencies are never added.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// A decimal string with at most the decimals of its currency (ISO 4217), such as `120000.50` in RON, `100` in JPY, `1.234` in KWD; a JSON
    /// number is refused, because it loses digits. It is answered with all decimals of the currency.
    #[schema(value_type = String, pattern = r"^(0|[1-9][0-9]{0,15})(\.[0-9]{1,4})?$", example = "120000.50")]
    #[serde(with = "rust_decimal::serde::str")]
    pub amount: Decimal,
    /// ISO 4217 alphabetic code.
    #[schema(pattern = "^[A-Z]{3}$", example = "RON")]
    pub currency: String,
}

impl Money {
    /// The amount with the decimals of its currency.
    pub fn written(&self) -> String {
        written(self.amount, &self.currency)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Money", 2)?;
        fields.serialize_field("amount", &self.written())?;
        fields.serialize_field("currency", &self.currency)?;
        fields.end()
    }
}

/// An amount with the decimals of its currency. One that has more keeps them: nothing is rounded by being shown.
fn written(amount: Decimal, currency: &str) -> String {
    let mut amount = amount.normalize();
    let digits = minor_units(currency).unwrap_or(2);
    if amount.scale() < digits {
        amount.rescale(digits);
    }
    amount.to_string()
}

/// What is wrong with an amount that has more decimals than its currency, and what to give instead.
pub fn excess_digits(amount: Decimal, currency: &str) -> Option<String> {
    let digits = minor_units(currency)?;
    (amount.normalize().scale() > digits).then(|| match digits {
        0 => format!("{currency} has no decimals; give a whole amount, such as {}.", amount.trunc()),
        digits => format!(
            "{currency} has {digits} decimals; give at most so many, such as {}.",
            amount.trunc_with_scale(digits)
        ),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_amount_has_the_decimals_of_its_currency() {
        for (given, currency, answered) in [
            ("100", "RON", "100.00"),
            ("100.5", "RON", "100.50"),
            ("100.00", "JPY", "100"),
            ("100.5", "JPY", "100.5"),
            ("1.234", "KWD", "1.234"),
            ("1", "KWD", "1.000"),
            ("0", "CLF", "0.0000"),
            ("9999999999999999.9999", "CLF", "9999999999999999.9999"),
        ] {
            let money: Money = serde_json::from_value(json!({"amount": given, "currency": currency})).unwrap();
            assert_eq!(serde_json::to_value(money).unwrap(), json!({"amount": answered, "currency": currency}));
        }
    }

    #[test]
    fn too_many_decimals_are_named_with_what_to_give() {
        let said = |amount: &str, currency| excess_digits(amount.parse().unwrap(), currency);
        assert_eq!(said("100.5", "JPY").unwrap(), "JPY has no decimals; give a whole amount, such as 100.");
        assert_eq!(said("1.2345", "KWD").unwrap(), "KWD has 3 decimals; give at most so many, such as 1.234.");
        for (amount, currency) in [("100.00", "JPY"), ("1.2340", "KWD"), ("1.2345", "CLF"), ("1.50", "RON")] {
            assert_eq!(said(amount, currency), None, "{amount} {currency}");
        }
    }
}
