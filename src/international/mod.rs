//! What the state does among states. Nouns stand in files of their names.

pub(crate) mod ledger;
pub mod positions;
pub mod treaties;
pub mod treaty_actions;

pub use positions::Position;
pub use treaties::Treaty;
pub use treaty_actions::TreatyAction;
