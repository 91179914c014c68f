//! `as_of`: which moment a reading is about, and what its answer says of that.

use axum::{
    http::{HeaderName, HeaderValue, header},
    response::Response,
};
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde_json::Value;
use sqlx::PgConnection;

use crate::error::Error;
use crate::{
    app::App,
    repository::{self, AsOf, Fault, Moment, Past},
};

const AS_OF: HeaderName = HeaderName::from_static("mandate-as-of");

/// The moment that `as_of` names; the present without it.
pub async fn moment(app: &App, word: Option<&str>) -> Result<Moment, Error> {
    match word {
        Some(word) => Ok(Some(instant(&mut *app.connection().await?, "as_of", word).await?)),
        None => Ok(None),
    }
}

/// The past instant that a word names; the parameter has it.
pub async fn instant(connection: &mut PgConnection, parameter: &str, word: &str) -> Result<DateTime<Utc>, Error> {
    let fault = |code: &str, detail: String| {
        Error::BadQuery(vec![Fault { pointer: parameter.into(), code: code.into(), detail }])
    };
    let asked = parse(word).ok_or_else(|| {
        let detail = "must be an instant such as `2026-01-31T12:00:00Z` (in a URL write `+` as `%2B`), or a day such as `2026-01-31`, which means its end";
        fault("wrong_format", detail.into())
    })?;
    match repository::settle(connection, asked).await? {
        Past::Complete(instant) => Ok(instant),
        Past::Future(instant) => {
            let detail = format!("{} is still to come; leave `{parameter}` out for the present", text(instant));
            Err(fault("in_future", detail))
        }
        Past::Unsettled => Err(unsettled()),
    }
}

/// The present as a moment: all that is committed by now is in it.
pub async fn present(connection: &mut PgConnection) -> Result<DateTime<Utc>, Error> {
    let now = repository::now(connection).await?;
    match repository::settle(connection, AsOf::Instant(now)).await? {
        Past::Complete(instant) => Ok(instant),
        Past::Future(_) | Past::Unsettled => Err(unsettled()),
    }
}

fn unsettled() -> Error {
    Error::Unavailable("the record is not complete up to then yet; try again".into())
}

fn parse(word: &str) -> Option<AsOf> {
    if let Ok(day) = word.parse::<NaiveDate>() {
        return (word.len() == 10).then_some(AsOf::Day(day));
    }
    let instant = DateTime::parse_from_rfc3339(word).ok()?.with_timezone(&Utc);
    let year = instant.format("%Y").to_string();
    (year.len() == 4 && year != "0000").then_some(AsOf::Instant(instant))
}

/// An instant as answers have it, in the precision of the record.
pub fn text(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Adds `as_of` to the body of a page.
pub fn tell(page: &mut Value, moment: Moment) {
    if let Some(instant) = moment {
        page["as_of"] = text(instant).into();
    }
}

/// Says in the headers which moment the answer is about. The past does not change, so such an answer can be kept for ever.
pub fn mark(mut response: Response, moment: Moment) -> Response {
    if let Some(instant) = moment {
        let headers = response.headers_mut();
        headers.insert(AS_OF, HeaderValue::from_str(&text(instant)).expect("an instant is a header"));
        // Another key may see something else.
        headers.append(header::VARY, HeaderValue::from_static("authorization"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=31536000, immutable"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_and_days_are_told_apart() {
        let instant = |word: &str| match parse(word) {
            Some(AsOf::Instant(instant)) => text(instant),
            other => panic!("{word}: {other:?}"),
        };
        assert_eq!(instant("2026-01-31T12:00:00+02:00"), "2026-01-31T10:00:00.000000Z");
        assert_eq!(instant("2026-01-31T12:00:00.123456Z"), "2026-01-31T12:00:00.123456Z");
        assert_eq!(parse("2026-01-31"), Some(AsOf::Day(NaiveDate::from_ymd_opt(2026, 1, 31).unwrap())));
        for word in
            ["", "yesterday", "2026-02-30", "2026-1-31", "2026-01-31T12:00:00", "0000-01-01T00:00:00Z", "12026-01-31"]
        {
            assert_eq!(parse(word), None, "{word}");
        }
    }
}
