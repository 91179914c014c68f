//! Code lists of international standards, and the values taken from them.

use std::{
    collections::HashMap,
    sync::{LazyLock, OnceLock},
};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

static CURRENCIES: LazyLock<HashMap<&str, u32>> = LazyLock::new(|| {
    lines(include_str!("codelists/iso4217.txt"))
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(code, units)| Some((code, units.parse().ok()?)))
        .collect()
});

static DAC_REGIONS: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
    lines(include_str!("codelists/dac_regions.txt")).filter_map(|line| line.split_once(' ')).collect()
});

fn lines(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.lines().filter(|line| !line.starts_with('#'))
}

/// Whether this is a currency in use (ISO 4217).
pub fn is_currency(code: &str) -> bool {
    CURRENCIES.contains_key(code)
}

/// How many decimals the currency has (ISO 4217).
pub fn minor_units(code: &str) -> Option<u32> {
    CURRENCIES.get(code).copied()
}

/// Whether this is a division, group or class of COFOG, such as `03.6.0`; a leading `GF` is accepted.
pub fn is_cofog(code: &str) -> bool {
    let code = code.strip_prefix("GF").unwrap_or(code);
    lines(include_str!("codelists/cofog.txt")).any(|line| line == code)
}

/// Whether this is a country (ISO 3166-1 alpha-2), or one of the codes that the standard leaves to its users (`AA`, `QM` to `QZ`, `XA` to `XZ`,
/// `ZZ`), which fictitious examples and bodies without a country use.
pub fn is_country(code: &str) -> bool {
    let of_users = code.len() == 2
        && (matches!(code, "AA" | "ZZ") || ("QM"..="QZ").contains(&code) || ("XA"..="XZ").contains(&code));
    of_users || lines(include_str!("codelists/iso3166.txt")).any(|line| line == code)
}

/// Whether this is a language (ISO 639-1).
pub fn is_language(code: &str) -> bool {
    all_languages().any(|line| line == code)
}

/// All languages (ISO 639-1).
pub fn all_languages() -> impl Iterator<Item = &'static str> {
    lines(include_str!("codelists/iso639.txt"))
}

/// The role profiles of the European Cybersecurity Skills Framework (ENISA, 2022).
pub fn ecsf_profiles() -> impl Iterator<Item = &'static str> {
    lines(include_str!("codelists/ecsf.txt"))
}

/// The name of a region of the OECD DAC, such as `89` (IATI code list Region).
pub fn dac_region(code: &str) -> Option<&'static str> {
    DAC_REGIONS.get(code).copied()
}

/// Whether this is a purpose code of the OECD DAC, with five or three digits (IATI code lists Sector and `SectorCategory`).
pub fn is_dac_sector(code: &str) -> bool {
    lines(include_str!("codelists/dac_sectors.txt")).any(|line| line == code)
}

/// Whether the IATI code list `OrganisationType` has it.
pub fn is_organisation_type(code: &str) -> bool {
    const CODES: [&str; 16] =
        ["10", "11", "15", "21", "22", "23", "24", "30", "40", "60", "70", "71", "72", "73", "80", "90"];
    CODES.contains(&code)
}

/// A country: ISO 3166-1 alpha-2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(transparent)]
#[sqlx(transparent)]
#[schema(value_type = String, pattern = "^[A-Z]{2}$", example = "RO")]
pub struct Country(pub String);

static COUNTRY: OnceLock<Country> = OnceLock::new();

/// Sets the country of the service (`MANDATE_COUNTRY`); the first call of a process counts.
pub fn use_country(country: Country) {
    let _ = COUNTRY.set(country);
}

impl Country {
    /// The country of the service: what a country left out means where one is needed.
    pub fn configured() -> Self {
        COUNTRY.get_or_init(|| Self("RO".to_owned())).clone()
    }

    /// Whether the code list has it.
    pub fn is_known(&self) -> bool {
        is_country(&self.0)
    }
}

/// A language: ISO 639-1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(transparent)]
#[sqlx(transparent)]
#[schema(value_type = String, pattern = "^[a-z]{2}$", example = "ro")]
pub struct Language(pub String);

impl Language {
    /// Whether the code list has it.
    pub fn is_known(&self) -> bool {
        is_language(&self.0)
    }
}

/// A web address, http or https.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(transparent)]
#[sqlx(transparent)]
#[schema(value_type = String, max_length = 2000, pattern = r"^https?://\S+$", example = "https://legislatie.just.ro/Public/DetaliiDocument/250235")]
pub struct Url(pub String);
