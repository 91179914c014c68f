//! `Money`: an exact amount in one currency.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An exact amount in one currency. Amounts of different currencies are never added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// A decimal string with at most two decimals, such as `120000.50`; a JSON number is refused, because it loses digits.
    #[schema(value_type = String, pattern = r"^(0|[1-9][0-9]{0,15})(\.[0-9]{1,2})?$", example = "120000.50")]
    #[serde(with = "rust_decimal::serde::str")]
    pub amount: rust_decimal::Decimal,
    /// ISO 4217 alphabetic code.
    #[schema(pattern = "^[A-Z]{3}$", example = "RON")]
    pub currency: String,
}
