//! People as numbers: how many are planned for the work and at it, and how many an entity has. No person is named anywhere.

pub mod profiles;
pub mod staff_allocations;
pub mod staff_capacities;

pub use staff_allocations::StaffAllocation;
pub use staff_capacities::StaffCapacity;
