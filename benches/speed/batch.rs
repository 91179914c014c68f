//! `POST /v1/measurement-batches` beside `psql \copy` of the same rows into the same table.

use std::{fmt::Write as _, path::Path, time::Instant};

use anyhow::{Context as _, ensure};
use serde_json::json;
use sqlx::{Connection as _, Executor as _, PgConnection, postgres::PgConnectOptions};

use crate::{
    import::{copied, empty},
    load::{self, head},
    median, proof,
    service::Service,
    url,
};

/// As many as a batch may have.
const ROWS: usize = 10_000;
/// Each is measured on so many days.
const INDICATORS: usize = 100;

/// Measures both in turn, each time on an empty table.
pub(crate) async fn measure(server: &PgConnectOptions, programs: &Path, rounds: usize) -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    let table = place.path().join("measurements.csv");
    let socket = server.get_socket().context("a socket")?;
    let (mut items, mut csv) = (Vec::with_capacity(ROWS), String::new());
    for n in 0..ROWS {
        let day =
            chrono::NaiveDate::from_ymd_opt(2025, 1, 1).context("a day")? + chrono::Days::new((n / INDICATORS) as u64);
        let (indicator, value) = (indicator(n % INDICATORS), n % 977);
        writeln!(csv, "00000000-0000-7000-800c-{n:012x},{indicator},{day},{day},{value},final")?;
        items.push(json!({"indicator_id": indicator, "period_from": day, "period_to": day, "value": value.to_string(), "status": "final"}));
    }
    std::fs::write(&table, csv)?;
    let body = json!({"items": items}).to_string();
    let (mut ours, mut limits, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        let name = grounded(server, &format!("copy_measurements_{round}")).await?;
        let columns = "id, indicator_id, period_from, period_to, value, status";
        let copy = format!("\\copy measurements ({columns}) from '{}' csv", table.display());
        let limit = copied(programs, socket, &name, &copy)?;

        let name = grounded(server, &format!("batch_{round}")).await?;
        let url = url(socket, &name);
        let mut connection = PgConnection::connect_with(&server.clone().database(&name)).await?;
        let key = mandate::access::keys::create(&mut connection, "bench", mandate::access::Role::Admin, None).await?;
        connection.close().await?;
        let log_key = place.path().join(format!("{name}.key"));
        proof::make_key(&log_key)?;
        let service = Service::start(&url, &log_key, 18_083, "error").await?;
        let headers = "content-type: application/json\r\n";
        let request = head("POST", "/v1/measurement-batches", &key, headers, &body);
        let began = Instant::now();
        let reply = load::once(service.address, &request).await?;
        let took = began.elapsed().as_secs_f64();
        ensure!(
            reply.status == 200 && reply.body.contains("\"committed\":true"),
            "{} {:.300}",
            reply.status,
            reply.body
        );
        service.stop()?;
        ours.push(took);
        limits.push(limit);
        ratios.push(took / limit);
    }
    println!(
        "batch of {ROWS} measurements: {:.2} s, psql \\copy {:.2} s, ratio {:.1}",
        median(&mut ours),
        median(&mut limits),
        median(&mut ratios)
    );
    Ok(())
}

fn indicator(n: usize) -> String {
    format!("00000000-0000-7000-800a-{n:012x}")
}

/// A database with what the measurements are of.
async fn grounded(server: &PgConnectOptions, name: &str) -> anyhow::Result<String> {
    let name = empty(server, name).await?;
    let mut connection = PgConnection::connect_with(&server.clone().database(&name)).await?;
    connection
        .execute(
            "insert into strategies (id, title, country, kind) values ('00000000-0000-7000-8004-000000000000', '{\"en\": \"x\"}', 'XX', 'action_plan');
             insert into indicators (id, strategy_id, code, title, value_chain_stage, measure, direction)
             select ('00000000-0000-7000-800a-' || lpad(to_hex(n), 12, '0'))::uuid, '00000000-0000-7000-8004-000000000000', n::text, '{\"en\": \"x\"}',
                 'output', 'unit', 'ascending' from generate_series(0, 99) n",
        )
        .await?;
    connection.close().await?;
    Ok(name)
}
