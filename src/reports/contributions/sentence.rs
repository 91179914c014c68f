//! Each row of the report of contributions in words, in English and Romanian.

use super::{
    super::grammar::{Both, counted, told},
    Row,
};

/// Writes the sentences; what is zero in all years says so, and what would change it.
pub(super) fn write(rows: &mut [Row], years: (i32, i32)) {
    for direction in ["given", "received"] {
        let of_direction: Vec<usize> = (0..rows.len()).filter(|place| rows[*place].direction == direction).collect();
        let all_zero = of_direction.iter().all(|place| rows[*place].active == 0);
        for place in &of_direction {
            let year = rows[*place].year;
            let has_siblings = of_direction.iter().filter(|other| rows[**other].year == year).count() > 1;
            let mut words = of_row(&rows[*place], has_siblings);
            if all_zero {
                add(&mut words, &remains(direction, years));
            }
            rows[*place].sentence = told(words);
        }
    }
}

fn add(words: &mut Both, more: &Both) {
    words.0.push_str(&more.0);
    words.1.push_str(&more.1);
}

fn of_row(row: &Row, has_siblings: bool) -> Both {
    let mut words = match (row.active, place(row)) {
        (0, _) => none(row),
        (_, None) if has_siblings => undivided(row),
        _ => some(row),
    };
    match row.planned {
        0 => {}
        1 => add(&mut words, &(" One is planned.".into(), " Una este planificată.".into())),
        n => add(&mut words, &(format!(" {n} are planned."), format!(" {n} sunt planificate."))),
    }
    words
}

fn is_given(row: &Row) -> bool {
    row.direction == "given"
}

/// The country or region.
fn place(row: &Row) -> Option<&str> {
    row.country.as_deref().or(row.region_name.as_deref()).or(row.region.as_deref())
}

fn whom(row: &Row) -> Both {
    place(row).map(|place| (format!(" for {place}"), format!(" pentru {place}"))).unwrap_or_default()
}

fn none(row: &Row) -> Both {
    let (year, way, whom) = (row.year, if is_given(row) { "acordată" } else { "primită" }, whom(row));
    (
        format!("No contribution to capacity building was {} in {year}{}.", row.direction, whom.0),
        format!("În {year} nu a fost {way} nicio contribuție la consolidarea capacităților{}.", whom.1),
    )
}

/// The row of what is known only of several recipients together.
fn undivided(row: &Row) -> Both {
    let (n, year) = (row.active, row.year);
    let of = if n == 1 { "a contribution".to_owned() } else { format!("{n} contributions") };
    let ale =
        if n == 1 { "ale unei contribuții".to_owned() } else { format!("ale {}", counted(n, "", "contribuții")) };
    let mut words = (
        format!(
            "Of {of} to capacity building {} in {year} some figures are not told apart by recipient",
            row.direction
        ),
        format!(
            "Unele cifre {ale} la consolidarea capacităților, {} în {year}, nu sunt defalcate pe beneficiari",
            match (is_given(row), n) {
                (true, 1) => "acordată",
                (true, _) => "acordate",
                (false, 1) => "primită",
                (false, _) => "primite",
            }
        ),
    );
    if row.trained.is_some() {
        let people = people(row);
        add(&mut words, &(format!("; {}", people.0), format!("; {}", people.1)));
    }
    add(&mut words, &(".".into(), ".".into()));
    words
}

fn remains(direction: &str, (from, to): (i32, i32)) -> Both {
    let years = if from == to {
        (format!("in {to}"), format!("în {to}"))
    } else {
        (format!("from {from} to {to}"), format!("din {from} până în {to}"))
    };
    let (recipient, primitor) = if direction == "given" {
        (", a start in these years and a recipient", ", un început în acești ani și un beneficiar")
    } else {
        (" and a start in these years", " și un început în acești ani")
    };
    (
        format!(
            " The number remains at zero {}. A record in `contributions` with the direction `{direction}`, the status `implementation`{recipient} would change that.",
            years.0
        ),
        format!(
            " Numărul rămâne la zero {}. O înregistrare în `contributions` cu direcția `{direction}`, starea `implementation`{primitor} ar schimba aceasta.",
            years.1
        ),
    )
}

fn some(row: &Row) -> Both {
    let (n, year) = (row.active, row.year);
    let (whom, pe) = whom(row);
    let (what, was) = if n == 1 { ("contribution", "was") } else { ("contributions", "were") };
    let way = match (is_given(row), n) {
        (true, 1) => "a fost acordată",
        (true, _) => "au fost acordate",
        (false, 1) => "a fost primită",
        (false, _) => "au fost primite",
    };
    let ce = counted(n, "o contribuție", "contribuții");
    let people = people(row);
    (
        format!("In {year} {n} {what} to capacity building {was} {}{whom}; {}.", row.direction, people.0),
        format!("În {year} {way} {ce} la consolidarea capacităților{pe}; {}.", people.1),
    )
}

fn people(row: &Row) -> Both {
    let Some(trained) = row.trained else {
        return (
            "how many people were trained is not stated".into(),
            "nu se spune câte persoane au fost instruite".into(),
        );
    };
    let mut parts = (Vec::new(), Vec::new());
    for (count, (an, all), (unu, toate)) in [
        (row.women, ("woman", "women"), ("o femeie", "femei")),
        (row.men, ("man", "men"), ("un bărbat", "bărbați")),
        (row.other, ("of another sex", "of another sex"), ("o persoană de alt sex", "persoane de alt sex")),
        (
            row.unknown,
            ("not counted by sex", "not counted by sex"),
            ("o persoană fără sexul notat", "persoane fără sexul notat"),
        ),
    ] {
        if let Some(count) = count.filter(|count| *count > 0) {
            parts.0.push(format!("{count} {}", if count == 1 { an } else { all }));
            parts.1.push(counted(count, unu, toate));
        }
    }
    let were = if trained == 1 { "person was" } else { "people were" };
    let au = if trained == 1 { "a fost instruită" } else { "au fost instruite" };
    let mut words =
        (format!("{trained} {were} trained"), format!("{} {au}", counted(trained, "o persoană", "persoane")));
    if !parts.0.is_empty() {
        add(&mut words, &(format!(" ({})", parts.0.join(", ")), format!(" ({})", parts.1.join(", "))));
    }
    match row.unstated {
        0 => {}
        1 => add(&mut words, &(", and one does not say how many".into(), ", iar una nu spune câte".into())),
        n => add(&mut words, &(format!(", and {n} do not say how many"), format!(", iar {n} nu spun câte"))),
    }
    words
}
