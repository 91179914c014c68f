//! The tree, its proofs, and the file of a log, as who uses the crate sees them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod file;
mod tampered;
mod tree;
