//! `lang`: the language in which the texts of an answer are told.

use crate::error::Error;
use crate::{
    base::values::{Language, languages},
    repository::Fault,
};

/// The language that was asked for, when it is one.
pub fn asked(language: Option<Language>, faults: &mut Vec<Fault>) -> Option<String> {
    let language = language?;
    if !language.is_known() {
        let detail =
            format!("`{}` is no language of ISO 639-1; this service has {}", language.0, languages().join(", "));
        faults.push(Fault { pointer: "lang".into(), code: "unknown_code".into(), detail });
    }
    Some(language.0)
}

/// The same for a reading that has no other faults to name beside.
pub fn told(language: Option<Language>) -> Result<Option<String>, Error> {
    let mut faults = Vec::new();
    let language = asked(language, &mut faults);
    if faults.is_empty() { Ok(language) } else { Err(Error::BadQuery(faults)) }
}
