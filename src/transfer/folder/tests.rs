use serde_json::json;

use super::*;
use crate::router::nouns;

fn parsed(files: &[(&str, &str)]) -> Result<Value, Vec<String>> {
    let files: Vec<File> = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect();
    match read(&files, nouns()) {
        Ok((document, _)) => Ok(serde_json::from_slice(&document).unwrap()),
        Err(Error::Invalid(faults)) => {
            Err(faults.into_iter().map(|fault| format!("{}: {}", fault.pointer, fault.detail)).collect())
        }
        Err(Error::Malformed(words)) => Err(vec![words]),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn cells_are_read_by_the_schema() {
    let document = parsed(&[
        (
            "strategies.csv",
            "external_id;code;title.ro;languages\ns;007;'=1+1;ro; en\n".replace("ro; en", "\"ro; en\"").as_str(),
        ),
        ("budget_allocations.csv", "fiscal_year,money.amount,money.currency,programme_code\n2024,5.50,RON,007\n"),
        ("dependencies.csv", "lag_days,note\n-3,-3\nx,\n"),
    ])
    .unwrap();
    assert_eq!(
        document["strategies"],
        json!([{"external_id": "s", "code": "007", "title": {"ro": "=1+1"}, "languages": ["ro", "en"]}])
    );
    assert_eq!(
        document["budget_allocations"],
        json!([{"fiscal_year": 2024, "money": {"amount": "5.50", "currency": "RON"}, "programme_code": "007"}])
    );
    assert_eq!(document["dependencies"], json!([{"lag_days": -3, "note": "-3"}, {"lag_days": "x"}]));
}

#[test]
fn what_is_wrong_with_files_is_named_by_file_line_and_column() {
    let faults = |files: &[(&str, &str)]| parsed(files).unwrap_err();
    assert!(faults(&[("initiative.csv", "code\n")])[0].contains("did you mean `initiatives.csv`?"));
    assert!(faults(&[])[0].starts_with("folder: has no files"));
    let found = faults(&[("steps.csv", "code,titel.ro,code,,version,deadline,title.xx\n")]);
    let starts = [
        "steps.csv:1: titel.ro: `titel.ro` is not a known column; did you mean `title.ro`?",
        "steps.csv:1: code: stands twice",
        "steps.csv:1: column 4: ",
        "steps.csv:1: version: is kept by the service",
        "steps.csv:1: deadline: has fields of its own; name them: deadline.text, deadline.kind, deadline.from, deadline.to",
        "steps.csv:1: title.xx: `title.xx` is not a known column",
    ];
    assert_eq!(found.len(), starts.len(), "{found:#?}");
    for (fault, start) in found.iter().zip(starts) {
        assert!(fault.starts_with(start), "{fault}");
    }
    assert!(faults(&[("steps.csv", "title,title.ro\nx,\nx,y\n")])[0].starts_with("steps.csv:3: title.ro: contradicts"));
    assert!(faults(&[("steps.csv", "code\n\"1\n")])[0].starts_with("steps.csv:2: character 1: "));
    let long = format!("{}\n", "x".repeat(1_000_000));
    assert!(faults(&[("steps.csv", &long)])[0].len() < 2000);
}

#[test]
fn every_plan_file_comes_back_from_its_folder() {
    let texts =
        ["", "'", "''", "'=1", "=1", "'s", " x ", "a\r\nb", "\"q\"", "-5", "- 5", "007", "true", "[1]", ";", "ș,ț"];
    let row =
        |text: &&str| json!({"title": {"ro": text, "en": "x"}, "code": text, "languages": ["ro", text], "annex": text});
    let mut rows: Vec<Value> = texts.iter().map(row).collect();
    rows.push(json!({"title": {"en": "x"}, "languages": ["[x"]}));
    let plan = json!({"format": FORMAT, "strategies": rows, "initiatives": [{"code": "1"}]});
    let files = write(plan.to_string().as_bytes(), nouns()).unwrap();
    assert_eq!(files.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["strategies.csv", "initiatives.csv"]);
    let (document, origin) = read(&files, nouns()).unwrap_or_else(|error| panic!("{error:?}"));
    let document: Value = serde_json::from_slice(&document).unwrap();
    assert_eq!(document, plan);
    assert_eq!(origin.places["strategies"][0].line, 2);
}
