//! Cyber diplomacy.
