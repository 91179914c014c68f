//! `mandate import` and `mandate export`: plans between files and the service.

use std::{
    fs,
    io::{IsTerminal as _, Write as _},
    path::Path,
};

use anyhow::{Context as _, ensure};
use sqlx::PgConnection;

use crate::transfer::{
    Report,
    export::{Exported, export as plan_of, strategy_id},
    folder,
    how::{Empty, How, Mode},
    import::import as write_plan,
    origin::Origin,
    progress::Progress,
    report::unread,
    sheet::{Flaw, Unread},
    table::{
        Mapping,
        import::TableImport,
        mapping::{Given, MappingFile},
    },
};
use crate::{
    api::past,
    cli::config::{ExportArguments, ImportArguments, Settings},
    error::Error,
    proposals::Act,
    repository::{Author, Reading},
    router::nouns,
    say,
};

/// So many changed fields are shown on the terminal.
const SHOWN: usize = 100;
/// So many notes of a kind are shown there.
const NOTES: usize = 20;

/// Imports a plan file, a folder of CSV files, or a table with a mapping, and prints the report.
pub async fn import(
    connection: &mut PgConnection,
    arguments: &ImportArguments,
    settings: &Settings,
) -> anyhow::Result<()> {
    let is_xml = |extension: &std::ffi::OsStr| extension.eq_ignore_ascii_case("xml");
    if arguments.file.extension().is_some_and(is_xml) && !arguments.file.is_dir() {
        return super::iati::import(connection, arguments, settings).await;
    }
    let is_iati = arguments.direction.is_some() || arguments.classification.is_some();
    ensure!(!is_iati, "--direction and --classification are for IATI, a file whose name ends with .xml");
    let author = Author::at_the_command_line(arguments.reason.as_deref());
    let terminal = std::io::stderr();
    let mut progress = Progress::new(terminal.is_terminal().then_some(terminal));
    let how = How { dry_run: arguments.dry_run, mode: arguments.mode, entities: arguments.entities };
    let show = |done, total| progress.show(done, total);
    let outcome = if is_table(arguments)? {
        table(connection, &author, arguments, (settings, how), show).await
    } else {
        plan(connection, &author, arguments, how, show).await
    };
    progress.clear();
    let report = outcome?;
    print(&report);
    ensure!(report.refused == 0, "rows were refused, so nothing was written");
    if !report.proposed_for.is_empty() {
        say!(
            "it needs a second principal ({}), which a command has not: import it over HTTP, where it stands as proposed until somebody else confirms it",
            Act::words(&report.proposed_for)
        );
    }
    if report.dry_run {
        say!("nothing was written (--dry-run)");
    }
    Ok(())
}

/// Whether it is a table with a mapping.
fn is_table(arguments: &ImportArguments) -> anyhow::Result<bool> {
    let path = &arguments.file;
    let is_table = !path.is_dir() && path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    let is_mapped = arguments.strategy.is_some() || arguments.map.is_some() || arguments.map_file.is_some();
    let is_of_tables = is_mapped || arguments.prune || arguments.language.is_some();
    ensure!(
        is_table || !is_of_tables,
        "--strategy, --map, --map-file, --prune and --language are for a table, a file whose name ends with .csv"
    );
    ensure!(!arguments.prune || arguments.mode == Mode::Merge, "--prune goes with --mode merge only");
    Ok(is_table)
}

async fn table(
    connection: &mut PgConnection,
    author: &Author,
    arguments: &ImportArguments,
    (settings, how): (&Settings, How),
    progress: impl FnMut(usize, usize) + Send,
) -> anyhow::Result<Report> {
    let path = &arguments.file;
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let (strategy, mapping) = mapping(arguments)?;
    let table = TableImport {
        strategy: &strategy,
        mapping: &mapping,
        currency: Some(settings.currency.clone()),
        language: arguments.language.clone(),
        empty: arguments.empty,
        prune: arguments.prune,
        most: usize::MAX,
        how,
    };
    table.run(connection, author, &bytes, progress).await.map_err(explained)
}

async fn plan(
    connection: &mut PgConnection,
    author: &Author,
    arguments: &ImportArguments,
    how: How,
    progress: impl FnMut(usize, usize) + Send,
) -> anyhow::Result<Report> {
    let (document, origin) = match rows_of(&arguments.file, arguments.empty)? {
        Ok(read) => read,
        Err(flaws) => return Ok(unread(how, flaws, true)),
    };
    let mut report = write_plan(connection, nouns(), author, &document, how, progress).await.map_err(explained)?;
    origin.locate(&mut report);
    Ok(report)
}

/// A plan file, or a folder of CSV files.
pub fn read(path: &Path, empty: Empty) -> anyhow::Result<(Vec<u8>, Origin)> {
    rows_of(path, empty)?.map_err(|flaws| explained(Unread::Rows(flaws).error()))
}

/// A plan and where its rows stand, or what is wrong with the rows of its folder.
type Read = Result<(Vec<u8>, Origin), Vec<(String, Flaw)>>;

/// The same, with what is wrong with the rows of a folder for a report.
fn rows_of(path: &Path, empty: Empty) -> anyhow::Result<Read> {
    if path.is_dir() {
        return match folder::read_with(&files(path)?, nouns(), empty) {
            Ok(read) => Ok(Ok(read)),
            Err(Unread::Rows(flaws)) => Ok(Err(flaws)),
            Err(Unread::Problem(error)) => Err(explained(error)),
        };
    }
    Ok(Ok((fs::read(path).with_context(|| format!("cannot read {}", path.display()))?, Origin::default())))
}

