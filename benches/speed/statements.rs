//! The statements that the service sends for a request, as PostgreSQL logged them, made into a script for `pgbench`. So the limit is
//! measured with the very SQL of the service.

use std::{
    io::{Read as _, Seek as _, SeekFrom},
    path::Path,
};

use anyhow::{Context as _, ensure};

/// A word of the logged parameters that changes from one transaction to the next.
pub(crate) struct Vary {
    /// The word, as it stands in the request that was logged.
    pub(crate) word: String,
    /// The SQL in its place: text.
    pub(crate) sql: &'static str,
}

/// Words of statements that are no part of a request: its key, and what the sequencer, the log and the dispatcher do in the background.
const APART: [&str; 9] = [
    "api_keys",
    "sequence_changes",
    "webhooks",
    "deliveries",
    "proof_head",
    "proof_tiles",
    "leaf_hash from changes",
    "fold_budget",
    "set statement_timeout",
];

/// How long the log is.
pub(crate) fn mark(log: &Path) -> anyhow::Result<u64> {
    Ok(std::fs::metadata(log)?.len())
}

/// The statements logged since a mark, those about keys left out, with their parameters put in.
pub(crate) fn script(log: &Path, since: u64, vary: &[Vary]) -> anyhow::Result<Vec<String>> {
    let mut file = std::fs::File::open(log)?;
    file.seek(SeekFrom::Start(since))?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    // PostgreSQL begins the further lines of an entry with a tab.
    let text = text.replace("\n\t", "\n");
    let mut statements: Vec<String> = Vec::new();
    let mut rest = text.as_str();
    let mut current: Option<String> = None;
    while !rest.is_empty() {
        let end = next_entry(rest);
        let (entry, after) = rest.split_at(end);
        rest = after;
        if let Some(sql) = entry.split_once("LOG:  execute ").and_then(|(_, named)| named.split_once(": ")) {
            statements.extend(current.replace(sql.1.trim().to_owned()));
        } else if let Some((_, sql)) = entry.split_once("LOG:  statement: ") {
            statements.extend(current.replace(sql.trim().to_owned()));
        } else if let Some((_, list)) = entry.split_once("DETAIL:  parameters: ") {
            let sql = current.take().context("parameters without a statement")?;
            statements.push(filled(&sql, &parameters(list.trim_end()), vary));
        }
    }
    statements.extend(current);
    statements.retain(|sql| !APART.iter().any(|word| sql.contains(word)));
    ensure!(!statements.is_empty(), "nothing was logged");
    Ok(statements)
}

/// Where the entry at the start of the text ends: entries begin with a date.
fn next_entry(text: &str) -> usize {
    let begins = |line: &str| line.len() > 30 && line.as_bytes()[4] == b'-' && line.as_bytes()[10] == b' ';
    let mut place = 0;
    for line in text.split_inclusive('\n') {
        if place > 0 && line.is_char_boundary(11) && begins(line) {
            return place;
        }
        place += line.len();
    }
    place
}

/// `$1 = 'it''s', $2 = NULL` as literals.
fn parameters(list: &str) -> Vec<String> {
    let mut literals = Vec::new();
    let mut rest = list;
    while let Some((_, value)) = rest.split_once(" = ") {
        let mut end = 0;
        if let Some(quoted) = value.strip_prefix('\'') {
            let bytes = quoted.as_bytes();
            let mut place = 0;
            while place < bytes.len() && (bytes[place] != b'\'' || bytes.get(place + 1) == Some(&b'\'')) {
                place += if bytes[place] == b'\'' { 2 } else { 1 };
            }
            // The last entry may still be on its way into the log: something of the background, whose statements are left out.
            end = (place + 2).min(value.len());
        } else {
            end += value.find(',').unwrap_or(value.len());
        }
        literals.push(value[..end].to_owned());
        rest = &value[end..];
    }
    literals
}

/// Puts the literals in. One with a word that varies becomes an expression of the type that the parameter needs.
fn filled(sql: &str, literals: &[String], vary: &[Vary]) -> String {
    let mut sql = sql.to_owned();
    for (index, literal) in literals.iter().enumerate().rev() {
        // `pgbench` would take `key:bench` for a variable.
        let literal = &literal.replace("key:", "key:' || '");
        let mut value = literal.clone();
        for each in vary {
            value = value.replace(&each.word, &format!("' || {} || '", each.sql));
        }
        // A number without its type would be taken for a text where the statement has room for both.
        let digits = literal.trim_matches('\'');
        if digits.len() < 19 && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            digits.clone_into(&mut value);
        }
        if value != *literal && value.contains("||") {
            let kind = if value.starts_with("'[{") { "jsonb" } else { "uuid" };
            value = format!("cast(({value}) as {kind})");
        }
        sql = sql.replace(&format!("${}", index + 1), &value);
    }
    sql
}
