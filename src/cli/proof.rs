//! `mandate audit export`, `erase`, `epoch` and `key rotate`: what the keeper of the database does.

use anyhow::{Context as _, anyhow, ensure};
use sqlx::PgConnection;

use crate::record::proof::{
    erase::{What, erase},
    export::export,
    succession::{begin_epoch, rotate},
};
use crate::{
    cli::{
        audit::{command::note, key_file},
        config::{AuditCommand, AuditKeyCommand, EraseArguments, Settings},
    },
    repository::Author,
    say,
};

/// Does it; the other commands of `audit` need no database.
pub(crate) async fn perform(
    command: &AuditCommand,
    settings: &Settings,
    connection: &mut PgConnection,
) -> anyhow::Result<()> {
    match command {
        AuditCommand::Key(AuditKeyCommand::Rotate { path, reason }) => {
            let old = settings.log_key().context("name the key that signs now with MANDATE_LOG_KEY")?;
            let (old, new) = (key_file::read(&old)?, key_file::read(path)?);
            let entries = rotate(connection, &Author::at_the_command_line(Some(reason)), &old, &new).await?;
            say!("rotated: after {entries} entries {} follows {}", new.verifier(), old.verifier());
            say!(
                "the log stands still until the service has the new key: start all replicas again with MANDATE_LOG_KEY={}",
                path.display()
            );
        }
        AuditCommand::Epoch { checkpoint, reason } => {
            let abandoned =
                begin_epoch(connection, &Author::at_the_command_line(Some(reason)), &note(checkpoint)?).await?;
            say!("recorded: the checkpoint of {} entries is abandoned", abandoned.size);
        }
        AuditCommand::Export { file } => {
            let entries = export(connection, file).await?;
            say!("exported: {entries} entries to {}", file.display());
        }
        AuditCommand::Erase(arguments) => {
            let erased =
                erase(connection, &Author::at_the_command_line(Some(&arguments.reason)), &what(arguments)?).await?;
            ensure!(
                erased > 0,
                "nothing was erased: there is no such change with content, or the resource is not deleted"
            );
            say!("erased: the content of {erased} changes; the record says so");
        }
        AuditCommand::Key(AuditKeyCommand::Create { .. }) | AuditCommand::Verify(_) | AuditCommand::Witness(_) => {}
    }
    Ok(())
}

fn what(arguments: &EraseArguments) -> anyhow::Result<What> {
    if let Some(change) = arguments.change {
        return Ok(What::Change(change));
    }
    match arguments.resource.as_slice() {
        [kind, id] => Ok(What::Deleted(kind.clone(), id.parse().map_err(|_| anyhow!("`{id}` is no id (a UUID)"))?)),
        _ => Err(anyhow!("name a change by its id, or a deleted resource with --resource KIND ID")),
    }
}
