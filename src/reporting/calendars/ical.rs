//! As much of iCalendar (RFC 5545) as a list of days needs. Decision 0017 says why no library writes it.

use chrono::{DateTime, NaiveDate, Utc};

/// A line has so many octets at most, without its end (3.1).
const LINE: usize = 75;

/// A calendar being written.
pub(super) struct Calendar(String);

impl Calendar {
    /// Begins one.
    pub(super) fn new(name: &str) -> Self {
        let mut calendar = Self(String::new());
        for (name, value) in [
            ("BEGIN", "VCALENDAR"),
            ("VERSION", "2.0"),
            ("PRODID", "-//Mandate//Obligations//EN"),
            ("CALSCALE", "GREGORIAN"),
            // Each read of it is the whole truth: programs ask again, and drop what is gone.
            ("REFRESH-INTERVAL;VALUE=DURATION", "PT12H"),
            ("X-PUBLISHED-TTL", "PT12H"),
        ] {
            calendar.line(name, value);
        }
        calendar.line("X-WR-CALNAME", &escaped(name));
        calendar
    }

    /// Adds an entry of a whole day. The same thing keeps its `uid`; `stamp` is when it was last changed.
    pub(super) fn day(&mut self, uid: &str, stamp: DateTime<Utc>, day: NaiveDate, summary: &str) {
        self.line("BEGIN", "VEVENT");
        self.line("UID", &escaped(uid));
        self.line("DTSTAMP", &stamp.format("%Y%m%dT%H%M%SZ").to_string());
        self.line("DTSTART;VALUE=DATE", &day.format("%Y%m%d").to_string());
        self.line("SUMMARY", &escaped(summary));
        // A day on which something is due is no day on which nobody can be met.
        self.line("TRANSP", "TRANSPARENT");
        self.line("END", "VEVENT");
    }

    /// Ends it.
    pub(super) fn end(mut self) -> String {
        self.line("END", "VCALENDAR");
        self.0
    }

    fn line(&mut self, name: &str, value: &str) {
        let mut octets = 0;
        for character in name.chars().chain(":".chars()).chain(value.chars()) {
            if octets + character.len_utf8() > LINE {
                self.0.push_str("\r\n ");
                octets = 1;
            }
            octets += character.len_utf8();
            self.0.push(character);
        }
        self.0.push_str("\r\n");
    }
}

/// A text as a value (3.3.11). Control characters, which no value may have, are left out.
fn escaped(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | ';' | ',' => value.extend(['\\', character]),
            '\n' => value.push_str("\\n"),
            other if other.is_control() => {}
            other => value.push(other),
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(summary: &str) -> String {
        let mut calendar = Calendar::new("Agency; of, all\\");
        let day = NaiveDate::from_ymd_opt(2025, 4, 15).unwrap();
        calendar.day("u@mandate", DateTime::UNIX_EPOCH, day, summary);
        calendar.end()
    }

    #[test]
    fn a_day_is_an_entry_and_every_line_ends_as_the_standard_says() {
        let text = written("Report");
        assert!(text.starts_with("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"), "{text}");
        assert!(text.contains("X-WR-CALNAME:Agency\\; of\\, all\\\\\r\n"), "{text}");
        let entry = "BEGIN:VEVENT\r\nUID:u@mandate\r\nDTSTAMP:19700101T000000Z\r\nDTSTART;VALUE=DATE:20250415\r\nSUMMARY:Report\r\n\
                     TRANSP:TRANSPARENT\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        assert!(text.ends_with(entry), "{text}");
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    }

    #[test]
    fn long_lines_are_folded_between_characters_and_come_back_whole() {
        for length in 60..240 {
            let summary = "ș".repeat(length / 2) + &"x ".repeat(length);
            let text = written(&summary);
            assert!(text.split("\r\n").all(|line| line.len() <= LINE), "{text}");
            assert!(text.replace("\r\n ", "").contains(&format!("SUMMARY:{summary}\r\n")), "{text}");
        }
    }

    #[test]
    fn a_text_cannot_leave_its_value() {
        let text = written("a\r\nEND:VEVENT\rb\u{7}");
        assert!(text.contains("SUMMARY:a\\nEND:VEVENTb\r\n"), "{text}");
    }
}
