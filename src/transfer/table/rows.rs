//! The rows of a plan, made out of the rows of a table.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::{Mapping, Target};
use crate::transfer::{
    how::Empty,
    names::{bare, key, slug},
    origin::{Origin, Place},
    report::{Notes, UnmappedColumn},
    sheet::{Flaw, short},
};

/// What a further row of an initiative or step must not say otherwise than the first.
const ONCE: [&str; 5] = ["description", "deadline", "lead", "support", "objective"];

/// A row of a table: its line, and the cells of the mapped columns.
pub(super) struct Row<'a> {
    pub(super) columns: &'a [(String, String)],
    pub(super) cells: &'a [String],
    pub(super) line: usize,
}

impl Row<'_> {
    /// The cell of a role; `None` where it is not mapped or the cell is empty.
    pub(super) fn cell(&self, role: &str) -> Option<&str> {
        let place = self.columns.iter().position(|(known, _)| *known == role)?;
        Some(self.cells[place].as_str()).filter(|cell| !cell.is_empty())
    }

    pub(super) fn header(&self, role: &str) -> Option<&str> {
        self.columns.iter().find(|(known, _)| *known == role).map(|(_, header)| header.as_str())
    }

    pub(super) fn flaw(&self, role: &str, code: &'static str, detail: impl Into<String>) -> Flaw {
        Flaw::new(self.line, self.header(role).map(str::to_owned), code, detail)
    }

    /// Where a row of the plan stands, whose fields were made from these roles.
    fn place(&self, fields: &[(&'static str, &str)]) -> Place {
        let column = |(field, role): &(&'static str, &str)| Some((*field, self.header(role)?.to_owned()));
        Place { line: self.line, columns: fields.iter().filter_map(column).collect() }
    }
}

/// A row of the plan that is about to be made.
pub(super) struct Made<'a> {
    pub(super) section: &'static str,
    pub(super) id: &'a str,
    /// What tells it from another row that gets the same external id.
    pub(super) title: &'a str,
    /// The column from which the external id is derived.
    pub(super) role: &'a str,
    pub(super) fields: &'a [(&'static str, &'a str)],
}

/// What the rows of an initiative or step say of it.
#[derive(Debug, Default)]
pub(super) struct Subject {
    /// The columns of entities that are empty there.
    pub(super) empty: Vec<&'static str>,
    /// The places for amounts.
    pub(super) slots: Vec<Slot>,
}

/// A place for an amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) year: i32,
    /// The source that its column or its row says.
    pub(super) source: Option<String>,
    /// Whether it is its column that says the source, so that the column is of no other.
    pub(super) is_of_source: bool,
    /// Whether there is no amount in it.
    pub(super) is_empty: bool,
}

/// A plan in the making.
pub(super) struct Plan<'a> {
    pub(super) mapping: &'a Mapping,
    pub(super) target: &'a Target,
    /// The title with which each external id was made.
    made: HashMap<String, String>,
    /// The external id of each body and each source of money, by what its name is compared by.
    called: HashMap<(&'static str, String), String>,
    /// The first row of each initiative and step: its line, and what it says.
    firsts: HashMap<String, (usize, Vec<Option<String>>)>,
    /// The initiatives and steps that rows are about.
    pub(super) subjects: HashMap<String, Subject>,
    /// What no cell says, and a new row needs: the section, the index and the field. A row that is there keeps its own.
    defaults: HashSet<(&'static str, usize, &'static str)>,
    pub(super) sections: HashMap<&'static str, Vec<Value>>,
    pub(super) origin: Origin,
    pub(super) unmapped: Vec<UnmappedColumn>,
    /// Cells of amounts that hold words.
    pub(super) words: Notes,
}

impl<'a> Plan<'a> {
    pub(super) fn new(mapping: &'a Mapping, target: &'a Target) -> Self {
        Self {
            mapping,
            target,
            made: HashMap::new(),
            called: HashMap::new(),
            firsts: HashMap::new(),
            subjects: HashMap::new(),
            defaults: HashSet::new(),
            sections: HashMap::new(),
            origin: Origin::default(),
            unmapped: Vec::new(),
            words: Notes::default(),
        }
    }

    /// Words in the language of the table.
    pub(super) fn text(&self, words: &str) -> Value {
        self.target.language.as_ref().map_or_else(|| words.into(), |language| json!({language.as_str(): words}))
    }

    /// Notes that no cell says a field of the row that was made last.
    pub(super) fn by_default(&mut self, section: &'static str, field: &'static str) {
        let index = self.sections.get(section).map_or(0, Vec::len).saturating_sub(1);
        self.defaults.insert((section, index, field));
    }

