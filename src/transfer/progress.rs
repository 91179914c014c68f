//! How far an import is, on one line of a terminal.

use std::{
    io::Write,
    time::{Duration, Instant},
};

/// The line is rewritten at most so often.
const PAUSE: Duration = Duration::from_millis(100);

/// The line, if there is a terminal for it.
pub struct Progress<W: Write> {
    terminal: Option<W>,
    shown: Option<Instant>,
}

impl<W: Write> Progress<W> {
    /// A line on this terminal; without one, nothing is ever shown.
    pub fn new(terminal: Option<W>) -> Self {
        Self { terminal, shown: None }
    }

    /// Shows how many rows are done.
    pub fn show(&mut self, done: usize, total: usize) {
        self.say(|| format!("{done} of {total} rows"));
    }

    /// Shows how many are done, where nobody knows of how many.
    pub fn count(&mut self, done: usize) {
        self.say(|| format!("{done} done"));
    }

    fn say(&mut self, words: impl FnOnce() -> String) {
        if self.shown.is_none_or(|shown| shown.elapsed() >= PAUSE) {
            self.write(&format!("\r\u{1b}[K{}", words()));
            self.shown = Some(Instant::now());
        }
    }

    /// Takes the line away.
    pub fn clear(&mut self) {
        if self.shown.is_some() {
            self.write("\r\u{1b}[K");
        }
    }

    /// A terminal that is gone is no reason to stop an import.
    fn write(&mut self, words: &str) {
        if let Some(terminal) = &mut self.terminal {
            let _ = terminal.write_all(words.as_bytes()).and_then(|()| terminal.flush());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_rewritten_and_taken_away() {
        let mut seen = Vec::new();
        let mut progress = Progress::new(Some(&mut seen));
        progress.show(500, 1200);
        progress.show(501, 1200);
        progress.clear();
        assert_eq!(String::from_utf8(seen).unwrap(), "\r\u{1b}[K500 of 1200 rows\r\u{1b}[K");
    }
}
