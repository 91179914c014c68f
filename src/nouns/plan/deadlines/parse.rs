//! From words to a kind and days. The words are folded first, so that accents, case and kinds of dashes do not matter; then a short
//! list of forms is tried, each of which must account for all the words.

use std::sync::LazyLock;

use chrono::{Days, Months, NaiveDate};
use regex::Regex;

use super::{Calendar, Deadline, DeadlineKind as Kind, FiscalYearName};

/// What was read: the kind, the first and the last day.
type Read = (Kind, Option<NaiveDate>, Option<NaiveDate>);

/// Reads a deadline out of its words.
pub fn parse(text: &str, calendar: &Calendar) -> Deadline {
    let words = fold(text);
    let (kind, from, to) = form(&words, *calendar).unwrap_or((Kind::Unparsed, None, None));
    Deadline { text: text.to_owned(), kind, from, to }
}

fn fold(text: &str) -> String {
    let folded: String = text
        .chars()
        .flat_map(char::to_lowercase)
        .filter(|letter| !('\u{300}'..='\u{36f}').contains(letter))
        .map(|letter| match letter {
            'ă' | 'â' | 'à' | 'á' => 'a',
            'î' | 'í' => 'i',
            'ș' | 'ş' => 's',
            'ț' | 'ţ' => 't',
            '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
            ',' | '\u{a0}' => ' ',
            other => other,
        })
        .collect();
    folded.split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches(['.', ';', ' ']).to_owned()
}

macro_rules! pattern {
    ($name:ident, $text:expr) => {
        static $name: LazyLock<Regex> = LazyLock::new(|| Regex::new($text).expect("a fixed pattern compiles"));
    };
}

const MONTHS: &str = "january|february|march|april|may|june|july|august|september|october|november|december|\
ianuarie|februarie|martie|aprilie|mai|iunie|iulie|august|septembrie|octombrie|noiembrie|decembrie";

pattern!(CONTINUOUS, r"^(continual(ly)?|continuous(ly)?|ongoing|permanent(ly)?|in permanenta|continuu)$");
pattern!(COMPLETED, r"^(already )?(completed|finalizat|realizat|the first one was completed)$");
pattern!(
    RECURRING,
    r"^(to be held )?(annually|yearly|monthly|quarterly|semi-annually|anual|lunar|trimestrial|semestrial|(at least |minimally |once |ongoing )*every (year|month|quarter|semester|two years|\d+ (months|years)).*|\d+ activit(y|ies) per (year|quarter|month).*)$"
);
pattern!(
    RECURRING_SINCE,
    r"^(to be held )?(?:(?:once )?every (?:year|two years|\d+ years)|annually|anual|trimestrial|semestrial)?,? ?(?:as of|starting in|from|incepand cu(?: anul)?)(?: the year)? (\d{4})$"
);
pattern!(
    RELATIVE,
    r"^((within )?\d+ (working |calendar )?(days|weeks|months) (of|after|from|following) .+|after .+ is (issued|adopted|approved|published).*|in termen de \d+ (de )?(zile|luni|saptamani)( lucratoare)? de la .+|dupa .+)$"
);
pattern!(
    THEN_ON,
    r"^(.+?)[ ;]+(?:se continua permanent|apoi (?:permanent|continuu)|then continuous(?:ly)?|then permanent(?:ly)?|and ongoing|and continuous(?:ly)?|then ongoing)$"
);
pattern!(
    BY,
    r"^(?:by|until|before the end of|no later than|not later than|pana (?:la data de|la|in)|cel tarziu (?:la|in)|by the|completion by) (?:the )?(.+)$"
);
pattern!(END_OF, r"^(?:the )?(?:end of|sfarsitul(?: anului)?|finele(?: anului)?) (?:the )?(?:year )?(.+)$");
pattern!(YEAR, r"^(?:the year |anul )?(\d{4})$");
pattern!(RANGE, r"^(.+?) ?- ?(.+)$");
pattern!(ISO, r"^(\d{4})-(\d{2})-(\d{2})$");
pattern!(NUMERIC, r"^(\d{1,2})([./])(\d{1,2})[./](\d{4})$");
pattern!(ROMAN_HALF, r"^(?:semestr(?:ul|u) |semestrul al |sem\.? )(i|ii|1|2)(?:-lea)? ?(?:al anului )?(\d{4})$");
pattern!(HALF, r"^(?:(?:h([12])|(first|second) half of) (\d{4}))$");
pattern!(
    QUARTER,
    r"^(?:q([1-4])|([1-4])q|(?:trimestrul (?:al )?|trim\.? |t)(i{1,3}|iv|[1-4])(?:-lea)?)(?: of)? ?(?:al anului )?(\d{4})$"
);
pattern!(FISCAL_QUARTER, r"^(?:q([1-4]) fy ?(\d{4}|\d{2})|([1-4])q fy ?(\d{4}|\d{2})|fy ?(\d{4}|\d{2}) q([1-4]))$");
pattern!(FISCAL_YEAR, r"^(?:fy|fiscal year|anul fiscal) ?(\d{4})$");
pattern!(FISCAL_PAIR, r"^(?:fy|fiscal year|anul fiscal) ?(\d{4})[-/](\d{2}|\d{4})$");
pattern!(SEASON, r"^(spring|summer|fall|autumn|primavara|vara|toamna) (\d{4})$");
static MONTH: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(&format!(r"^({MONTHS}) (\d{{4}})$")).expect("a fixed pattern compiles"));
static DAY_FIRST: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(&format!(r"^(\d{{1,2}}) ({MONTHS}) (\d{{4}})$")).expect("a fixed pattern compiles"));
static MONTH_FIRST: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(&format!(r"^({MONTHS}) (\d{{1,2}}) (\d{{4}})$")).expect("a fixed pattern compiles"));

