//! The resources of progress: reporting cycles, progress reports, risks.

pub mod progress_reports;
mod report_states;
pub mod reporting_cycles;
pub mod risks;

pub use progress_reports::ProgressReport;
pub use reporting_cycles::ReportingCycle;
pub use risks::Risk;
