use serde_json::{Value, json};

use super::{
    mapping::{Given, MappingFile, pairs},
    *,
};
use crate::transfer::origin::Origin;

const CSV: &str = "\u{feff}Obiectiv;Nr.;Acțiune;Subacțiune;Responsabil;Participant;Termen\n\
    Educație;1;Cursuri;Cadru;MEN;\"DNSC; MAI\";2024\n\
    ;;;Pilot;DNSC;;trimestrul II 2025\n";
const MAP: &str = "objective=OBIECTIV,code=Nr.,title=\"actiune\",step=Subacţiune,lead=Responsabil,support=Participant,deadline=Termen";

fn with(bytes: &str, map: &str, fill_down: &[&str], currency: Option<&str>) -> Result<(Value, Origin), Vec<String>> {
    let fill_down: Vec<String> = fill_down.iter().map(|name| (*name).to_owned()).collect();
    let given = Given { map, fill_down: &fill_down, ..Given::default() };
    let target = Target {
        strategy: Uuid::nil(),
        prefix: "p".into(),
        currency: currency.map(str::to_owned),
        language: None,
        empty: Empty::Unchanged,
        most: usize::MAX,
    };
    let mapping = given.mapping();
    let outcome = mapping.and_then(|mapping| {
        let plan = plan(bytes.as_bytes(), &mapping, &target).map_err(|unread| match unread {
            Unread::Problem(error) => error,
            Unread::Rows(flaws) => problem(flaws.into_iter().map(|(_, flaw)| flaw).collect()),
        })?;
        Ok((plan.sections.into_iter().map(|(name, rows)| (name.to_owned(), Value::from(rows))).collect(), plan.origin))
    });
    match outcome {
        Ok((sections, origin)) => Ok((Value::Object(sections), origin)),
        Err(Error::Invalid(faults) | Error::BadQuery(faults)) => {
            Err(faults.into_iter().map(|fault| format!("{}: {}", fault.pointer, fault.detail)).collect())
        }
        Err(Error::Malformed(words)) => Err(vec![words]),
        Err(other) => panic!("{other:?}"),
    }
}

fn document(bytes: &str, map: &str) -> Result<Value, Vec<String>> {
    let filled: Vec<&str> = ["objective", "title", "code"].into_iter().filter(|role| map.contains(role)).collect();
    with(bytes, map, &filled, Some("RON")).map(|(document, _)| document)
}

