//! IATI 2.03: contributions come in as activities of a file, and go out as one.
pub mod file;
#[cfg(test)]
mod tests;
