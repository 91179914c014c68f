use super::*;

fn arguments(map: &str) -> ImportArguments {
    ImportArguments {
        file: "plan.csv".into(),
        dry_run: false,
        strategy: Some("external:p".into()),
        map: Some(map.into()),
        fill_down: vec!["objective".into(), "title".into(), "code".into()],
        separator: None,
    }
}

const CSV: &str = "\u{feff}Obiectiv;Nr.;Acțiune;Subacțiune;Responsabil;Participant;Termen\n\
    Educație;1;Cursuri;Cadru;MEN;\"DNSC; MAI\";2024\n\
    ;;;Pilot;DNSC;;trimestrul II 2025\n";
const MAP: &str = "objective=OBIECTIV,code=Nr.,title=\"actiune\",step=Subacţiune,lead=Responsabil,support=Participant,deadline=Termen";

fn document(bytes: &str, map: &str) -> anyhow::Result<Value> {
    Ok(serde_json::from_slice(&plan(bytes.as_bytes(), &arguments(map))?)?)
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
    let words = |map: &str| document(CSV, map).unwrap_err().to_string();
    assert!(words("title=Actiuni").contains("did you mean `Acțiune`?"));
    assert!(words("titel=Acțiune").contains("did you mean `title`?"));
    assert!(words("code=Nr.").contains("title"));
}

#[test]
fn spanned_cells_are_repeated_only_where_asked() {
    let mut arguments = arguments(MAP);
    arguments.fill_down.clear();
    assert!(plan(CSV.as_bytes(), &arguments).is_err());
}

#[test]
fn headers_with_commas_are_read() {
    assert_eq!(
        pairs("title=\"Ce, când\",code=Nr").unwrap(),
        [("title".to_owned(), "Ce, când".to_owned()), ("code".to_owned(), "Nr".to_owned())]
    );
    assert_eq!(delimiter("\"a;b;c\",d\n;;;"), b',');
}
