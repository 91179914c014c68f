//! The log as one file, for `mandate audit verify`.