fn form(words: &str, calendar: Calendar) -> Option<Read> {
    if words.is_empty() || matches!(words, "-" | "n/a" | "none" | "fara" | "fara termen") {
        return Some((Kind::None, None, None));
    }
    if CONTINUOUS.is_match(words) {
        return Some((Kind::Continuous, None, None));
    }
    if COMPLETED.is_match(words) {
        return Some((Kind::AlreadyCompleted, None, None));
    }
    if let Some(found) = RECURRING_SINCE.captures(words) {
        let year = year(found.get(found.len() - 1)?.as_str())?;
        return Some((Kind::Recurring, NaiveDate::from_ymd_opt(year, 1, 1), None));
    }
    if RECURRING.is_match(words) {
        return Some((Kind::Recurring, None, None));
    }
    if RELATIVE.is_match(words) {
        return Some((Kind::Relative, None, None));
    }
    if let Some(found) = THEN_ON.captures(words) {
        let (_, from, to) = bound(found.get(1)?.as_str(), calendar)?;
        return Some((Kind::FirstDueThenContinuous, from, to));
    }
    bound(words, calendar).or_else(|| range(words, calendar))
}

/// A period, perhaps with a word that makes only its end count.
fn bound(words: &str, calendar: Calendar) -> Option<Read> {
    if let Some(found) = BY.captures(words).or_else(|| END_OF.captures(words)) {
        let (kind, from, to) = bound(found.get(1)?.as_str(), calendar)?;
        return Some((kind, if kind == Kind::Exact { from } else { None }, to));
    }
    period(words, calendar).map(|(kind, from, to)| (kind, Some(from), Some(to)))
}

fn range(words: &str, calendar: Calendar) -> Option<Read> {
    let found = RANGE.captures(words)?;
    let (_, from, _) = period(found.get(1)?.as_str(), calendar)?;
    let (_, _, to) = period(found.get(2)?.as_str(), calendar)?;
    (from <= to).then_some((Kind::Range, Some(from), Some(to)))
}

