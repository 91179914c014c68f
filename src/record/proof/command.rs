//! `mandate audit export` and `erase`: what the keeper of the database does.

use anyhow::{anyhow, ensure};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    erase::{What, erase},
    export::export,
};
use crate::{
    config::{AuditCommand, EraseArguments},
    repository::Author,
};

/// Does it; the other commands of `audit` need no database.
pub async fn perform(command: &AuditCommand, connection: &mut PgConnection) -> anyhow::Result<()> {
    match command {
        AuditCommand::Export { file } => {
            let entries = export(connection, file).await?;
            println!("exported: {entries} entries to {}", file.display());
        }
        AuditCommand::Erase(arguments) => {
            let author = Author {
                actor: "cli".into(),
                principal: "cli".into(),
                request_id: Uuid::now_v7().to_string(),
                reason: Some(arguments.reason.clone()),
            };
            let erased = erase(connection, &author, &what(arguments)?).await?;
            ensure!(
                erased > 0,
                "nothing was erased: there is no such change with content, or the resource is not deleted"
            );
            println!("erased: the content of {erased} changes; the record says so");
        }
        AuditCommand::Key(_) | AuditCommand::Verify(_) | AuditCommand::Witness(_) => {}
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
