//! Values that several nouns share. A value that exists is well formed; each carries the schema that the API publishes and enforces.
//!
//! To add one: a file here with `Serialize`, `Deserialize` and `ToSchema`.

pub mod characters;
mod classification;
pub mod codelists;
mod external_id;
mod id;
mod money;
mod quantity;
mod text;
mod word;

pub use classification::Classification;
pub use codelists::{Country, Language, Url, use_country};
pub use external_id::{Code, ExternalId};
pub use id::Id;
pub use money::{Money, excess_digits};
pub use quantity::Quantity;
pub use text::{Text, chosen, languages, speaking, use_languages};
pub use word::{word, words};
