//! How ready a country is, and what proves it.
//!
//! Captured copies of documents are in the module `documents`, the search for records that could prove an indicator in the module `candidates`; the score is the
//! report `readiness`.

mod answered;
pub mod answers;
pub mod assessments;
pub mod candidate_rules;
pub mod citations;
pub mod evidence;
mod evidence_words;
pub mod framework_parts;
pub mod frameworks;

pub use answers::Answer;
pub use assessments::Assessment;
pub use citations::Citation;
pub use evidence::Evidence;
pub use frameworks::Framework;
