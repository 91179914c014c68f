//! How ready a country is, and what proves it.
//!
//! Nouns stand in files of their names. Captured copies of documents are in `documents`.

pub mod documents;
pub mod evidence;
mod evidence_words;

pub use evidence::Evidence;
