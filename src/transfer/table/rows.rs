//! The rows of a plan, made out of the rows of a table.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{
    Mapping, Target, amount,
    names::{folded, slug},
};
use crate::{
    api::json::integer,
    transfer::{
        origin::{Origin, Place},
        sheet::{Flaw, short},
    },
};

/// A row of a table: its line, and the cells of the mapped columns.
pub(super) struct Row<'a> {
    pub(super) columns: &'a [(&'static str, String)],
    pub(super) cells: &'a [String],
    pub(super) line: usize,
}

impl Row<'_> {
    /// The cell of a role; `None` where it is not mapped or the cell is empty.
    fn cell(&self, role: &str) -> Option<&str> {
        let place = self.columns.iter().position(|(known, _)| *known == role)?;
        Some(self.cells[place].as_str()).filter(|cell| !cell.is_empty())
    }

    fn header(&self, role: &str) -> Option<&str> {
        self.columns.iter().find(|(known, _)| *known == role).map(|(_, header)| header.as_str())
    }

    fn flaw(&self, role: &str, code: &'static str, detail: impl Into<String>) -> Flaw {
        Flaw::new(self.line, self.header(role).map(str::to_owned), code, detail)
    }

    /// Where a row of the plan stands, whose fields were made from these roles.
    fn place(&self, fields: &[(&'static str, &str)]) -> Place {
        let column = |(field, role): &(&'static str, &str)| Some((*field, self.header(role)?.to_owned()));
        Place { line: self.line, columns: fields.iter().filter_map(column).collect() }
    }
}

/// A row of the plan that is about to be made.
struct Made<'a> {
    section: &'static str,
    id: &'a str,
    /// What tells it from another row that gets the same external id.
    title: &'a str,
    /// The column from which the external id is derived.
    role: &'a str,
    fields: &'a [(&'static str, &'a str)],
}

/// A plan in the making.
pub(super) struct Plan<'a> {
    mapping: &'a Mapping,
    target: &'a Target,
    /// The title with which each external id was made.
    made: HashMap<String, String>,
    pub(super) sections: HashMap<&'static str, Vec<Value>>,
    pub(super) origin: Origin,
}

impl<'a> Plan<'a> {
    pub(super) fn new(mapping: &'a Mapping, target: &'a Target) -> Self {
        Self { mapping, target, made: HashMap::new(), sections: HashMap::new(), origin: Origin::default() }
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
        let strategy = &self.target.strategy;
        let mut body = json!({"external_id": initiative, "strategy_id": strategy, "code": code, "title": title});
        if let Some(objective) = &objective {
            body["objective_id"] = objective.as_str().into();
        }
        if let Some(description) = row.cell("description") {
            body["description"] = description.into();
        }
        if let Some(deadline) = row.cell("deadline").filter(|_| step.is_none()) {
            body["deadline"] = json!({"text": deadline});
        }
        let fields = [
            ("title", "title"),
            ("code", by),
            ("external_id", by),
            ("description", "description"),
            ("deadline", "deadline"),
            ("objective_id", "objective_code"),
            ("objective_id", "objective"),
        ];
        let is_new =
            self.once(row, &Made { section: "initiatives", id: &initiative, title, role: by, fields: &fields }, body)?;
        let (field, item) = match step {
            Some(step) => ("step_id", self.step(row, &initiative, step)?),
            None if is_new => ("initiative_id", initiative),
            None => {
                let detail =
                    format!("the code `{}` stands twice; map `step` if the rows are steps of it", short(&code));
                return Err(row.flaw(by, "duplicate", detail));
            }
        };
        for role in ["lead", "support"] {
            if let Some(cell) = row.cell(role) {
                self.assign(row, (field, &item), role, cell)?;
            }
        }
        self.budget(row, (field, &item))
    }

    fn objective(&mut self, row: &Row<'_>) -> Result<Option<String>, Flaw> {
        let (code, title) = (row.cell("objective_code"), row.cell("objective"));
        let by = if code.is_some() { "objective_code" } else { "objective" };
        let Some(title) = title.or(code) else { return Ok(None) };
        let code = code.map_or_else(|| slug(title), str::to_owned);
        let id = format!("{}-objective-{}", self.target.prefix, slug(&code));
        let fields = [("code", by), ("external_id", by), ("title", "objective"), ("title", by)];
        let body = json!({"external_id": id, "strategy_id": self.target.strategy, "code": code, "title": title});
        self.once(row, &Made { section: "objectives", id: &id, title, role: by, fields: &fields }, body)?;
        Ok(Some(format!("external:{id}")))
    }

