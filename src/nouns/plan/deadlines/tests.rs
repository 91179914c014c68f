use proptest::prelude::*;

use super::{Calendar, FiscalYearName, parse};

fn read(text: &str, fiscal_year_start: u32) -> String {
    read_named(text, fiscal_year_start, FiscalYearName::End)
}

fn read_named(text: &str, fiscal_year_start: u32, fiscal_year_name: FiscalYearName) -> String {
    let deadline = parse(text, &Calendar { fiscal_year_start, fiscal_year_name });
    let kind = serde_json::to_value(deadline.kind).unwrap();
    let day = |day: Option<chrono::NaiveDate>| day.map_or_else(|| "-".to_owned(), |day| day.to_string());
    format!("{} {} {}", kind.as_str().unwrap(), day(deadline.from), day(deadline.to))
}

#[test]
fn the_forms_of_real_plans_are_understood() {
    for (text, meaning) in [
        ("Completed", "already_completed - -"),
        ("The first one was completed", "already_completed - -"),
        ("July 2013", "month 2013-07-01 2013-07-31"),
        ("February 2014", "month 2014-02-01 2014-02-28"),
        ("Continually", "continuous - -"),
        ("permanent", "continuous - -"),
        ("To be held once every two years as of 2013", "recurring 2013-01-01 -"),
        ("To be held as of the year 2013", "recurring 2013-01-01 -"),
        ("To be held every year", "recurring - -"),
        ("1 activity per quarter, any order encouraged of all agencies", "recurring - -"),
        ("Minimally every 3 months, as often as possible", "recurring - -"),
        ("Ongoing every 24 months", "recurring - -"),
        ("anual, începând cu 2023", "recurring 2023-01-01 -"),
        ("September 30, 2020", "exact 2020-09-30 2020-09-30"),
        ("30 September 2020", "exact 2020-09-30 2020-09-30"),
        ("31 decembrie 2024", "exact 2024-12-31 2024-12-31"),
        ("31.12.2024", "exact 2024-12-31 2024-12-31"),
        ("13/04/2024", "exact 2024-04-13 2024-04-13"),
        ("2024-06-30", "exact 2024-06-30 2024-06-30"),
        ("Semestru I, 2023, se continuă permanent", "first_due_then_continuous 2023-01-01 2023-06-30"),
        ("SEMESTRUL II 2023", "semester 2023-07-01 2023-12-31"),
        ("sem. I 2024", "semester 2024-01-01 2024-06-30"),
        ("first half of 2024", "semester 2024-01-01 2024-06-30"),
        ("H2 2024", "semester 2024-07-01 2024-12-31"),
        ("trimestrul II 2024", "quarter 2024-04-01 2024-06-30"),
        ("trimestrul al III-lea 2025", "quarter 2025-07-01 2025-09-30"),
        ("până la data de 31.12.2024", "exact 2024-12-31 2024-12-31"),
        ("T2 2024", "quarter 2024-04-01 2024-06-30"),
        ("Q3 2015", "quarter 2015-07-01 2015-09-30"),
        ("end of Q2 2025", "quarter - 2025-06-30"),
        ("2014 – 2020", "range 2014-01-01 2020-12-31"),
        ("January 2014 - June 2015", "range 2014-01-01 2015-06-30"),
        ("By 2023", "year - 2023-12-31"),
        ("2023", "year 2023-01-01 2023-12-31"),
        ("By end of 2022", "year - 2022-12-31"),
        ("până la sfârșitul anului 2025", "year - 2025-12-31"),
        ("pană la sfarşitul anului 2025", "year - 2025-12-31"),
        ("By June 2024", "month - 2024-06-30"),
        ("By fall 2027", "season - 2027-11-30"),
        ("By spring 2022", "season - 2022-05-31"),
        ("May 2023 and ongoing", "first_due_then_continuous 2023-05-01 2023-05-31"),
        ("within 60 days of the decision", "relative - -"),
        ("90 days after OMB/GSA standard metadata guidance is issued", "relative - -"),
        ("în termen de 60 de zile de la aprobare", "relative - -"),
        ("", "none - -"),
        ("-", "none - -"),
    ] {
        assert_eq!(read(text, 1), meaning, "{text}");
    }
}

#[test]
fn fiscal_periods_follow_the_calendar() {
    assert_eq!(read("1Q FY24", 10), "fiscal_quarter 2023-10-01 2023-12-31");
    assert_eq!(read("FY2024 Q4", 10), "fiscal_quarter 2024-07-01 2024-09-30");
    assert_eq!(read("Q1 FY2024", 1), "fiscal_quarter 2024-01-01 2024-03-31");
    assert_eq!(read("By fiscal year 2023-24", 4), "fiscal_year - 2024-03-31");
    assert_eq!(read("anul fiscal 2024", 10), "fiscal_year 2023-10-01 2024-09-30");
    assert_eq!(read("By fiscal year 2023-24", 1), "unparsed - -");
}

#[test]
fn a_fiscal_year_may_be_named_after_its_start() {
    let read = |text, start| read_named(text, start, FiscalYearName::Start);
    assert_eq!(read("FY2024", 4), "fiscal_year 2024-04-01 2025-03-31");
    assert_eq!(read("Q4 FY2024", 4), "fiscal_quarter 2025-01-01 2025-03-31");
    assert_eq!(read("1Q FY24", 10), "fiscal_quarter 2024-10-01 2024-12-31");
    assert_eq!(read("FY2024", 1), "fiscal_year 2024-01-01 2024-12-31");
    // Both years are said.
    assert_eq!(read("fiscal year 2023-24", 4), "fiscal_year 2023-04-01 2024-03-31");
}

#[test]
fn nothing_is_guessed() {
    for text in [
        "03/04/2024",
        "31 February 2024",
        "mid-2024",
        "12 months",
        "See timeline on performance.gov",
        "By February 2022 and February 2023",
        "July 2013 or so",
        "Q5 2024",
        "1850",
        "2024-13-01",
        "soon",
        "winter 2024",
        "Completion by March 2025; report initial progress by 2024",
    ] {
        assert_eq!(read(text, 1), "unparsed - -", "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_is_kept_and_never_stops_the_parser(text in "\\PC{0,60}", start in 1_u32..=12) {
        let deadline = parse(&text, &Calendar { fiscal_year_start: start, ..Calendar::default() });
        prop_assert_eq!(&deadline.text, &text);
        prop_assert!(deadline.from.zip(deadline.to).is_none_or(|(from, to)| from <= to));
        prop_assert!(deadline.faults().is_empty());
    }

    #[test]
    fn every_day_is_read_back(days in 0_u64..40_000) {
        let day = chrono::NaiveDate::from_ymd_opt(1990, 1, 1).unwrap() + chrono::Days::new(days);
        let formats = ["%Y-%m-%d", "%d.%m.%Y", "%B %-d, %Y", "%-d %B %Y"];
        for format in formats {
            let deadline = parse(&day.format(format).to_string(), &Calendar::default());
            prop_assert_eq!(deadline.to, Some(day));
        }
    }
}
