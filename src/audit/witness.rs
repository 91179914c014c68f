//! `mandate audit witness`: looks at a log from outside, again and again, and refuses one that did not only grow.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
    time::{Duration, SystemTime},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;

use super::{
    hash::Hash,
    note::{Checkpoint, Note, SignerKey, VerifierKey},
    path::extends,
    verify::opened,
};

/// Why a checkpoint was not accepted.
#[derive(Debug)]
pub enum Refusal {
    /// Nothing can be said: the service or the state cannot be read.
    Unknown(String),
    /// The log is not the one that was seen before.
    Broken(String),
}

/// The part of the service that a witness asks: the answer at a path.
pub type Fetch<'a> = &'a dyn Fn(&str) -> Result<String, String>;

#[derive(Deserialize)]
struct Consistency {
    path: Vec<String>,
}

/// Fetches the newest checkpoint, compares it with the last one seen, and keeps it, cosigned when there is a key for that.
pub fn witness(
    fetch: Fetch<'_>,
    key: &VerifierKey,
    state: &Path,
    cosigner: Option<&SignerKey>,
) -> Result<Note, Refusal> {
    let mut note: Note = fetch("/v1/log/checkpoint")
        .and_then(|text| text.parse().map_err(|why| format!("the answer {why}")))
        .map_err(Refusal::Unknown)?;
    let now = opened(&note, key).map_err(Refusal::Broken)?;
    if let Some(before) = last_seen(state, key)? {
        compare(fetch, &before, &now)?;
    }
    if let Some(cosigner) = cosigner {
        let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        note.signatures.push(cosigner.sign(&note.text, time.as_secs()));
    }
    keep(state, &note).map_err(|error| Refusal::Unknown(format!("cannot write {}: {error}", state.display())))?;
    Ok(note)
}

fn last_seen(state: &Path, key: &VerifierKey) -> Result<Option<Checkpoint>, Refusal> {
    let text = match fs::read_to_string(state) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Refusal::Unknown(format!("cannot read {}: {error}", state.display()))),
    };
    let checkpoint = text.parse().map_err(str::to_owned).and_then(|note| opened(&note, key));
    checkpoint.map(Some).map_err(|why| Refusal::Unknown(format!("{}: {why}", state.display())))
}

fn compare(fetch: Fetch<'_>, before: &Checkpoint, now: &Checkpoint) -> Result<(), Refusal> {
    let (old, new) = (before.size, now.size);
    if new < old {
        return Err(Refusal::Broken(format!(
            "the log has {new} entries and had {old}: it was put back to an older state, or replaced"
        )));
    }
    let path: Vec<Hash> = if new == old {
        Vec::new()
    } else {
        let text = fetch(&format!("/v1/log/consistency?from={old}&to={new}")).map_err(Refusal::Unknown)?;
        let answer: Consistency = serde_json::from_str(&text)
            .map_err(|_| Refusal::Unknown("the answer is no proof of consistency".into()))?;
        let hash = |text: &String| STANDARD.decode(text).ok()?.try_into().ok();
        let path: Option<Vec<Hash>> = answer.path.iter().map(hash).collect();
        path.ok_or_else(|| Refusal::Unknown("the answer is no proof of consistency".into()))?
    };
    if extends((old, &before.root), (new, &now.root), &path) {
        return Ok(());
    }
    Err(Refusal::Broken(format!(
        "the log of {new} entries does not begin with the {old} that were seen: it was forked or rewritten"
    )))
}

/// Replaces the state as a whole, or not at all.
fn keep(state: &Path, note: &Note) -> io::Result<()> {
    let folder = state.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let mut name = state.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = folder.join(name);
    let mut file = fs::File::create(&new)?;
    file.write_all(note.to_string().as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, state)
}

/// Asks a service over HTTP or HTTPS, with a key of its API.
pub fn over_http(url: &str, api_key: &str) -> impl Fn(&str) -> Result<String, String> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(30)))
        .max_redirects(0)
        .http_status_as_error(false)
        .build()
        .into();
    let base = url.trim_end_matches('/').to_owned();
    let authorization = format!("Bearer {api_key}");
    move |path| {
        let address = format!("{base}{path}");
        let mut answer = agent
            .get(&address)
            .header("Authorization", &authorization)
            .call()
            .map_err(|error| format!("{address}: {error}"))?;
        let status = answer.status();
        let text = answer.body_mut().read_to_string().map_err(|error| format!("{address}: {error}"))?;
        if status.is_success() { Ok(text) } else { Err(format!("{address} answers {status}: {text}")) }
    }
}
