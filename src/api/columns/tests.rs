use serde::Serialize;
use serde_json::json;

use super::*;
use crate::base::values::{Money, Text};

#[derive(Serialize, ToSchema)]
struct Part {
    name: Option<Text>,
    money: Money,
    tags: Vec<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is asked for")]
enum Either {
    Left { left: i32 },
    Right { right: Option<Text> },
}

#[derive(Serialize, ToSchema)]
struct Row {
    id: i64,
    title: Text,
    price: Option<Money>,
    parts: Vec<Part>,
    either: Option<Either>,
    names: Vec<Text>,
    #[schema(value_type = Object)]
    open: Value,
    scores: Vec<i32>,
}

fn row() -> Value {
    json!({"id": 1, "title": {"en": "T", "ro": "Ț"}, "price": null, "parts": [
            {"name": {"ro": "a"}, "money": {"amount": "1.00", "currency": "RON"}, "tags": ["x", "y"]},
            {"name": null, "money": {"amount": "2.00", "currency": "EUR"}, "tags": []}],
        "either": {"kind": "left", "left": 3}, "names": [{"en": "n"}], "open": {"a": {"b": 1}, "c": [1, 2], "d": null}, "scores": [1, -2]})
}

#[test]
fn columns_follow_from_the_schema_and_cells_from_the_row() {
    let columns = Columns::of::<Row>();
    let names = columns.names(None);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "id",
            "title.ro",
            "title.en",
            "price.amount",
            "price.currency",
            "parts.name.ro",
            "parts.name.en",
            "parts.money.amount",
            "parts.money.currency",
            "parts.tags",
            "either.left",
            "either.kind",
            "either.right.ro",
            "either.right.en",
            "names.ro",
            "names.en",
            "open",
            "scores"
        ]
    );
    let cells: Vec<String> = columns.cells(&row(), None).iter().map(plain).collect();
    assert_eq!(
        cells,
        [
            "1",
            "Ț",
            "T",
            "",
            "",
            "a; ",
            "",
            "1.00; 2.00",
            "RON; EUR",
            "x, y; ",
            "3",
            "left",
            "",
            "",
            "",
            "n",
            "a.b=1; c=1, 2",
            "1; -2"
        ]
    );
    assert_eq!(columns.cells(&json!({}), None).len(), names.len());
}

#[test]
fn in_a_language_each_text_has_one_column() {
    let columns = Columns::of::<Row>();
    let names = columns.names(Some("en"));
    assert_eq!(names.iter().filter(|name| name.starts_with("title")).collect::<Vec<_>>(), ["title"]);
    let cells = columns.cells(&row(), Some("en"));
    assert_eq!(cells.len(), names.len());
    assert_eq!(
        (&cells[1], &cells[4]),
        (&json!("T"), &json!("a; ")),
        "what is not said in English is said in the first language"
    );
    let mut spoken = row();
    columns.speak(&mut spoken, "en");
    assert_eq!(
        (&spoken["title"], &spoken["parts"][0]["name"], &spoken["names"]),
        (&json!("T"), &json!("a"), &json!(["n"]))
    );
    assert_eq!(columns.cells(&spoken, Some("en")), cells);
}
