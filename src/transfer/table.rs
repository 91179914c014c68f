//! A table of another system, row by row, as a plan file.
//!
//! Each row is an initiative, or, where `step` is mapped, a step of one. What the table repeats (objectives, initiatives, entities) is made
//! once. All external ids are derived from the strategy's and from the codes or names, so that a later import of the table finds its rows.

use std::collections::HashMap;

use anyhow::{Context as _, bail, ensure};
use serde_json::{Map, Value, json};

use super::plan_file::FORMAT;
use crate::{api::shape::unknown, config::ImportArguments};

/// What a column can hold.
const ROLES: [&str; 10] =
    ["objective_code", "objective", "code", "title", "description", "step_code", "step", "lead", "support", "deadline"];

/// Turns a table into a plan file.
pub fn plan(bytes: &[u8], arguments: &ImportArguments) -> anyhow::Result<Vec<u8>> {
    let strategy = arguments
        .strategy
        .as_deref()
        .and_then(|word| word.strip_prefix("external:"))
        .filter(|name| !name.is_empty())
        .context("a table needs --strategy external:ID, the strategy into which its rows go")?;
    let map = arguments.map.as_deref().context("a table needs --map, such as code=\"Nr\",title=\"Titlu\"")?;
    let table = Table::read(bytes, map, &arguments.fill_down)?;
    let separators: Vec<&str> = match arguments.separator.as_deref() {
        Some(separator) => vec![separator],
        None => vec![";", "\n"],
    };
    ensure!(!separators.contains(&""), "--separator must not be empty");
    let mut plan = Plan { strategy, separators, made: HashMap::new(), sections: Map::new() };
    for (number, row) in table.rows.iter().enumerate() {
        // The header is the first line of the table for whoever looks it up.
        plan.add(&table, row).with_context(|| format!("row {} of the table", number + 2))?;
    }
    let mut document = json!({"format": FORMAT});
    for section in ["entities", "objectives", "initiatives", "steps", "assignments"] {
        if let Some(rows) = plan.sections.remove(section) {
            document[section] = rows;
        }
    }
    Ok(document.to_string().into_bytes())
}

/// The mapped columns of a table: role, header as printed, cells.
#[derive(Debug)]
struct Table {
    columns: Vec<(&'static str, String)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn read(bytes: &[u8], map: &str, fill_down: &[String]) -> anyhow::Result<Self> {
        let text = std::str::from_utf8(bytes).context("the table is not UTF-8; save it as \"CSV UTF-8\"")?;
        let text = text.trim_start_matches('\u{feff}');
        let delimiter = delimiter(text);
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(text.as_bytes());
        let headers: Vec<String> = reader.headers()?.iter().map(|header| header.trim().to_owned()).collect();
        let mut columns = Vec::new();
        let mut places = Vec::new();
        for (name, wanted) in pairs(map)? {
            let role = ROLES
                .into_iter()
                .find(|role| *role == name)
                .with_context(|| format!("--map: {}", unknown("column", &name, ROLES.into_iter())))?;
            ensure!(!columns.iter().any(|(known, _)| *known == role), "--map names `{role}` twice");
            let mut found = headers.iter().enumerate().filter(|(_, header)| folded(header) == folded(&wanted));
            let (place, header) = found.next().with_context(|| {
                let known = headers.iter().map(String::as_str);
                format!("--map: {}", unknown("header of the table", &wanted, known))
            })?;
            ensure!(found.next().is_none(), "the table has the header `{header}` more than once");
            columns.push((role, header.clone()));
            places.push(place);
        }
        let has = |role: &str| columns.iter().any(|(known, _)| *known == role);
        ensure!(has("title"), "--map must say which column has the title: title=\"...\"");
        let mut filled = Vec::new();
        for name in fill_down {
            let place = columns.iter().position(|(role, header)| role == name || folded(header) == folded(name));
            let known = columns.iter().map(|(role, _)| *role);
            filled.push(place.with_context(|| format!("--fill-down: {}", unknown("mapped column", name, known)))?);
        }
        let mut rows: Vec<Vec<String>> = Vec::new();
        for record in reader.records() {
            let record = record.context("the table cannot be read")?;
            let cell = |place: &usize| record.get(*place).unwrap_or_default().trim().to_owned();
            let mut row: Vec<String> = places.iter().map(cell).collect();
            if row.iter().all(String::is_empty) {
                continue;
            }
            for &place in &filled {
                if let Some(above) = rows.last().filter(|_| row[place].is_empty()) {
                    row[place].clone_from(&above[place]);
                }
            }
            rows.push(row);
        }
        Ok(Self { columns, rows })
    }

