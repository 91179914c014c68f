//! `Enough`: when the judging of many rows ends.

use crate::repository::Fault;

/// So many faults are enough: rows after them are not judged, however many there are.
pub const FAULTS: usize = 1000;

/// Counts the faults of rows.
#[derive(Debug, Default)]
pub struct Enough {
    found: usize,
    is_said: bool,
}

impl Enough {
    /// Adds the faults of a row.
    pub fn count(&mut self, faults: usize) {
        self.found += faults;
    }

    /// What stands in place of the faults of a row, when there are enough: the first such row says that judging ended, and those after it
    /// nothing. None while rows are still to be judged.
    pub fn instead(&mut self) -> Option<Vec<Fault>> {
        if self.found < FAULTS {
            return None;
        }
        if std::mem::replace(&mut self.is_said, true) {
            return Some(Vec::new());
        }
        let detail =
            format!("judging ended here, because there are {} faults before it; correct these first", self.found);
        Some(vec![Fault { pointer: "#".into(), code: "more".into(), detail }])
    }
}
