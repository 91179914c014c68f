//! `mandate audit key`, `verify` and `witness`: what an auditor does, without a database.

use std::{
    fs::{self, File},
    io::BufReader,
    path::Path,
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context as _, anyhow, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use mandate_tlog::{
    note::{Checkpoint, Note, Purpose, is_name},
    verify::{Evidence, Failure, verify},
    witness::{Epoch, Refusal, Seen, witness},
};

use super::key_file;
use crate::{
    cli::config::{AuditCommand, AuditKeyCommand, VerifyArguments, WitnessArguments},
    say,
};

/// Does what needs no database, and says how it ended: 0 it is proven, 1 it is not, 2 it cannot be said. `None` for the other commands.
pub fn offline(command: &AuditCommand, origin: &str) -> Option<ExitCode> {
    let outcome = match command {
        AuditCommand::Key(AuditKeyCommand::Create { path, name, witness }) => {
            create(path, name.as_deref().unwrap_or(origin), *witness)
        }
        AuditCommand::Verify(arguments) => verify_file(arguments),
        AuditCommand::Witness(arguments) => look(arguments),
        AuditCommand::Key(AuditKeyCommand::Rotate { .. })
        | AuditCommand::Epoch { .. }
        | AuditCommand::Export { .. }
        | AuditCommand::Erase(_) => return None,
    };
    Some(outcome.unwrap_or_else(|error| {
        eprintln!("mandate: {error:#}");
        ExitCode::from(2)
    }))
}

fn create(path: &Path, name: &str, witness: bool) -> anyhow::Result<ExitCode> {
    ensure!(is_name(name), "`{name}` names no log; choose one without spaces and +, such as plans.example.org/log");
    let purpose = if witness { Purpose::Witness } else { Purpose::Log };
    say!("{}", key_file::create(path, name, purpose)?.verifier());
    Ok(ExitCode::SUCCESS)
}

/// The signed note in a file.
pub fn note(path: &Path) -> anyhow::Result<Note> {
    let name = path.display();
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
    text.parse().map_err(|why| anyhow!("{name} {why}"))
}

fn verify_file(arguments: &VerifyArguments) -> anyhow::Result<ExitCode> {
    let evidence = Evidence {
        keys: arguments.key.clone(),
        since: arguments.since.iter().map(|path| note(path)).collect::<anyhow::Result<_>>()?,
        receipts: arguments.receipt.clone(),
    };
    let file = File::open(&arguments.file).with_context(|| format!("cannot open {}", arguments.file.display()))?;
    match verify(BufReader::new(file), &evidence) {
        Ok(proven) => {
            let Checkpoint { size, root, .. } = &proven.checkpoint;
            say!("proven: {size} entries, of which {} are erased", proven.erased);
            say!("root: {}", STANDARD.encode(root));
            for key in proven.keys.iter().rev() {
                say!("signed by: {key}");
            }
            say!(
                "checkpoints: {}, of which {} were yours; receipts: {}",
                proven.checkpoints,
                evidence.since.len(),
                evidence.receipts.len()
            );
            for (position, Checkpoint { size, .. }, why) in &proven.epochs {
                say!("epoch: position {position} abandons a checkpoint of {size} entries: {why}");
            }
            for Checkpoint { size, .. } in &proven.abandoned {
                say!(
                    "abandoned: your checkpoint of {size} entries; what followed in its log is not proven to be in this one"
                );
            }
            if evidence.keys.is_empty() {
                say!("the key is the one that the file names; give the one you have with --key");
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(failure @ Failure::Wrong(..)) => {
            say!("{failure}");
            Ok(ExitCode::from(1))
        }
        Err(failure @ Failure::Unreadable(_)) => Err(anyhow!("{}: {failure}", arguments.file.display())),
    }
}

fn look(arguments: &WitnessArguments) -> anyhow::Result<ExitCode> {
    let cosigner = arguments.sign.as_deref().map(key_file::read).transpose()?;
    if let Some(key) = &cosigner {
        ensure!(
            key.verifier().purpose == Purpose::Witness,
            "the key of --sign is that of a log; `mandate audit key create PATH --witness` makes one"
        );
    }
    let fetch = over_http(&arguments.url, &arguments.api_key);
    match witness(&fetch, &arguments.key, &arguments.state, cosigner.as_ref()) {
        Ok(Seen { note, epoch }) => {
            if let Some(Epoch { position, abandoned, why, kept }) = epoch {
                eprintln!(
                    "EPOCH: position {position} abandons the checkpoint of {} entries that was seen last: {why}; it is kept as {}",
                    abandoned.size,
                    kept.display()
                );
            }
            say!("{}", note.to_string().trim_end());
            Ok(ExitCode::SUCCESS)
        }
        Err(Refusal::Broken(why)) => {
            say!("REFUSED: {why}");
            Ok(ExitCode::from(1))
        }
        Err(Refusal::Unknown(why)) => Err(anyhow!(why)),
    }
}

/// Asks a service over HTTP or HTTPS, with a key of its API.
fn over_http(url: &str, api_key: &str) -> impl Fn(&str) -> Result<String, String> {
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
