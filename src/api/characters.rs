//! Texts as they come in: no string of a body or a query, and no key, has a character that does something to whoever shows it.

use serde_json::Value;

use crate::base::text::brief;
use crate::{
    base::values::characters::{Unfit, unfit_in_text},
    repository::Fault,
};

/// Adds a fault for each string that has such a character, and of which nothing of the kind was said, until there are so many.
pub(super) fn judge(value: &Value, most: usize, faults: &mut Vec<Fault>) {
    walk("#", value, most, faults);
}

fn walk(pointer: &str, value: &Value, most: usize, faults: &mut Vec<Fault>) {
    if faults.len() > most {
        return;
    }
    match value {
        Value::String(words) => {
            if let Some(unfit) = unfit_in_text(words) {
                add(pointer, unfit, faults);
            }
        }
        Value::Array(items) => {
            let may_have_words = |item: &&Value| item.is_string() || item.is_array() || item.is_object();
            for (index, item) in items.iter().enumerate().filter(|(_, item)| may_have_words(item)) {
                walk(&format!("{pointer}/{index}"), item, most, faults);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                let inner = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
                match unfit_in_text(name) {
                    Some(unfit) => add(&brief(&inner), unfit, faults),
                    None => walk(&inner, field, most, faults),
                }
            }
        }
        _ => {}
    }
}

fn add(pointer: &str, unfit: Unfit, faults: &mut Vec<Fault>) {
    const CODE: &str = "invisible_character";
    if !faults.iter().any(|fault| fault.pointer == pointer && fault.code == CODE) {
        faults.push(Fault { pointer: pointer.into(), code: CODE.into(), detail: unfit.to_string() });
    }
}