/// The strategy and the mapping, from the options or from a file.
fn mapping(arguments: &ImportArguments) -> anyhow::Result<(String, Mapping)> {
    let no_strategy =
        "a table needs --strategy external:ID or --strategy code:CODE, the strategy into which its rows go";
    if let Some(path) = &arguments.map_file {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let wrong = |error| explained(error).context(format!("{} is no mapping", path.display()));
        let file = MappingFile::read(&bytes).map_err(wrong)?;
        let mapping = file.mapping().map_err(wrong)?;
        return Ok((arguments.strategy.clone().or(file.strategy_id).context(no_strategy)?, mapping));
    }
    let strategy = arguments.strategy.clone().context(no_strategy)?;
    let given = Given {
        map: arguments
            .map
            .as_deref()
            .context("a table needs --map, such as code=\"Nr\",title=\"Titlu\", or --map-file")?,
        fill_down: &arguments.fill_down,
        separator: arguments.separator.as_deref(),
        decimal: arguments.decimal,
    };
    Ok((strategy, given.mapping().map_err(explained)?))
}

/// The files of a folder, but for those that editors hide there.
fn files(folder: &Path) -> anyhow::Result<Vec<folder::File>> {
    let cannot = || format!("cannot read {}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with(['.', '~']) {
            continue;
        }
        ensure!(path.is_file(), "{} is not a file; a plan's folder holds CSV files only", path.display());
        // A file with another name is only named, and need not be read.
        let is_table = nouns().iter().any(|noun| name.strip_suffix(".csv") == Some(noun.table));
        let bytes = if is_table {
            fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?
        } else {
            Vec::new()
        };
        files.push((name, bytes));
    }
    files.sort_unstable();
    Ok(files)
}

/// Shows what became of the rows.
pub fn print(report: &Report) {
    for fault in report.rows.iter().flat_map(|row| &row.errors) {
        say!("{}: {}", fault.pointer, fault.detail);
    }
    let changed = report.rows.iter().flat_map(|row| row.fields.iter().map(move |field| (row, field)));
    for (row, field) in changed.clone().take(SHOWN) {
        let name = row.external_id.clone().or_else(|| row.id.map(|id| id.to_string())).unwrap_or_default();
        say!("{} {name}: {}: {} -> {}", row.section, field.field, field.before, field.after);
    }
    let more = changed.count().saturating_sub(SHOWN);
    if more > 0 || report.untold > 0 {
        say!("more fields change than are shown here; these counts have them all:");
    }
    for (section, fields) in &report.changes {
        let counts: Vec<String> = fields.iter().map(|(name, count)| format!("{name} {count}")).collect();
        say!("{section}: {}", counts.join(", "));
    }
    for (what, notes) in [
        ("new entity", &report.made_entities),
        ("deadline not understood, kept as words", &report.unread_deadlines),
        ("words in the place of an amount, kept as a note on funding", &report.words_for_amounts),
        ("not in the table any more, and left as it is; --prune ends it", &report.left_over),
    ] {
        for note in notes.first.iter().take(NOTES) {
            say!("{what}: {} ({})", note.words, note.pointer);
        }
        if notes.count > NOTES {
            say!("{what}: {} in all", notes.count);
        }
    }
    for column in &report.unmapped_columns {
        say!("column not mapped: {} ({} cells)", column.header, column.cells);
    }
    if report.would_create + report.would_change > 0 {
        say!("without what is refused: created {}, changed {}", report.would_create, report.would_change);
    }
    say!(
        "created {}, changed {}, unchanged {}, refused {}",
        report.created,
        report.changed,
        report.unchanged,
        report.refused
    );
}

/// Exports everything, or one strategy, to a file, a folder of CSV files, or standard output.
pub async fn export(
    connection: &mut PgConnection,
    arguments: &ExportArguments,
    settings: &Settings,
) -> anyhow::Result<()> {
    let moment = match &arguments.as_of {
        Some(word) => Some(past::instant(connection, "as-of", word).await.map_err(explained)?),
        None => None,
    };
    if arguments.iati {
        return super::iati::export(connection, moment, arguments, settings).await;
    }
    let mut reading = Reading::begin(connection, moment).await?;
    let strategy = match &arguments.strategy {
        Some(word) => Some(strategy_id(&mut reading, word).await.map_err(explained)?),
        None => None,
    };
    let Exported { bytes, left_out } = plan_of(&mut reading, nouns(), strategy).await.map_err(explained)?;
    reading.end().await?;
    if left_out > 0 {
        eprintln!(
            "left out: dependencies on other strategies: {left_out} (`source.left_out` of the JSON form has them)"
        );
    }
    if let Some(folder) = &arguments.csv {
        return write_folder(folder, &bytes);
    }
    match &arguments.file {
        Some(file) => fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display())),
        None => Ok(std::io::stdout().write_all(&bytes)?),
    }
}

/// Files of an earlier export would be read together with the new ones, so the folder has to be empty.
fn write_folder(folder: &Path, document: &[u8]) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let is_empty = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?.next().is_none();
    ensure!(is_empty, "{} is not empty; name a new or an empty folder", folder.display());
    for (name, bytes) in folder::write(document, nouns()).map_err(explained)? {
        let path = folder.join(name);
        fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// The words of a problem, for a terminal.
pub fn explained(error: Error) -> anyhow::Error {
    if let Error::Internal(cause) = error {
        return anyhow::anyhow!("{cause:#}");
    }
    let problem = error.problem();
    let faults: Vec<String> =
        problem.errors.iter().map(|fault| format!("{}: {}", fault.pointer, fault.detail)).collect();
    match &faults[..] {
        [] => anyhow::anyhow!(problem.detail),
        [only] => anyhow::anyhow!(only.clone()),
        many => anyhow::anyhow!("{} faults; nothing was changed\n  {}", many.len(), many.join("\n  ")),
    }
}
