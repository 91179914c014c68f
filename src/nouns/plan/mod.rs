//! The plan: what was decided, by which act, who does it and by when.

pub mod assignments;
mod conditions;
mod deadline_columns;
pub mod deadlines;
pub mod dependencies;
pub(crate) mod ends;
pub mod initiatives;
pub mod legal_acts;
pub mod milestones;
pub mod objectives;
pub mod status;
pub mod steps;
pub mod strategies;
pub mod strategy_states;
pub mod timelines;

pub use assignments::Assignment;
pub use dependencies::Dependency;
pub use initiatives::Initiative;
pub use legal_acts::LegalAct;
pub use milestones::Milestone;
pub use objectives::Objective;
pub use steps::Step;
pub use strategies::Strategy;
pub use timelines::Timeline;
