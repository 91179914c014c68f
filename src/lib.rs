//! Mandate.
