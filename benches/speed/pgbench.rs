//! `pgbench`, which comes with PostgreSQL: how fast the same statements can be without the service.

use std::{path::Path, process::Command, time::Duration};

use anyhow::{Context as _, ensure};

/// A way to call `pgbench`.
pub(crate) struct Pgbench<'a> {
    pub(crate) programs: &'a Path,
    pub(crate) socket: &'a Path,
    pub(crate) database: &'a str,
    /// Rows that `:n` counts.
    pub(crate) rows: usize,
}

impl Pgbench<'_> {
    /// Runs the script on prepared statements and returns its transactions a second.
    pub(crate) fn run(&self, script: &str, connections: usize, time: Duration) -> anyhow::Result<f64> {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(&file, format!("\\set n random(0, {})\n{script}", self.rows - 1))?;
        let output = Command::new(self.programs.join("pgbench"))
            .args(["-n", "-M", "prepared", "-j", "1", "-U", "mandate", "-p", "5432"])
            .args(["-c", &connections.to_string(), "-T", &time.as_secs().max(1).to_string()])
            .arg("-h")
            .arg(self.socket)
            .arg("-f")
            .arg(file.path())
            .arg(self.database)
            .output()
            .context("pgbench, which stands beside PostgreSQL's other programs")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success() && !errors.contains("ERROR"), "pgbench: {errors}\n{script}");
        let line = text.lines().find_map(|line| line.strip_prefix("tps = ")).context("pgbench gave no rate")?;
        Ok(line.split(' ').next().unwrap_or_default().parse()?)
    }
}
