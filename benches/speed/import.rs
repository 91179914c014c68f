//! `mandate import` beside `psql \copy` of the same rows into the same tables.

use std::{fmt::Write as _, fs, path::Path, process::Command, time::Instant};

use anyhow::{Context as _, ensure};
use mandate::cli::database::MIGRATOR;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, postgres::PgConnectOptions};

use crate::{median, url};

/// Measures both in turn, each time into an empty database.
pub(crate) async fn measure(
    server: &PgConnectOptions,
    programs: &Path,
    rows: usize,
    rounds: usize,
) -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    let (plan, table) = (place.path().join("plan.json"), place.path().join("initiatives.csv"));
    write(&plan, &table, rows)?;
    let socket = server.get_socket().context("a socket")?;
    let (mut ours, mut limits, mut ratios, mut memory) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        let name = empty(server, &format!("copy_{round}")).await?;
        let mut connection = PgConnection::connect_with(&server.clone().database(&name)).await?;
        connection
            .execute("insert into strategies (id, title, country, kind) values ('00000000-0000-7000-8004-000000000000', '{\"en\": \"x\"}', 'XX', 'action_plan')")
            .await?;
        let copy = format!(
            "\\copy initiatives (id, external_id, strategy_id, code, title, description, deadline_text, deadline_kind, deadline_from, deadline_to) from '{}' csv",
            table.display()
        );
        let limit = copied(programs, socket, &name, &copy)?;

        let name = empty(server, &format!("import_{round}")).await?;
        let began = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_mandate"))
            .args(["import", "--database-url", &url(socket, &name)])
            .arg(&plan)
            .stdout(std::process::Stdio::piped())
            .spawn()?;
        let mut peak = 0;
        while child.try_wait()?.is_none() {
            peak = peak.max(peak_memory(child.id()).unwrap_or_default());
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        let took = began.elapsed().as_secs_f64();
        let output = child.wait_with_output()?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(said.contains(&format!("created {}", rows + 1)), "the import said: {said}");
        ours.push(took);
        limits.push(limit);
        ratios.push(took / limit);
        memory.push(peak);
    }
    println!(
        "\nimport of {rows} rows: {:.1} s, psql \\copy {:.1} s, ratio {:.1}; at most {} MiB",
        median(&mut ours),
        median(&mut limits),
        median(&mut ratios),
        memory.iter().max().unwrap_or(&0) / 1024
    );
    Ok(())
}

/// What `psql \copy` took, in seconds.
pub(crate) fn copied(programs: &Path, socket: &Path, database: &str, copy: &str) -> anyhow::Result<f64> {
    let began = Instant::now();
    let output = Command::new(programs.join("psql"))
        .args(["-U", "mandate", "-p", "5432", "-v", "ON_ERROR_STOP=1", "-h"])
        .arg(socket)
        .args(["-d", database, "-c", copy])
        .output()
        .context("psql, which stands beside PostgreSQL's other programs")?;
    let took = began.elapsed().as_secs_f64();
    ensure!(output.status.success(), "psql: {}", String::from_utf8_lossy(&output.stderr));
    Ok(took)
}

pub(crate) async fn empty(server: &PgConnectOptions, name: &str) -> anyhow::Result<String> {
    let mut connection = PgConnection::connect_with(&server.clone().database("postgres")).await?;
    connection.execute(AssertSqlSafe(format!("create database {name}"))).await?;
    let mut connection = PgConnection::connect_with(&server.clone().database(name)).await?;
    MIGRATOR.run(&mut connection).await?;
    connection.execute("checkpoint").await?;
    Ok(name.to_owned())
}

/// The most memory that the process ever had, in KiB.
pub(crate) fn peak_memory(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}

/// The same rows as a plan file and as a table.
fn write(plan: &Path, table: &Path, rows: usize) -> anyhow::Result<()> {
    let (mut initiatives, mut csv) = (Vec::with_capacity(rows), String::new());
    for n in 0..rows {
        let (code, title) = (format!("{}.{n}", n % 20 + 1), format!("Initiative {n} on incident reporting"));
        let words = format!("Operators report incidents of class {} to the centre within the set time.", n % 97);
        let due = chrono::NaiveDate::from_ymd_opt(2025, 1, 1).context("a day")? + chrono::Days::new(n as u64 % 1009);
        writeln!(
            csv,
            "00000000-0000-7000-8000-{n:012x},i-{n},00000000-0000-7000-8004-000000000000,{code},\"{{\"\"en\"\": \"\"{title}\"\"}}\",\"{{\"\"en\"\": \"\"{words}\"\"}}\",{due},exact,{due},{due}"
        )?;
        initiatives.push(
            json!({"external_id": format!("i-{n}"), "strategy_id": "external:s", "code": code, "title": {"en": title},
            "description": {"en": words}, "deadline": {"text": due.to_string()}}),
        );
    }
    let strategy = json!({"external_id": "s", "title": {"en": "Plan"}, "country": "XX", "kind": "action_plan"});
    let document = json!({"format": "mandate-plan/1", "strategies": [strategy], "initiatives": initiatives});
    fs::write(plan, document.to_string())?;
    fs::write(table, csv)?;
    Ok(())
}
