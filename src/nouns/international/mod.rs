//! What the state does among states. Nouns stand in files of their names.

pub mod commitments;
pub mod contact_points;
pub mod contribution_partners;
pub mod contributions;
pub mod delegations;
pub mod engagements;
pub mod forum_values;
pub mod forums;
pub(crate) mod ledger;
pub mod positions;
pub mod treaties;
pub mod treaty_actions;

pub use commitments::Commitment;
pub use contact_points::ContactPoint;
pub use contribution_partners::ContributionPartner;
pub use contributions::Contribution;
pub use delegations::Delegation;
pub use engagements::Engagement;
pub use forums::Forum;
pub use positions::Position;
pub use treaties::Treaty;
pub use treaty_actions::TreatyAction;
