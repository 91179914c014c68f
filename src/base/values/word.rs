//! An enumeration, or another value that is one word in JSON, as that word.

use serde::Serialize;
use serde_json::Value;

/// The word of a value, as JSON has it; empty for what is no word.
pub fn word(value: impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}

/// The words of some values.
pub fn words(values: &[impl Serialize]) -> Vec<String> {
    values.iter().map(word).collect()
}
