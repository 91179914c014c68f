//! `mandate audit key`, `verify` and `witness`: what an auditor does, without a database.

use std::{
    fs::{self, File},
    io::BufReader,
    path::Path,
    process::ExitCode,
};

use anyhow::{Context as _, anyhow, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use uuid::Uuid;

use super::{
    hash::Hash,
    key_file,
    note::{Checkpoint, Note, Purpose, is_name},
    verify::{Evidence, Failure, verify},
    witness::{Epoch, Refusal, Seen, over_http, witness},
};
use crate::config::{AuditCommand, AuditKeyCommand, VerifyArguments, WitnessArguments};
use crate::say;

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

/// Reads a receipt: `ID; leaf=HASH`.
pub fn receipt(text: &str) -> Result<(Uuid, Hash), &'static str> {
    const WRONG: &str = "is no receipt; write it as the header Mandate-Receipt has it: \"ID; leaf=HASH\"";
    let (id, leaf) = text.split_once(';').ok_or(WRONG)?;
    let hash = leaf.trim().strip_prefix("leaf=").and_then(|hash| STANDARD.decode(hash).ok()).ok_or(WRONG)?;
    Ok((id.trim().parse().map_err(|_| WRONG)?, hash.try_into().map_err(|_| WRONG)?))
}
