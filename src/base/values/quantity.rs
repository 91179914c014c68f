//! `Quantity`: an exact number that is no money.

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sqlx::{Decode, Postgres, Type, postgres::PgTypeInfo, postgres::PgValueRef};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema},
};

/// An exact number, kept as it is written but for zeros at its end: `1.50` is `1.5`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(Decimal);

impl Quantity {
    fn of(number: Decimal) -> Self {
        // PostgreSQL knows no negative zero.
        Self(if number.is_zero() { Decimal::ZERO } else { number.normalize() })
    }

    /// The number.
    pub fn number(self) -> Decimal {
        self.0
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = String::deserialize(deserializer)?;
        words.parse().map(Self::of).map_err(D::Error::custom)
    }
}

impl Type<Postgres> for Quantity {
    fn type_info() -> PgTypeInfo {
        <Decimal as Type<Postgres>>::type_info()
    }
}

impl<'r> Decode<'r, Postgres> for Quantity {
    fn decode(value: PgValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
        <Decimal as Decode<Postgres>>::decode(value).map(Self::of)
    }
}

impl PartialSchema for Quantity {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(schema::Type::String)
            .pattern(Some(r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,6})?$"))
            .description(Some("A decimal string such as `12.5`; a JSON number is refused, because it loses digits."))
            .examples([serde_json::json!("12.5")])
            .into()
    }
}

impl ToSchema for Quantity {
    fn name() -> std::borrow::Cow<'static, str> {
        "Quantity".into()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_number_has_one_spelling() {
        for (given, kept) in [("1.50", "1.5"), ("-0.0", "0"), ("100", "100"), ("-3.250", "-3.25")] {
            let number: Quantity = serde_json::from_value(json!(given)).unwrap();
            assert_eq!(serde_json::to_value(number).unwrap(), json!(kept));
        }
        assert!(serde_json::from_value::<Quantity>(json!(1.5)).is_err());
    }
}
