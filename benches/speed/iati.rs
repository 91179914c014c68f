//! `mandate import` of files of IATI activities: how many megabytes a second, and how much memory, which must not grow with the file.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context as _, ensure};
use sqlx::postgres::PgConnectOptions;

use crate::{
    import::{empty, peak_memory},
    median, url,
};

/// Measures files of these sizes, each time into an empty database.
pub(crate) async fn measure(server: &PgConnectOptions, megabytes: &[usize], rounds: usize) -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    let socket = server.get_socket().context("a socket")?;
    for size in megabytes {
        let file = place.path().join(format!("{size}.xml"));
        let activities = write(&file, size << 20)?;
        let (mut speeds, mut memory) = (Vec::new(), Vec::new());
        for round in 0..rounds {
            let name = empty(server, &format!("iati_{size}_{round}")).await?;
            let began = Instant::now();
            let mut child = Command::new(env!("CARGO_BIN_EXE_mandate"))
                .args(["import", "--direction", "received", "--database-url", &url(socket, &name)])
                .arg(&file)
                .stdout(Stdio::piped())
                .spawn()?;
            let mut peak = 0;
            while child.try_wait()?.is_none() {
                peak = peak.max(peak_memory(child.id()).unwrap_or_default());
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            let took = began.elapsed().as_secs_f64();
            let output = child.wait_with_output()?;
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            ensure!(said.contains(&format!("created {activities}")), "the import said: {said}");
            speeds.push(f64::from(u32::try_from(*size)?) / took);
            memory.push(peak);
        }
        println!(
            "import of {size} MiB of IATI, {activities} activities: {:.1} MiB/s; at most {} MiB",
            median(&mut speeds),
            memory.iter().max().unwrap_or(&0) / 1024
        );
    }
    Ok(())
}

/// Writes activities until there are so many bytes, and says how many they are. Each has what a donor commonly says.
fn write(path: &Path, bytes: usize) -> anyhow::Result<usize> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<iati-activities version=\"2.03\">")?;
    let (mut written, mut count) = (0, 0);
    while written < bytes {
        count += 1;
        let activity = activity(count);
        file.write_all(activity.as_bytes())?;
        written += activity.len();
    }
    writeln!(file, "</iati-activities>")?;
    file.flush()?;
    Ok(count)
}

fn activity(number: usize) -> String {
    let transaction = |n: usize| {
        format!(
            r#"    <transaction ref="T-{number}-{n}">
      <transaction-type code="3"/>
      <transaction-date iso-date="2024-{:02}-15"/>
      <value currency="EUR" value-date="2024-{:02}-15">{}.50</value>
      <description><narrative xml:lang="en">Payment {n} for the exercises of the year</narrative></description>
      <provider-org ref="XM-DAC-9" type="10"><narrative xml:lang="en">Agency for Help</narrative></provider-org>
      <receiver-org type="10"><narrative xml:lang="en">Ministry of Digital Affairs</narrative></receiver-org>
      <flow-type code="10"/>
      <finance-type code="110"/>
    </transaction>
"#,
            n % 12 + 1,
            n % 12 + 1,
            number * 7 + n
        )
    };
    let transactions: String = (0..6).map(transaction).collect();
    format!(
        r#"  <iati-activity default-currency="EUR" xml:lang="en" hierarchy="1">
    <iati-identifier>XM-DAC-9-{number}</iati-identifier>
    <reporting-org ref="XM-DAC-9" type="10"><narrative>Agency for Help</narrative></reporting-org>
    <title><narrative>Support of incident response, part {number}</narrative></title>
    <description type="1"><narrative>Exercises, courses and advice for the national team, &amp; equipment for its laboratory.</narrative></description>
    <participating-org role="1" ref="XM-DAC-9" type="10"><narrative>Agency for Help</narrative></participating-org>
    <participating-org role="4" type="22"><narrative>Centre {number}</narrative></participating-org>
    <activity-status code="2"/>
    <activity-date type="2" iso-date="2024-01-01"/>
    <recipient-country code="RO" percentage="100"/>
    <sector vocabulary="1" code="15150" percentage="100"/>
    <budget type="1" status="2">
      <period-start iso-date="2024-01-01"/>
      <period-end iso-date="2024-12-31"/>
      <value currency="EUR" value-date="2024-01-01">{number}</value>
    </budget>
{transactions}    <result type="1">
      <title><narrative>People trained</narrative></title>
      <indicator measure="1" ascending="true">
        <title><narrative>Number of people</narrative></title>
        <period>
          <period-start iso-date="2024-01-01"/>
          <period-end iso-date="2024-12-31"/>
          <target value="40"/>
          <actual value="41"/>
        </period>
      </indicator>
    </result>
  </iati-activity>
"#
    )
}
