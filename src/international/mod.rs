//! What is done with other countries: forums and engagements there, and what was promised.

pub mod commitments;
pub mod contact_points;
pub mod delegations;
pub mod engagements;
pub mod forum_values;
pub mod forums;

pub use commitments::Commitment;
pub use contact_points::ContactPoint;
pub use delegations::Delegation;
pub use engagements::Engagement;
pub use forums::Forum;
