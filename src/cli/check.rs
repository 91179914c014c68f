//! `mandate check`: judges a plan file as `GET /v1/reports/quality` would, in a private database that is thrown away. For a plan that is kept
//! in files, each change of which is checked before it is taken.

use std::{fs, io::Write as _, os::unix::fs::PermissionsExt as _, process::ExitCode};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::{
    api::{answer::Form, format::Format},
    cli::{
        config::{CheckArguments, Settings},
        database::Database,
        transfer::{explained, print, read},
    },
    reports,
    repository::Author,
    router::nouns,
    transfer::{
        how::{Empty, How},
        import::import,
        origin::Origin,
    },
};

/// Prints what the plan lacks. The exit code is 0 when that is nothing, 1 when it is something; what cannot be judged is an error.
pub async fn check(arguments: &CheckArguments, settings: &Settings) -> anyhow::Result<ExitCode> {
    let (document, origin) = read(&arguments.file, Empty::default())?;
    let place = tempfile::tempdir().context("cannot make a folder for the database")?;
    // Started by root, PostgreSQL runs under another account, which has to pass through here.
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755))?;
    let database = Database::throwaway(settings, place.path().join("data")).await?;
    let outcome = judge(&database, &document, &origin).await;
    database.close().await?;
    let mut findings = outcome?;
    let found = findings.len();
    let mut format = Format::Ndjson;
    if !arguments.json {
        format = Format::Text;
        // The ids are those of a database that is gone.
        for finding in findings.iter_mut().filter_map(Value::as_object_mut) {
            finding.shift_remove("id");
        }
    }
    if found > 0 {
        // Who reads no further still learns the exit code.
        let form = Form { format, columns: reports::quality_columns(), language: None };
        let _ = std::io::stdout().write_all(&form.render(findings, Value::Array).map_err(explained)?);
    }
    eprintln!("{found} findings");
    Ok(ExitCode::from(u8::from(found > 0)))
}

async fn judge(database: &Database, document: &[u8], origin: &Origin) -> anyhow::Result<Vec<Value>> {
    database.migrate().await?;
    let mut connection = database.connect().await?;
    let author = Author::at_the_command_line(None);
    let written = import(&mut connection, nouns(), &author, document, How::default(), |_, _| ()).await;
    let mut report = written.map_err(explained)?;
    if report.refused > 0 {
        origin.locate(&mut report);
        print(&report);
    }
    ensure!(report.refused == 0, "rows were refused, so the plan cannot be judged");
    reports::quality(&mut connection).await.map_err(explained)
}
