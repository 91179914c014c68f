//! Activities between files and the service, from the command line: a file of any length.

use std::{
    fs,
    io::{BufReader, IsTerminal as _, Write as _},
};

use anyhow::{Context as _, ensure};
use sqlx::PgConnection;

use super::{
    export::{Selection, export as file_of},
    import::import as write_all,
    mapping::Given,
    report::IatiRow,
};
use crate::{
    api::enough::FAULTS,
    config::{ExportArguments, ImportArguments, Settings},
    repository::{Author, Clearance, Moment, Reading},
    say,
    transfer::{command::explained, progress::Progress},
};

/// Imports a file and prints the report: what is wrong, what has no place, and how many contributions there are of each outcome.
pub async fn import(
    connection: &mut PgConnection,
    arguments: &ImportArguments,
    settings: &Settings,
) -> anyhow::Result<()> {
    let direction = arguments.direction.clone();
    let direction = direction.context("a file of IATI activities needs --direction given or --direction received")?;
    let is_mapped = arguments.strategy.is_some() || arguments.map.is_some() || arguments.map_file.is_some();
    ensure!(!is_mapped, "--strategy, --map and --map-file are for a table, a file whose name ends with .csv");
    let path = &arguments.file;
    let file = fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let given = Given {
        direction,
        language: arguments.language.clone(),
        ours: settings.iati.clone(),
        classification: arguments.classification.clone(),
    };
    let author = Author::at_the_command_line(arguments.reason.as_deref());
    let terminal = std::io::stderr();
    let mut progress = Progress::new(terminal.is_terminal().then_some(terminal));
    let (mut done, mut faults, mut more) = (0, Vec::new(), 0);
    let keep = |row: IatiRow| {
        done += 1;
        progress.count(done);
        for fault in row.errors {
            if faults.len() < FAULTS { faults.push(fault) } else { more += 1 }
        }
    };
    let source = BufReader::with_capacity(1 << 16, file);
    let outcome = write_all(connection, &author, source, &given, arguments.dry_run, keep).await;
    progress.clear();
    let report = outcome.map_err(explained)?;
    for fault in &faults {
        say!("{}: {}", fault.pointer, fault.detail);
    }
    if more > 0 {
        say!("{more} more faults are not shown");
    }
    for row in &report.left_out {
        say!("left out: {} ({}, first in line {})", row.path, row.count, row.line);
    }
    say!(
        "created {}, changed {}, unchanged {}, refused {}",
        report.created,
        report.changed,
        report.unchanged,
        report.refused
    );
    ensure!(report.refused == 0, "activities were refused, so nothing was written");
    if report.dry_run {
        say!("nothing was written (--dry-run)");
    }
    Ok(())
}

/// Exports contributions to a file or standard output.
pub async fn export(
    connection: &mut PgConnection,
    moment: Moment,
    arguments: &ExportArguments,
    settings: &Settings,
) -> anyhow::Result<()> {
    let clearance = if arguments.all { Clearance::All } else { Clearance::Public };
    let mut reading = Reading::seen(connection, moment, clearance).await?;
    let bytes = file_of(&mut reading, &Selection::default(), &settings.iati).await.map_err(explained)?;
    reading.end().await?;
    match &arguments.file {
        Some(file) => fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display())),
        None => Ok(std::io::stdout().write_all(&bytes)?),
    }
}