    /// The header and the cell of a role; `None` where it is not mapped or the cell is empty.
    fn cell<'a>(&'a self, row: &'a [String], role: &str) -> Option<(&'a str, &'a str)> {
        let place = self.columns.iter().position(|(known, _)| *known == role)?;
        Some((self.columns[place].1.as_str(), row[place].as_str())).filter(|(_, cell)| !cell.is_empty())
    }
}

/// What stands more often in the header line, outside of quotes.
fn delimiter(text: &str) -> u8 {
    let (mut quoted, mut commas, mut semicolons) = (false, 0, 0);
    for letter in text.chars() {
        match letter {
            '"' => quoted = !quoted,
            '\n' if !quoted => break,
            ',' if !quoted => commas += 1,
            ';' if !quoted => semicolons += 1,
            _ => {}
        }
    }
    if semicolons > commas { b';' } else { b',' }
}

/// `a="x, y",b=z` as pairs. A shell takes quotes away, so a part without `=` belongs to the header before it.
fn pairs(map: &str) -> anyhow::Result<Vec<(String, String)>> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for part in map.split(',') {
        match (part.split_once('='), pairs.last_mut()) {
            (Some((name, header)), last) if last.is_none() || ROLES.contains(&name.trim()) || !header.is_empty() => {
                pairs.push((name.trim().to_owned(), header.to_owned()));
            }
            (_, Some((_, header))) => {
                header.push(',');
                header.push_str(part);
            }
            _ => bail!("--map: `{part}` is not NAME=HEADER"),
        }
    }
    for (_, header) in &mut pairs {
        *header = header.trim().trim_matches('"').trim().to_owned();
    }
    Ok(pairs)
}

/// A letter without its mark, for the languages that write plans in Latin letters with marks.
fn plain(letter: char) -> char {
    const MARKED: [(char, &str); 16] = [
        ('a', "ăâáàäãåāą"),
        ('c', "çćčĉċ"),
        ('d', "ďđ"),
        ('e', "éèêëēėęě"),
        ('g', "ğģĝġ"),
        ('i', "îíìïīįı"),
        ('k', "ķ"),
        ('l', "łĺľļ"),
        ('n', "ñńňņ"),
        ('o', "óòôöõøőō"),
        ('r', "řŕ"),
        ('s', "șşśšŝ"),
        ('t', "țţť"),
        ('u', "úùûüūůűų"),
        ('y', "ýÿ"),
        ('z', "źżž"),
    ];
    let found = MARKED.iter().find(|(_, marked)| marked.contains(letter));
    found.map_or(letter, |(plain, _)| *plain)
}

/// A header as it is compared: no case, no marks, no matter how many spaces.
fn folded(text: &str) -> String {
    // The second letter of `İ` in lower case is a mark of its own.
    let letters: String =
        text.to_lowercase().chars().filter(|letter| !('\u{300}'..='\u{36f}').contains(letter)).map(plain).collect();
    letters.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A name as a part of an external id. Long names are cut, and told apart by a checksum of the whole.
fn slug(name: &str) -> String {
    let folded = folded(name);
    let words: Vec<&str> = folded
        .split(|letter: char| !letter.is_alphanumeric() && letter != '.')
        .filter(|word| !word.is_empty())
        .collect();
    let slug = words.join("-");
    if (1..=60).contains(&slug.chars().count()) {
        return slug;
    }
    let start: String = slug.chars().take(50).collect();
    format!("{start}-{:08x}", crc32fast::hash(folded.as_bytes()))
}

struct Plan<'a> {
    strategy: &'a str,
    separators: Vec<&'a str>,
    /// The title with which each external id was made.
    made: HashMap<String, String>,
    sections: Map<String, Value>,
}

