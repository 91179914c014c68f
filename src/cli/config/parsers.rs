//! How the words of settings and arguments are judged.

use crate::base::{
    limits,
    values::{characters, codelists},
};

pub(super) fn country(word: &str) -> Result<String, &'static str> {
    known(word, codelists::is_country, "MANDATE_COUNTRY is a country of ISO 3166-1 alpha-2, such as RO")
}

pub(super) fn reason(text: &str) -> Result<String, String> {
    if let Some(unfit) = characters::unfit_in_text(text) {
        return Err(format!("the reason {unfit}"));
    }
    let text = characters::composed(text.trim());
    let fits = text.chars().count() <= limits::REASON;
    if fits { Ok(text.into_owned()) } else { Err(format!("a reason may have at most {} characters", limits::REASON)) }
}

pub(super) fn language(word: &str) -> Result<String, &'static str> {
    known(word, codelists::is_language, "MANDATE_LANGUAGES are languages of ISO 639-1 between commas, such as ro,en")
}

pub(super) fn currency(word: &str) -> Result<String, &'static str> {
    known(word, codelists::is_currency, "MANDATE_CURRENCY is a currency of ISO 4217, such as RON")
}

pub(super) fn time_zone(word: &str) -> Result<chrono_tz::Tz, &'static str> {
    word.parse().map_err(|_| "MANDATE_TIMEZONE is a time zone of the IANA database, such as Europe/Bucharest")
}

fn known(word: &str, is_known: fn(&str) -> bool, wanted: &'static str) -> Result<String, &'static str> {
    let word = word.trim();
    if is_known(word) { Ok(word.to_owned()) } else { Err(wanted) }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use crate::{
        base::limits,
        cli::config::{Cli, Command},
    };

    #[test]
    fn a_reason_of_the_command_line_is_as_short_as_one_of_a_request() {
        let import = |reason: &str| Cli::try_parse_from(["mandate", "import", "plan.json", "--reason", reason]);
        let longest = "ș".repeat(limits::REASON);
        let Command::Import(taken) = import(&longest).unwrap().command else { panic!("it is an import") };
        assert_eq!(taken.reason, Some(longest));
        let error = import(&"ș".repeat(limits::REASON + 1)).unwrap_err().to_string();
        assert!(error.contains("a reason may have at most 1000 characters"), "{error}");
    }
}
