//! The reference rates of the National Bank of Romania (`nbrfxrates.xml`, namespace `http://www.bnr.ro/xsd`): units of `OrigCurrency` for one
//! unit of each currency, or for `multiplier` units.
//!
//! The file is from outside. Nothing in it is expanded or fetched, and a depth that no such file has is refused.

use std::sync::Arc;

use chrono::NaiveDate;
use mandate_xsd::{Element, Flaw, Reader, Step};
use rust_decimal::Decimal;

use super::{MOST, Rate, TOO_MANY, number};

/// `DataSet` > `Body` > `Cube` > `Rate`.
const DEEPEST: usize = 4;

/// What has been read so far.
#[derive(Default)]
struct State {
    path: Vec<String>,
    text: String,
    quote: Option<Arc<str>>,
    on: Option<NaiveDate>,
    /// The currency, and for how many units.
    of: Option<(String, Decimal)>,
    rates: Vec<Rate>,
}

/// The rates, in the order of the file.
pub(super) fn read(text: &str) -> Result<Vec<Rate>, String> {
    let said = |flaw: Flaw| flaw.to_string();
    let mut reader = Reader::new(text.as_bytes()).map_err(said)?;
    let mut state = State::default();
    loop {
        match reader.step().map_err(said)? {
            Step::Open(element) => state.open(&element)?,
            Step::Text(words, _) => state.text.push_str(&words),
            Step::Close => state.close()?,
            Step::End if state.rates.is_empty() => return Err("it has no rates".into()),
            Step::End => return Ok(state.rates),
        }
    }
}

impl State {
    fn open(&mut self, element: &Element) -> Result<(), String> {
        if self.path.len() == DEEPEST {
            return Err("it is deeper than such a file".into());
        }
        self.path.push(element.name.local.clone());
        self.text.clear();
        match self.place().as_str() {
            "DataSet/Body/Cube" => {
                let day = element.attribute("date").unwrap_or_default();
                let on = NaiveDate::parse_from_str(day, "%Y-%m-%d").map_err(|_| "a Cube has no date")?;
                self.on = Some(on);
            }
            "DataSet/Body/Cube/Rate" => {
                let currency = element.attribute("currency").ok_or("a Rate has no currency")?;
                let units = element.attribute("multiplier").map_or(Ok(Decimal::ONE), number)?;
                self.of = Some((currency.to_owned(), units));
            }
            _ => {}
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), String> {
        match self.place().as_str() {
            "DataSet/Body/OrigCurrency" => self.quote = Some(self.text.trim().into()),
            "DataSet/Body/Cube/Rate" => {
                let quote = self.quote.clone().ok_or("OrigCurrency is missing before the rates")?;
                let (base, units) = self.of.take().ok_or("a Rate has no currency")?;
                let on = self.on.ok_or("a Rate has no date")?;
                let worth = number(self.text.trim())?.checked_div(units).ok_or("a multiplier is zero")?;
                if self.rates.len() == MOST {
                    return Err(TOO_MANY.into());
                }
                self.rates.push(Rate { base: base.into(), quote, on, worth: worth.normalize() });
            }
            _ => {}
        }
        self.path.pop();
        self.text.clear();
        Ok(())
    }

    fn place(&self) -> String {
        self.path.join("/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<DataSet xmlns="http://www.bnr.ro/xsd" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://www.bnr.ro/xsd nbrfxrates.xsd">
  <Header><Publisher>National Bank of Romania</Publisher><PublishingDate>2024-10-18</PublishingDate><MessageType>DR</MessageType></Header>
  <Body><Subject>Reference rates</Subject><OrigCurrency>RON</OrigCurrency>
    <Cube date="2024-10-18"><Rate currency="EUR">4.9735</Rate><Rate currency="HUF" multiplier="100">1.2418</Rate></Cube>
  </Body>
</DataSet>"#;

    #[test]
    fn the_file_of_the_bank_is_read_and_rates_are_for_one_unit() {
        let told: Vec<_> =
            read(FILE).unwrap().iter().map(|r| format!("{} {}/{} {}", r.on, r.base, r.quote, r.worth)).collect();
        assert_eq!(told, ["2024-10-18 EUR/RON 4.9735", "2024-10-18 HUF/RON 0.012418"]);
    }

    #[test]
    fn what_is_not_safe_is_not_read() {
        let with_type = FILE.replace("<DataSet", "<!DOCTYPE x [<!ENTITY a \"b\">]><DataSet");
        let with_entity = FILE.replace("4.9735", "&a;4.9735");
        let deep = FILE.replace("4.9735", "<a>4.9735</a>");
        for text in
            [&with_type, &with_entity, &deep, &FILE[..FILE.len() - 20], "", "<DataSet/>", &FILE.replace("4.9735", "-1")]
        {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