#[test]
fn a_table_becomes_a_plan() {
    let document = document(CSV, MAP).unwrap();
    let codes = |section: &str| -> Vec<String> {
        let rows = document[section].as_array().unwrap();
        rows.iter().map(|row| row["external_id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(codes("objectives"), ["p-objective-educatie"]);
    assert_eq!(codes("initiatives"), ["p-initiative-1"]);
    assert_eq!(codes("steps"), ["p-initiative-1-step-cadru", "p-initiative-1-step-pilot"]);
    assert_eq!(codes("entities"), ["p-entity-men", "p-entity-dnsc", "p-entity-mai"]);
    assert_eq!(document["assignments"].as_array().unwrap().len(), 4);
    assert_eq!(document["assignments"][1]["source_label"], "Participant");
    assert_eq!(document["steps"][1]["deadline"], json!({"text": "trimestrul II 2025"}));
}

#[test]
fn unknown_names_are_hinted_at() {
    let words = |map: &str| document(CSV, map).unwrap_err().join("\n");
    assert!(words("title=Actiuni").contains("did you mean `Acțiune`?"));
    assert!(words("titel=Acțiune").contains("did you mean `title`?"));
    assert!(words("code=Nr.").contains("must say which column has the title"));
    assert!(words("title=Acțiune,amount=Nr.").contains("`amount`, which needs a column for `fiscal_year` too"));
    assert!(with(CSV, MAP, &["titel"], None).unwrap_err()[0].starts_with("fill_down: "));
}

#[test]
fn spanned_cells_are_repeated_only_where_asked() {
    let found = with(CSV, MAP, &[], None).unwrap_err();
    assert_eq!(found, ["line 3: Acțiune: has no title; if the cell is spanned, name `title` in fill_down"]);
}

#[test]
fn headers_with_commas_are_read() {
    assert_eq!(
        pairs("title=\"Ce, când\",code=Nr").unwrap(),
        [("title".to_owned(), "Ce, când".to_owned()), ("code".to_owned(), "Nr".to_owned())]
    );
}

#[test]
fn every_faulty_row_is_named() {
    let csv = "Nr,Titlu,Suma,An,Moneda\n1,a,1.234,2024,\n1,a,,,\n2,b,5,,\n3,c,5,MMXXIV,\n";
    let map = "code=Nr,title=Titlu,amount=Suma,fiscal_year=An,currency=Moneda";
    let found = with(csv, map, &[], Some("RON")).unwrap_err();
    let places: Vec<&str> = found.iter().map(|fault| &fault[..fault.find(": ").unwrap() + 6]).collect();
    assert_eq!(places, ["line 2: Suma", "line 3: Nr: ", "line 4: An: ", "line 5: An: "]);
    assert!(with("Nr,Titlu,Suma,An,Moneda\n1,a,5,2024,\n", map, &[], None).unwrap_err()[0].contains("map `currency`"));
}

#[test]
fn a_table_has_an_end() {
    let rows = (0..=ROWS).map(|n| n.to_string()).collect::<Vec<_>>().join("\n");
    assert_eq!(
        with(&format!("T\n{rows}"), "title=T", &[], None).unwrap_err(),
        ["line 100002: a table may have 100000 rows; split it"]
    );
    let many = with(&format!("T\n{}", "x\n".repeat(5000)), "title=T", &[], None).unwrap_err();
    assert_eq!(
        (many.len(), many[1000].as_str()),
        (1001, "line 1003: there are more than 1000 faults; correct these first")
    );
}

#[test]
fn money_is_an_estimate_in_the_currency_of_the_cell_or_of_the_service() {
    let csv = "Titlu,Suma,An,Moneda,Sursa\na,\"1.234.567,89\",2024,,PNRR\nb,10,2025,EUR,pnrr\nc,,,,Buget\n";
    let map = "title=Titlu,amount=Suma,fiscal_year=An,currency=Moneda,funding_source=Sursa";
    let (document, origin) = with(csv, map, &[], Some("RON")).unwrap();
    let rows = &document["budget_allocations"];
    assert_eq!(rows[0]["money"], json!({"amount": "1234567.89", "currency": "RON"}));
    assert_eq!(rows[1]["money"], json!({"amount": "10", "currency": "EUR"}));
    assert_eq!((&rows[0]["phase"], &rows[0]["fiscal_year"]), (&json!("estimate"), &json!(2024)));
    assert_eq!(rows[1]["funding_source_id"], "external:p-funding-source-pnrr");
    assert_eq!((rows.as_array().unwrap().len(), document["funding_sources"].as_array().unwrap().len()), (2, 1));
    assert_eq!(origin.places["budget_allocations"][1].line, 3);
}

#[test]
fn a_mapping_file_is_held_against_its_schema() {
    let text = r#"{"strategy_id": "external:p", "map": {"title": "Acțiune", "lead": "Responsabil"}, "fill_down": ["title"], "decimal": ","}"#;
    let file = MappingFile::read(text.as_bytes()).unwrap();
    let mapping = file.mapping().unwrap();
    assert_eq!((mapping.columns.len(), mapping.decimal), (2, Some(DecimalMark::Comma)));
    let words = |text: &str| match MappingFile::read(text.as_bytes()).and_then(|file| file.mapping()) {
        Err(Error::Invalid(faults) | Error::BadQuery(faults)) => format!("{faults:?}"),
        other => panic!("{other:?}"),
    };
    assert!(words(r#"{"mapp": {"title": "x"}}"#).contains("did you mean `map`?"));
    assert!(words(r#"{"map": {"titel": "x", "title": "y"}}"#).contains("did you mean `title`?"));
    assert!(words(r#"{"map": {"title": "x"}, "decimal": ";"}"#).contains("must be one of ,, ."));
    assert!(words("{}").contains("is required"));
}