    fn step(&mut self, row: &Row<'_>, initiative: &str, step: &str) -> Result<String, Flaw> {
        let by = if row.cell("step_code").is_some() { "step_code" } else { "step" };
        let code = row.cell("step_code").map_or_else(|| slug(step), str::to_owned);
        let id = format!("{initiative}-step-{}", slug(&code));
        let mut body =
            json!({"external_id": id, "initiative_id": format!("external:{initiative}"), "code": code, "title": step});
        if let Some(deadline) = row.cell("deadline") {
            body["deadline"] = json!({"text": deadline});
        }
        let fields = [("title", "step"), ("code", by), ("external_id", by), ("deadline", "deadline")];
        if self.once(row, &Made { section: "steps", id: &id, title: step, role: by, fields: &fields }, body)? {
            return Ok(id);
        }
        let detail = format!("the step `{}` stands twice in one initiative", short(&code));
        Err(row.flaw(by, "duplicate", detail))
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
            let entity = format!("{}-entity-{}", self.target.prefix, slug(&name));
            let body = json!({"external_id": entity, "name": name, "kind": "other"});
            let fields = [("name", column), ("external_id", column)];
            let made = Made { section: "entities", id: &entity, title: &folded(&name), role: column, fields: &fields };
            self.once(row, &made, body)?;
            let id = format!("{item}-{role}-{}", slug(&name));
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

    /// An amount is an estimate. In whose budget it stands is not said, so it is left open.
    fn budget(&mut self, row: &Row<'_>, on: (&str, &str)) -> Result<(), Flaw> {
        let (field, item) = on;
        let Some(cell) = row.cell("amount") else { return Ok(()) };
        let amount =
            amount::read(cell, self.mapping.decimal).map_err(|detail| row.flaw("amount", "wrong_format", detail))?;
        let Some(currency) = row.cell("currency").or(self.target.currency.as_deref()) else {
            return Err(row.flaw("amount", "required", "has no currency; map `currency`"));
        };
        let Some(year) = row.cell("fiscal_year") else {
            return Err(row.flaw(
                "fiscal_year",
                "required",
                "is empty, and an amount is of a fiscal year, such as 2024",
            ));
        };
        let year = integer(year).and_then(|year| i32::try_from(year).ok()).ok_or_else(|| {
            let detail = format!("`{}` is not a year; write it as 2024", short(year));
            row.flaw("fiscal_year", "wrong_format", detail)
        })?;
        let id = format!("{item}-budget");
        let mut body = json!({"external_id": id, field: format!("external:{item}"), "fiscal_year": year, "phase": "estimate",
            "money": {"amount": amount, "currency": currency}});
        if let Some(name) = row.cell("funding_source") {
            let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
            let source = format!("{}-funding-source-{}", self.target.prefix, slug(&name));
            let fields = [("name", "funding_source"), ("external_id", "funding_source")];
            let made = Made {
                section: "funding_sources",
                id: &source,
                title: &folded(&name),
                role: "funding_source",
                fields: &fields,
            };
            self.once(row, &made, json!({"external_id": source, "name": name, "kind": "other"}))?;
            body["funding_source_id"] = format!("external:{source}").into();
        }
        let fields = [
            ("money/currency", "currency"),
            ("money", "amount"),
            ("fiscal_year", "fiscal_year"),
            ("funding_source_id", "funding_source"),
            ("external_id", "amount"),
        ];
        let made = Made { section: "budget_allocations", id: &id, title: "", role: "amount", fields: &fields };
        self.once(row, &made, body).map(|_| ())
    }

    /// Makes a row unless it was made already; tells whether it is new. Another title under the same external id is a fault of the table.
    fn once(&mut self, row: &Row<'_>, made: &Made<'_>, body: Value) -> Result<bool, Flaw> {
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
