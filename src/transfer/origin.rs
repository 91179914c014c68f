//! `Origin`: where the rows of a plan stand in the tables that it was read from, so that faults are found there.

use std::collections::HashMap;

use super::{
    import::Report,
    sheet::{pointer, short},
};

/// Where the rows of a plan stand in the tables that it was read from.
#[derive(Debug, Default)]
pub struct Origin {
    /// True when each section is a file of its own.
    pub is_folder: bool,
    /// The places of each section, in the order of its rows.
    pub places: HashMap<&'static str, Vec<Place>>,
}

/// Where a row stands.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The columns from which fields were made: field and header; a part of a field (`money/currency`) before the field.
    pub columns: Vec<(&'static str, String)>,
}

impl Origin {
    /// Makes the pointers of a report lead into the tables: `initiatives.csv:14: #/title/en`, or `line 14: Acțiune`.
    pub fn locate(&self, report: &mut Report) {
        let mut notes = [
            &mut report.made_entities,
            &mut report.unread_deadlines,
            &mut report.words_for_amounts,
            &mut report.left_over,
        ];
        for note in notes.iter_mut().flat_map(|notes| &mut notes.first) {
            note.pointer = self.located(&note.pointer);
        }
        for row in &mut report.rows {
            let Some(place) = self.places.get(row.section.as_str()).and_then(|places| places.get(row.index)) else {
                continue;
            };
            row.line = Some(place.line);
            let start = format!("#/{}/{}", row.section, row.index);
            for fault in &mut row.errors {
                let inner = fault.pointer.strip_prefix(&start).unwrap_or_default();
                fault.pointer = self.pointer(&row.section, place, inner);
            }
        }
    }

    /// A pointer into the plan as one into the tables.
    pub fn located(&self, pointer: &str) -> String {
        let mut steps = pointer.split('/').skip(1);
        let (section, index) = (steps.next().unwrap_or_default(), steps.next().and_then(|step| step.parse().ok()));
        let place = index.and_then(|index: usize| self.places.get(section)?.get(index));
        let inner: String = steps.flat_map(|step| ["/", step]).collect();
        place.map_or_else(|| pointer.to_owned(), |place| self.pointer(section, place, &inner))
    }

    /// The pointer of a field of a row, as it leads into the tables.
    fn pointer(&self, section: &str, place: &Place, inner: &str) -> String {
        let field = inner.trim_start_matches('/');
        let is_of = |name: &str| field.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let header = place.columns.iter().find(|(name, _)| is_of(name)).map(|(_, header)| short(header));
        let column = header.unwrap_or_else(|| format!("#{inner}"));
        let file = self.is_folder.then(|| format!("{section}.csv"));
        pointer(file.as_deref(), place.line, Some(&column))
    }
}