impl Plan<'_> {
    fn add(&mut self, table: &Table, row: &[String]) -> anyhow::Result<()> {
        let cell = |role| table.cell(row, role).map(|(_, cell)| cell);
        let strategy = format!("external:{}", self.strategy);
        let objective = match (cell("objective_code"), cell("objective")) {
            (None, None) => None,
            (code, title) => {
                let title = title.or(code).unwrap_or_default();
                let code = code.map_or_else(|| slug(title), str::to_owned);
                let id = format!("{}-objective-{}", self.strategy, slug(&code));
                self.once(
                    "objectives",
                    &id,
                    title,
                    |id| json!({"external_id": id, "strategy_id": strategy, "code": code, "title": title}),
                )?;
                Some(format!("external:{id}"))
            }
        };
        let title = cell("title").context("has no title; if the cell is spanned, name `title` in --fill-down")?;
        let code = cell("code").map_or_else(|| slug(title), str::to_owned);
        let initiative = format!("{}-initiative-{}", self.strategy, slug(&code));
        let step = cell("step");
        let is_new = self.once("initiatives", &initiative, title, |id| {
            let mut fields = json!({"external_id": id, "strategy_id": strategy, "code": code, "title": title});
            if let Some(objective) = &objective {
                fields["objective_id"] = objective.as_str().into();
            }
            if let Some(description) = cell("description") {
                fields["description"] = description.into();
            }
            if let Some(deadline) = cell("deadline").filter(|_| step.is_none()) {
                fields["deadline"] = json!({"text": deadline});
            }
            fields
        })?;
        let (field, item) = if let Some(step) = step {
            let step_code = cell("step_code").map_or_else(|| slug(step), str::to_owned);
            let id = format!("{initiative}-step-{}", slug(&step_code));
            let is_new = self.once("steps", &id, step, |id| {
                let mut fields = json!({"external_id": id, "initiative_id": format!("external:{initiative}"), "code": step_code, "title": step});
                if let Some(deadline) = cell("deadline") {
                    fields["deadline"] = json!({"text": deadline});
                }
                fields
            })?;
            ensure!(is_new, "the step `{step_code}` stands twice in one initiative");
            ("step_id", id)
        } else {
            ensure!(is_new, "the code `{code}` stands twice; map `step` if the rows are steps of it");
            ("initiative_id", initiative)
        };
        for role in ["lead", "support"] {
            if let Some((label, cell)) = table.cell(row, role) {
                self.assign(field, &item, role, label, cell)?;
            }
        }
        Ok(())
    }

    /// The first body of a `lead` cell is the lead, the others share the lead.
    fn assign(&mut self, field: &str, item: &str, role: &str, label: &str, cell: &str) -> anyhow::Result<()> {
        let mut names = vec![cell];
        for separator in &self.separators {
            names = names.iter().flat_map(|part| part.split(separator)).collect();
        }
        let names: Vec<String> =
            names.iter().map(|name| name.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        for (place, name) in names.iter().filter(|name| !name.is_empty()).enumerate() {
            let role = if role == "lead" && place > 0 { "co_lead" } else { role };
            let entity = format!("{}-entity-{}", self.strategy, slug(name));
            self.once(
                "entities",
                &entity,
                &folded(name),
                |id| json!({"external_id": id, "name": name, "kind": "other"}),
            )?;
            let id = format!("{item}-{role}-{}", slug(name));
            self.once("assignments", &id, "", |id| {
                json!({"external_id": id, field: format!("external:{item}"), "entity_id": format!("external:{entity}"),
                    "role": role, "source_label": label})
            })?;
        }
        Ok(())
    }

    /// Makes a row unless it was made already; tells whether it is new. Another title under the same external id is a fault of the table.
    fn once(&mut self, section: &str, id: &str, title: &str, row: impl FnOnce(&str) -> Value) -> anyhow::Result<bool> {
        if let Some(known) = self.made.get(id) {
            ensure!(known == title, "`{title}` has the code or name of `{known}` ({id})");
            return Ok(false);
        }
        self.made.insert(id.to_owned(), title.to_owned());
        if let Value::Array(rows) = self.sections.entry(section).or_insert_with(|| json!([])) {
            rows.push(row(id));
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
