//! The arguments of `mandate audit`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use mandate_tlog::{hash::Hash, note::VerifierKey, verify::receipt};
use uuid::Uuid;

use super::parsers::reason;

/// What to do with the proof of the record.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Make keys that sign
    #[command(subcommand)]
    Key(AuditKeyCommand),
    /// Write the whole log into a file
    Export {
        /// Where to write
        file: PathBuf,
    },
    /// Verify a file, without server and database: exit code 0 proven, 1 not proven, 2 cannot be said
    Verify(VerifyArguments),
    /// Fetch the newest checkpoint, and refuse a log that did not only grow (exit code 1)
    Witness(WitnessArguments),
    /// Begin a new epoch after the database was put back to an older state: record that a checkpoint is abandoned
    Epoch {
        /// The file with the checkpoint that cannot be kept, such as the state of a witness
        checkpoint: PathBuf,
        /// Why; it is recorded
        #[arg(long, value_parser = reason)]
        reason: String,
    },
    /// Erase the content of a change, or of all changes of a deleted resource; the proof stays
    Erase(EraseArguments),
}

/// What to do with keys that sign.
#[derive(Debug, Subcommand)]
pub enum AuditKeyCommand {
    /// Make a key in a new file, and print its public part
    Create {
        /// The file
        path: PathBuf,
        /// The name of the log or the witness [default: MANDATE_LOG_ORIGIN]
        #[arg(long)]
        name: Option<String>,
        /// A key for `mandate audit witness --sign`
        #[arg(long, requires = "name")]
        witness: bool,
    },
    /// Let another key sign the log: needs the old one (MANDATE_LOG_KEY) and the database; then give the new one to all replicas
    Rotate {
        /// The file with the new key, made by `key create`
        path: PathBuf,
        /// Why; it is recorded
        #[arg(long, value_parser = reason)]
        reason: String,
    },
}

/// What to verify, and with what.
#[derive(Debug, Args)]
pub struct VerifyArguments {
    /// The file of `mandate audit export`
    pub file: PathBuf,
    /// A public key of the log that you have from elsewhere; may be repeated
    #[arg(long)]
    pub key: Vec<VerifierKey>,
    /// A file with a checkpoint that you kept; may be repeated
    #[arg(long, value_name = "FILE")]
    pub since: Vec<PathBuf>,
    /// A receipt that you kept, as the header Mandate-Receipt has it; may be repeated
    #[arg(long, value_parser = receipt, value_name = "ID; leaf=HASH")]
    pub receipt: Vec<(Uuid, Hash)>,
}

/// Which log to witness.
#[derive(Debug, Args)]
pub struct WitnessArguments {
    /// The address of the service, such as `https://plans.example.org`
    #[arg(long)]
    pub url: String,
    /// A key of its API; a viewer's is enough, until a log was put back: then an auditor's is needed once
    #[arg(long, env = "MANDATE_API_KEY", hide_env_values = true)]
    pub api_key: String,
    /// The public key of the log that you have from elsewhere; repeated, any of them is good
    #[arg(long, required = true)]
    pub key: Vec<VerifierKey>,
    /// The file with the last checkpoint seen; it is made the first time
    #[arg(long, value_name = "FILE")]
    pub state: PathBuf,
    /// The file with your own key, to cosign
    #[arg(long, value_name = "KEYFILE")]
    pub sign: Option<PathBuf>,
}

/// What to erase, and why.
#[derive(Debug, Args)]
pub struct EraseArguments {
    /// One change, by its id
    #[arg(conflicts_with = "resource")]
    pub change: Option<Uuid>,
    /// All changes of a deleted resource, such as `--resource entity 0192f0c0-...`
    #[arg(long, num_args = 2, value_names = ["KIND", "ID"])]
    pub resource: Vec<String>,
    /// Why; it is recorded
    #[arg(long, value_parser = reason)]
    pub reason: String,
}
