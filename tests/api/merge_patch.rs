//! Merge patch against RFC 7396: its own examples, and an independent reading of its text over generated JSON.

use mandate::api::json::merge;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn merged(target: &Value, patch: &Value) -> Value {
    let mut target = target.clone();
    merge(&mut target, patch.clone());
    target
}

/// The RFC as a statement about each name, where the service follows the pseudo-code: the result has what the patch gives and what it
/// does not speak of.
fn as_the_rfc_says(target: Option<&Value>, patch: &Value) -> Value {
    let Value::Object(said) = patch else { return patch.clone() };
    let nothing = Map::new();
    let there = target.and_then(Value::as_object).unwrap_or(&nothing);
    let kept =
        there.iter().filter(|(name, _)| !said.contains_key(*name)).map(|(name, value)| (name.clone(), value.clone()));
    let given = said
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.clone(), as_the_rfc_says(there.get(name), value)));
    Value::Object(kept.chain(given).collect())
}

/// How many members of objects are null; what stands in an array is a value like any other.
fn null_members(value: &Value) -> usize {
    let Value::Object(members) = value else { return 0 };
    members.values().map(|member| if member.is_null() { 1 } else { null_members(member) }).sum()
}

#[test]
fn every_example_of_the_appendix_holds() {
    let examples = [
        (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
        (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
        (json!({"a": "b"}), json!({"a": null}), json!({})),
        (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
        (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
        (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
        (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
        (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
        (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
        (json!({"a": "b"}), json!(["c"]), json!(["c"])),
        (json!({"a": "foo"}), json!(null), json!(null)),
        (json!({"a": "foo"}), json!("bar"), json!("bar")),
        (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
        (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
        (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
    ];
    for (target, patch, result) in examples {
        assert_eq!(merged(&target, &patch), result, "{target} with {patch}");
        assert_eq!(as_the_rfc_says(Some(&target), &patch), result, "the reading itself: {target} with {patch}");
    }
}

/// Few names, so that target and patch meet often.
fn object_of(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    prop::collection::vec(("[a-d]", value), 0..5).prop_map(|members| Value::Object(members.into_iter().collect()))
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        2 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i32>().prop_map(Value::from),
        1 => "[a-zăș]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            3 => object_of(inner),
        ]
    })
}

proptest! {
    #[test]
    fn the_result_is_what_the_rfc_says(target in json_value(), patch in json_value()) {
        prop_assert_eq!(merged(&target, &patch), as_the_rfc_says(Some(&target), &patch));
    }

    #[test]
    fn a_patch_given_twice_changes_nothing_more(target in json_value(), patch in json_value()) {
        let once = merged(&target, &patch);
        prop_assert_eq!(merged(&once, &patch), once);
    }

    #[test]
    fn what_is_no_object_replaces(target in json_value(), patch in json_value().prop_filter("no object", |it| !it.is_object())) {
        prop_assert_eq!(merged(&target, &patch), patch);
    }

    #[test]
    fn null_removes_and_other_names_keep_their_values_and_order(target in object_of(json_value()), name in "[a-d]") {
        let result = merged(&target, &json!({ name.clone(): null }));
        let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let mut left = names(&target);
        left.retain(|kept| *kept != name);
        prop_assert_eq!(names(&result), left.clone());
        prop_assert!(left.iter().all(|kept| result[kept] == target[kept]));
    }

    #[test]
    fn no_patch_brings_a_null_into_an_object(target in json_value(), patch in object_of(json_value())) {
        prop_assert!(null_members(&merged(&target, &patch)) <= null_members(&target));
    }
}