/// A period with a first and a last day.
fn period(words: &str, calendar: Calendar) -> Option<(Kind, NaiveDate, NaiveDate)> {
    day(words)
        .map(|day| (Kind::Exact, day, day))
        .or_else(|| {
            let found = MONTH.captures(words)?;
            months(Kind::Month, year(&found[2])?, month(&found[1])?, 1)
        })
        .or_else(|| {
            let found = YEAR.captures(words)?;
            months(Kind::Year, year(&found[1])?, 1, 12)
        })
        .or_else(|| {
            let found = QUARTER.captures(words)?;
            let quarter = found.get(1).or(found.get(2)).or(found.get(3))?;
            months(Kind::Quarter, year(&found[4])?, ordinal(quarter.as_str())? * 3 - 2, 3)
        })
        .or_else(|| {
            let (half, year_of) = if let Some(found) = ROMAN_HALF.captures(words) {
                (ordinal(&found[1])?, year(&found[2])?)
            } else {
                let found = HALF.captures(words)?;
                (ordinal(found.get(1).or(found.get(2))?.as_str())?, year(&found[3])?)
            };
            months(Kind::Semester, year_of, half * 6 - 5, 6)
        })
        .or_else(|| {
            let found = SEASON.captures(words)?;
            let start = match &found[1] {
                "spring" | "primavara" => 3,
                "summer" | "vara" => 6,
                _ => 9,
            };
            months(Kind::Season, year(&found[2])?, start, 3)
        })
        .or_else(|| fiscal(words, calendar))
}

fn fiscal(words: &str, calendar: Calendar) -> Option<(Kind, NaiveDate, NaiveDate)> {
    let start = calendar.fiscal_year_start;
    let is_ahead = start > 1 && calendar.fiscal_year_name == FiscalYearName::End;
    let begins = |year: i32| if is_ahead { year - 1 } else { year };
    if let Some(found) = FISCAL_QUARTER.captures(words) {
        let quarter = found.get(1).or(found.get(3)).or(found.get(6))?;
        let year = year(found.get(2).or(found.get(4)).or(found.get(5))?.as_str())?;
        let first = NaiveDate::from_ymd_opt(begins(year), start, 1)?;
        let from = first.checked_add_months(Months::new(3 * (ordinal(quarter.as_str())? - 1)))?;
        return Some((Kind::FiscalQuarter, from, last(from, 3)?));
    }
    if let Some(found) = FISCAL_YEAR.captures(words) {
        return months(Kind::FiscalYear, begins(year(&found[1])?), start, 12);
    }
    // `2023-24` says that the year crosses into the next, which one that starts in January does not.
    let found = FISCAL_PAIR.captures(words)?;
    let first = year(&found[1])?;
    let crosses = start > 1 && (first + 1).to_string().ends_with(&found[2]);
    if crosses { months(Kind::FiscalYear, first, start, 12) } else { None }
}

fn day(words: &str) -> Option<NaiveDate> {
    let date = |year_of: &str, month: u32, day: &str| NaiveDate::from_ymd_opt(year(year_of)?, month, day.parse().ok()?);
    if let Some(found) = ISO.captures(words) {
        return date(&found[1], found[2].parse().ok()?, &found[3]);
    }
    if let Some(found) = DAY_FIRST.captures(words) {
        return date(&found[3], month(&found[2])?, &found[1]);
    }
    if let Some(found) = MONTH_FIRST.captures(words) {
        return date(&found[3], month(&found[1])?, &found[2]);
    }
    let found = NUMERIC.captures(words)?;
    // With dots the day is always first; with slashes only a number above 12 tells.
    let ambiguous = &found[2] == "/" && found[1].parse::<u32>().ok()? <= 12;
    if ambiguous { None } else { date(&found[4], found[3].parse().ok()?, &found[1]) }
}

fn months(kind: Kind, year: i32, month: u32, count: u32) -> Option<(Kind, NaiveDate, NaiveDate)> {
    let from = NaiveDate::from_ymd_opt(year, month, 1)?;
    Some((kind, from, last(from, count)?))
}

fn last(from: NaiveDate, months: u32) -> Option<NaiveDate> {
    from.checked_add_months(Months::new(months))?.checked_sub_days(Days::new(1))
}

fn year(digits: &str) -> Option<i32> {
    let year: i32 = digits.parse().ok()?;
    let year = if digits.len() == 2 { year + 2000 } else { year };
    (1990..=2100).contains(&year).then_some(year)
}

fn month(name: &str) -> Option<u32> {
    let place = MONTHS.split('|').position(|each| each == name)?;
    u32::try_from(place % 12).ok().map(|month| month + 1)
}

fn ordinal(word: &str) -> Option<u32> {
    Some(match word {
        "1" | "i" | "first" => 1,
        "2" | "ii" | "second" => 2,
        "3" | "iii" => 3,
        "4" | "iv" => 4,
        _ => return None,
    })
}
