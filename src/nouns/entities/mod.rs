//! Who carries a plan out.

#[expect(clippy::module_inception, reason = "the area and its one noun have the same name")]
pub mod entities;

pub use entities::Entity;
