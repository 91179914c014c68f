//! The euro foreign exchange reference rates of the European Central Bank as CSV: a column a currency, a row a day, units of it for one euro.
//! `eurofxref.csv` writes `18 October 2024`, `eurofxref-hist.csv` `2024-10-18`; what was not published is `N/A`.

use std::sync::Arc;

use chrono::NaiveDate;

use super::{MOST, Rate, TOO_MANY, number};

/// The rates, in the order of the file.
pub(super) fn read(text: &str) -> Result<Vec<Rate>, String> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|_| "the header cannot be read")?.clone();
    if header.get(0) != Some("Date") || header.len() < 2 {
        return Err("its header starts with `Date`, and then has a column for each currency".into());
    }
    let euro: Arc<str> = "EUR".into();
    let currencies: Vec<Arc<str>> = header.iter().map(Arc::from).collect();
    let mut rates = Vec::new();
    for (index, record) in reader.records().enumerate() {
        let line = index + 2;
        let record = record.map_err(|_| format!("line {line} cannot be read"))?;
        let day = record.get(0).unwrap_or_default();
        let on = ["%Y-%m-%d", "%d %B %Y"].iter().find_map(|form| NaiveDate::parse_from_str(day, form).ok());
        let on = on.ok_or_else(|| format!("line {line} does not start with a date"))?;
        for (currency, cell) in currencies.iter().zip(&record).skip(1) {
            if currency.is_empty() || cell.is_empty() || cell == "N/A" {
                continue;
            }
            if rates.len() == MOST {
                return Err(TOO_MANY.into());
            }
            let worth = number(cell).map_err(|why| format!("line {line}, {currency}: {why}"))?;
            rates.push(Rate { base: Arc::clone(&euro), quote: Arc::clone(currency), on, worth });
        }
    }
    Ok(rates)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Result<Vec<String>, String> {
        Ok(read(text)?.iter().map(|r| format!("{} {}/{} {}", r.on, r.base, r.quote, r.worth)).collect())
    }

    #[test]
    fn both_files_of_the_bank_are_read() {
        let day = "Date, USD, JPY, RON, \n18 October 2024, 1.0847, 162.50, 4.9735, \n";
        assert_eq!(
            told(day),
            Ok(vec![
                "2024-10-18 EUR/USD 1.0847".into(),
                "2024-10-18 EUR/JPY 162.50".into(),
                "2024-10-18 EUR/RON 4.9735".into()
            ])
        );
        let history = "Date,USD,CYP,RON,\n2024-10-18,1.0847,N/A,4.9735,\n2024-10-17,1.0866,N/A,4.9742,\n";
        assert_eq!(told(history).unwrap().len(), 4);
    }

    #[test]
    fn anything_else_is_refused_with_its_place() {
        for (text, why) in [
            ("", "header"),
            ("Day,USD\n2024-10-18,1\n", "header"),
            ("Date,USD\nyesterday,1\n", "line 2 does not start"),
            ("Date,USD\n2024-10-18,one\n", "line 2, USD"),
            ("Date,USD\n2024-10-18,-1\n", "line 2, USD"),
            ("Date,USD\n2024-10-18,0\n", "line 2, USD"),
        ] {
            assert!(told(text).is_err_and(|found| found.contains(why)), "{text}");
        }
    }
}
