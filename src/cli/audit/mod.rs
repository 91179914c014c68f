//! `mandate audit` without a database: what an auditor does, and the file with the key that signs. `mandate_tlog` verifies; `record::proof`
//! keeps the log.

pub mod command;
pub mod key_file;
