//! Activities between files and the service, from the command line: a file of any length.

use std::{
    collections::HashMap,
    fs,
    io::{BufReader, IsTerminal as _, Write as _},
};

use anyhow::{Context as _, ensure};
use sqlx::PgConnection;

use crate::transfer::iati::{
    export::{Exported, Selection, export as file_of},
    import::import as write_all,
    mapping::Given,
    report::IatiRow,
};
use crate::{
    api::enough::FAULTS,
    cli::{
        config::{ExportArguments, ImportArguments, Settings},
        transfer::explained,
    },
    repository::{Author, Clearance, Moment, Reading},
    say,
    transfer::progress::Progress,
};

/// Imports a file and prints the report: what is wrong, what has no place, and how many contributions there are of each outcome.
pub(crate) async fn import(
    connection: &mut PgConnection,
    arguments: &ImportArguments,
    settings: &Settings,
) -> anyhow::Result<()> {
    let direction = arguments.direction.clone();
    let direction = direction.context("a file of IATI activities needs --direction given or --direction received")?;
    let is_mapped = arguments.strategy.is_some() || arguments.map.is_some() || arguments.map_file.is_some();
    ensure!(
        !is_mapped && !arguments.prune,
        "--strategy, --map, --map-file and --prune are for a table, a file whose name ends with .csv"
    );
    let path = &arguments.file;
    let file = fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let given = Given {
        direction,
        language: arguments.language.clone(),
        ours: settings.iati.clone(),
        classification: arguments.classification.clone(),
        partial: arguments.partial,
    };
    let author = Author::at_the_command_line(arguments.reason.as_deref());
    let terminal = std::io::stderr();
    let mut progress = Progress::new(terminal.is_terminal().then_some(terminal));
    let (mut done, mut faults, mut more) = (0, Vec::new(), 0);
    let mut whys: HashMap<String, String> = HashMap::new();
    let keep = |row: IatiRow| {
        for left in row.left_out {
            if let Some(why) = left.why.filter(|_| whys.len() < FAULTS) {
                whys.entry(left.path).or_insert(why);
            }
        }
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
        let why = whys.get(&row.path).map_or_else(String::new, |why| format!(": {why}"));
        say!("left out: {} ({}, first in line {}){why}", row.path, row.count, row.line);
    }
    say!(
        "created {}, changed {}, unchanged {}, refused {}",
        report.created,
        report.changed,
        report.unchanged,
        report.refused
    );
    if report.would_create + report.would_change > 0 {
        say!(
            "without what is refused: created {}, changed {}; --partial takes that",
            report.would_create,
            report.would_change
        );
    }
    ensure!(report.refused == 0 || report.committed, "activities were refused, so nothing was written");
    if report.dry_run {
        say!("nothing was written (--dry-run)");
    }
    Ok(())
}

/// Exports contributions to a file or standard output.
pub(crate) async fn export(
    connection: &mut PgConnection,
    moment: Moment,
    arguments: &ExportArguments,
    settings: &Settings,
) -> anyhow::Result<()> {
    let clearance = if arguments.all { Clearance::All } else { Clearance::Public };
    let mut reading = Reading::seen(connection, moment, clearance).await?;
    let exported = file_of(&mut reading, &Selection::default(), &settings.iati).await.map_err(explained)?;
    let Exported { bytes, left_out } = exported;
    reading.end().await?;
    for fault in left_out.faults.iter().take(FAULTS) {
        eprintln!("left out: {}: {}", fault.pointer, fault.detail);
    }
    if left_out.contributions > 0 {
        eprintln!("left out: {} contributions", left_out.contributions);
    }
    match &arguments.file {
        Some(file) => fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display())),
        None => Ok(std::io::stdout().write_all(&bytes)?),
    }
}
