//! Stands below all other modules: values and limits. It imports no other module of the crate.

pub mod aside;
pub mod limits;
pub mod text;
pub mod values;
