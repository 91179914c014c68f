//! People as numbers: how many are planned for the work and at it, how many an entity has, how many were taught. No person is named anywhere.

pub mod profiles;
pub mod staff_allocations;
pub mod staff_capacities;
pub mod training_programmes;
pub mod training_sessions;

pub use staff_allocations::StaffAllocation;
pub use staff_capacities::StaffCapacity;
pub use training_programmes::TrainingProgramme;
pub use training_sessions::TrainingSession;
