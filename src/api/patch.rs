//! The one merge of `PATCH` and of imports: a resource with the fields that somebody names, and all others as they were.

use serde_json::Value;

use super::{
    answer::internal,
    json::{self, Field},
    shape::Shape,
};
use crate::error::Error;
use crate::repository::Resource;

/// A resource with the patch applied, not yet judged. Absent is unchanged, null is cleared, and one language of a text touches that language only.
pub(crate) fn patched<R: Resource>(before: &R, patch: Value) -> Result<Value, Error> {
    let mut fields = serde_json::to_value(before).map_err(internal)?;
    forget_derived(&mut fields, &patch);
    for name in before.outlived_by(&patch) {
        fields[*name] = Value::Null;
    }
    Ok(json::patched(fields, patch, |name| Shape::of::<R>().field(name)))
}

/// The fields of a new resource as a file names them: a language that it names as empty is one that is not there.
pub(crate) fn named<R: Resource>(mut fields: Value) -> Value {
    for (name, value) in fields.as_object_mut().into_iter().flatten() {
        if let (Field::Text { .. }, Some(words)) = (Shape::of::<R>().field(name), value.as_object_mut()) {
            words.retain(|_, words| !words.is_null());
        }
    }
    fields
}

/// What was read out of a text (the kind and the days of a deadline) does not outlive the text.
fn forget_derived(body: &mut Value, patch: &Value) {
    for (name, change) in patch.as_object().into_iter().flatten() {
        let before = body.get(name).filter(|value| value.get("kind").is_some());
        let is_other = before.zip(change.get("text")).is_some_and(|(before, text)| before["text"] != *text);
        if is_other {
            body[name] = Value::Null;
        }
    }
}
