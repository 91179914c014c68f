//! Mandate: the open system of record for carrying out a national strategy.
pub mod repository;
pub mod values;
