use proptest::{collection::vec, prelude::*};

use super::*;

fn read(bytes: &[u8]) -> Result<(Vec<String>, Vec<Record>), Vec<Flaw>> {
    let mut sheet = Sheet::open(bytes).map_err(|flaw| vec![flaw])?;
    let (mut records, mut flaws) = (Vec::new(), Vec::new());
    for record in &mut sheet {
        match record {
            Ok(record) => records.push(record),
            Err(flaw) => flaws.push(flaw),
        }
    }
    if flaws.is_empty() { Ok((sheet.headers, records)) } else { Err(flaws) }
}

fn flaws(text: &str) -> Vec<String> {
    let flaws = read(text.as_bytes()).unwrap_err();
    flaws
        .into_iter()
        .map(|flaw| flaw.fault(Some("f.csv")))
        .map(|fault| format!("{} {}", fault.pointer, fault.code))
        .collect()
}

#[test]
fn records_know_their_lines() {
    let (headers, records) = read("\u{feff}a; b \r\n\r\n1;\"x\r\ny\"\r\n;\r\n2;\"\"\"z\"\"\"".as_bytes()).unwrap();
    assert_eq!(headers, ["a", "b"]);
    let lines: Vec<_> = records.iter().map(|record| (record.line, record.cells[1].as_str())).collect();
    assert_eq!(lines, [(3, "x\r\ny"), (6, "\"z\"")]);
}

#[test]
fn flaws_name_their_place() {
    assert_eq!(flaws(""), ["f.csv:1 required"]);
    assert_eq!(flaws("a,b\n1\n1,2\n1,2,3\n"), ["f.csv:2 ragged", "f.csv:4 ragged"]);
    assert_eq!(flaws("a,b\n1,\"x\n\n2,y\n"), ["f.csv:2: character 3 malformed"]);
    assert_eq!(flaws("a,b\n1,x\"y\"\n"), ["f.csv:2: character 4 malformed"]);
    assert_eq!(flaws("a,b\n1,\"x\"y\n"), ["f.csv:2: character 6 malformed"]);
    assert_eq!(flaws("a,b\n1,\0\n"), ["f.csv:2: character 3 malformed"]);
    let found = read(b"a,b\n\xc8\x99i,\xff\n").unwrap_err();
    assert_eq!((found[0].line, found[0].column.as_deref()), (2, Some("character 4")));
    assert!(found[0].detail.contains("CSV UTF-8"));
}

#[test]
fn a_header_has_an_end() {
    assert_eq!(flaws(&"a,".repeat(1_000_000)), ["f.csv:1 too_many"]);
}

#[test]
fn the_delimiter_is_the_one_of_the_header() {
    assert_eq!(delimiter("\"a;b;c\",d\n;;;"), ',');
    assert_eq!(delimiter("a;b,c;d\n,,,,"), ';');
}

proptest! {
    #[test]
    fn what_is_written_is_read(rows in vec(vec("[a\",;\r\n' ăț=]{0,5}", 3), 0..5)) {
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        writer.write_record(["x", "y", "z"]).unwrap();
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let (_, records) = read(&writer.into_inner().unwrap()).unwrap();
        let read: Vec<Vec<String>> = records.into_iter().map(|record| record.cells).collect();
        let written: Vec<Vec<String>> =
            rows.into_iter().filter(|row| row.iter().any(|cell| !cell.trim().is_empty())).collect();
        prop_assert_eq!(read, written);
    }
}
