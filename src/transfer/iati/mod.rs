//! IATI 2.03: contributions come in as the activities of a file, and go out as such a file.
//!
//! `file` reads, `mapping` makes rows of an activity, `import` writes them, `export` makes activities of rows. `docs/reference/iati.md` is the reference.

mod codes;
mod elements;
pub mod export;
pub mod file;
pub mod handlers;
mod identifier;
pub mod import;
pub mod mapping;
mod part;
mod partners;
pub mod report;

#[cfg(test)]
mod tests;

use clap::Args;

use crate::base::values::codelists;

/// The organisation that publishes for the service, as `reporting-org` of every activity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[group(id = "iati")]
pub struct Settings {
    /// The identifier of the organisation that publishes with IATI, such as RO-CUI-12345678
    #[arg(id = "iati_org_ref", long = "iati-org-ref", env = "MANDATE_IATI_ORG_REF", value_parser = reference, global = true)]
    pub reference: Option<String>,
    /// What sort of organisation that is: a code of the IATI code list OrganisationType, such as 10 for a government
    #[arg(id = "iati_org_type", long = "iati-org-type", env = "MANDATE_IATI_ORG_TYPE", value_parser = kind, global = true)]
    pub kind: Option<String>,
    /// The name of that organisation, in the first language
    #[arg(id = "iati_org_name", long = "iati-org-name", env = "MANDATE_IATI_ORG_NAME", global = true)]
    pub name: Option<String>,
}

fn reference(word: &str) -> Result<String, &'static str> {
    let is_good = |c: char| !c.is_whitespace() && !"/&|?#".contains(c);
    if !word.is_empty() && word.len() <= 100 && word.chars().all(is_good) {
        return Ok(word.to_owned());
    }
    Err("MANDATE_IATI_ORG_REF is an identifier such as RO-CUI-12345678, without spaces and the characters / & | ? #")
}

fn kind(word: &str) -> Result<String, &'static str> {
    if codelists::is_organisation_type(word) {
        return Ok(word.to_owned());
    }
    Err("MANDATE_IATI_ORG_TYPE is a code of the IATI code list OrganisationType, such as 10 for a government")
}