    /// Whether no cell says a field.
    pub(super) fn is_default(&self, section: &'static str, index: usize, field: &'static str) -> bool {
        self.defaults.contains(&(section, index, field))
    }

    /// Puts a field into a body: what an empty cell of a mapped column says is a question of the options.
    fn put(&self, body: &mut Value, field: &str, roles: &[&str], value: Option<Value>) {
        let is_mapped = |role: &&str| self.mapping.has(role);
        match value {
            Some(value) => body[field] = value,
            None if self.target.empty == Empty::Cleared && roles.iter().any(is_mapped) => body[field] = Value::Null,
            None => {}
        }
    }

    /// Adds what a row says.
    pub(super) fn add(&mut self, row: &Row<'_>) -> Result<(), Flaw> {
        let objective = self.objective(row)?;
        let Some(title) = row.cell("title") else {
            let detail = "has no title; if the cell is spanned, name `title` in fill_down";
            return Err(row.flaw("title", "required", detail));
        };
        let code = row.cell("code").map_or_else(|| slug(title), str::to_owned);
        let initiative = format!("{}-initiative-{}", self.target.prefix, slug(&code));
        let step = row.cell("step");
        let by = if row.cell("code").is_some() { "code" } else { "title" };
        let mut body = json!({"external_id": initiative, "strategy_id": self.target.strategy, "code": code, "title": self.text(title)});
        self.put(&mut body, "objective_id", &["objective_code", "objective"], objective.map(Value::from));
        self.put(&mut body, "description", &["description"], row.cell("description").map(|words| self.text(words)));
        if step.is_none() {
            self.put(&mut body, "deadline", &["deadline"], row.cell("deadline").map(|words| json!({"text": words})));
            if let Some(words) = Self::words_for_amounts(row) {
                body["funding_note"] = self.text(&words);
                if !self.made.contains_key(&initiative) {
                    let index = self.sections.get("initiatives").map_or(0, Vec::len);
                    self.words.add(format!("#/initiatives/{index}/funding_note"), &words);
                }
            }
        }
        let fields = [
            ("title", "title"),
            ("code", by),
            ("external_id", by),
            ("description", "description"),
            ("deadline", "deadline"),
            ("funding_note", "amount"),
            ("objective_id", "objective_code"),
            ("objective_id", "objective"),
        ];
        let is_new =
            self.once(row, &Made { section: "initiatives", id: &initiative, title, role: by, fields: &fields }, body)?;
        if is_new && by == "title" {
            self.by_default("initiatives", "code");
        }
        let (field, item, is_new, by) = match step {
            Some(step) => {
                let (item, is_new, by) = self.step(row, &initiative, step)?;
                ("step_id", item, is_new, by)
            }
            None => ("initiative_id", initiative, is_new, by),
        };
        let subject = self.subjects.entry(item.clone()).or_default();
        if is_new {
            let is_empty = |role: &&str| row.header(role).is_some() && row.cell(role).is_none();
            subject.empty = ["lead", "support"].into_iter().filter(is_empty).collect();
            let said = ONCE.iter().map(|role| row.cell(role).map(str::to_owned)).collect();
            self.firsts.insert(item.clone(), (row.line, said));
        } else {
            self.again(row, &item, by)?;
        }
        for role in ["lead", "support"] {
            if let Some(cell) = row.cell(role).filter(|_| is_new) {
                self.assign(row, (field, &item), role, cell)?;
            }
        }
        self.budgets(row, (field, &item))
    }

    /// A further row of an initiative or a step: it has another amount of it, and says nothing else of it.
    fn again(&self, row: &Row<'_>, item: &str, by: &str) -> Result<(), Flaw> {
        if !Self::has_amounts(row) {
            let detail = "stands twice; map `step` if the rows are steps of it, or `amount` if they are amounts of it";
            return Err(row.flaw(by, "duplicate", detail));
        }
        let Some((line, said)) = self.firsts.get(item) else { return Ok(()) };
        for (role, first) in ONCE.iter().zip(said) {
            let cell = row.cell(role);
            if cell.is_some() && cell != first.as_deref() {
                let detail = format!("differs from line {line}, which has the same code; leave it empty or repeat it");
                return Err(row.flaw(role, "ambiguous", detail));
            }
        }
        Ok(())
    }

    /// The external id of a body or of a source of money: one for all ways of writing its name.
    pub(super) fn named(&mut self, section: &'static str, kind: &str, name: &str) -> String {
        let made = format!("{}-{kind}-{}", self.target.prefix, slug(&bare(name)));
        self.called.entry((section, key(name))).or_insert(made).clone()
    }

