pub use crate::plan::Entity;