    fn objective(&mut self, row: &Row<'_>) -> Result<Option<String>, Flaw> {
        let (code, title) = (row.cell("objective_code"), row.cell("objective"));
        let by = if code.is_some() { "objective_code" } else { "objective" };
        let Some(title) = title.or(code) else { return Ok(None) };
        let code = code.map_or_else(|| slug(title), str::to_owned);
        let id = format!("{}-objective-{}", self.target.prefix, slug(&code));
        let fields = [("code", by), ("external_id", by), ("title", "objective"), ("title", by)];
        let body =
            json!({"external_id": id, "strategy_id": self.target.strategy, "code": code, "title": self.text(title)});
        if self.once(row, &Made { section: "objectives", id: &id, title, role: by, fields: &fields }, body)? {
            if by == "objective" {
                self.by_default("objectives", "code");
            }
            if row.cell("objective").is_none() {
                self.by_default("objectives", "title");
            }
        }
        Ok(Some(format!("external:{id}")))
    }

    /// The step of a row: its external id, whether it is new, and the column that names it.
    fn step(&mut self, row: &Row<'_>, initiative: &str, step: &str) -> Result<(String, bool, &'static str), Flaw> {
        let by = if row.cell("step_code").is_some() { "step_code" } else { "step" };
        let code = row.cell("step_code").map_or_else(|| slug(step), str::to_owned);
        let id = format!("{initiative}-step-{}", slug(&code));
        let mut body = json!({"external_id": id, "initiative_id": format!("external:{initiative}"), "code": code, "title": self.text(step)});
        self.put(&mut body, "deadline", &["deadline"], row.cell("deadline").map(|words| json!({"text": words})));
        let fields = [("title", "step"), ("code", by), ("external_id", by), ("deadline", "deadline")];
        let made = Made { section: "steps", id: &id, title: step, role: by, fields: &fields };
        let is_new = self.once(row, &made, body)?;
        if is_new && by == "step" {
            self.by_default("steps", "code");
        }
        Ok((id, is_new, by))
    }

    /// The first body of a `lead` cell is the lead, the others share the lead.
    fn assign(&mut self, row: &Row<'_>, on: (&str, &str), column: &str, cell: &str) -> Result<(), Flaw> {
        let (field, item) = on;
        let mut names = vec![cell];
        for separator in &self.mapping.separators {
            names = names.iter().flat_map(|part| part.split(separator.as_str())).collect();
        }
        let names = names.iter().map(|name| name.split_whitespace().collect::<Vec<_>>().join(" "));
        for (place, name) in names.filter(|name| !name.is_empty()).enumerate() {
            let role = if column == "lead" && place > 0 { "co_lead" } else { column };
            let entity = self.named("entities", "entity", &name);
            let body = json!({"external_id": entity, "name": self.text(&bare(&name)), "kind": "other"});
            let fields = [("name", column), ("external_id", column)];
            let made = Made { section: "entities", id: &entity, title: &key(&name), role: column, fields: &fields };
            self.once(row, &made, body)?;
            let id = format!("{item}-{role}-{}", slug(&bare(&name)));
            let body = json!({"external_id": id, field: format!("external:{item}"), "entity_id": format!("external:{entity}"),
                "role": role, "source_label": row.header(column)});
            let of_item =
                if field == "step_id" { ["step_id", "step_code", "step"] } else { ["initiative_id", "code", "title"] };
            let mut fields = ["entity_id", "external_id", "role", "source_label"].map(|field| (field, column)).to_vec();
            fields.extend(of_item[1..].iter().map(|role| (of_item[0], *role)));
            self.once(row, &Made { section: "assignments", id: &id, title: "", role: column, fields: &fields }, body)?;
        }
        Ok(())
    }

    /// Makes a row unless it was made already; tells whether it is new. Another title under the same external id is a fault of the table.
    pub(super) fn once(&mut self, row: &Row<'_>, made: &Made<'_>, body: Value) -> Result<bool, Flaw> {
        if let Some(known) = self.made.get(made.id) {
            if known == made.title {
                return Ok(false);
            }
            let (title, known) = (short(made.title), short(known));
            let detail = format!("`{title}` has the code or name of `{known}` ({})", made.id);
            return Err(row.flaw(made.role, "ambiguous", detail));
        }
        if self.made.len() >= self.target.most {
            let detail =
                format!("more than {} rows would be made of the table; use `mandate import`", self.target.most);
            return Err(row.flaw(made.role, "too_many", detail));
        }
        self.made.insert(made.id.to_owned(), made.title.to_owned());
        self.sections.entry(made.section).or_default().push(body);
        self.origin.places.entry(made.section).or_default().push(row.place(made.fields));
        Ok(true)
    }
}
