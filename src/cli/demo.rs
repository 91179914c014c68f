//! The first look: real plans, a key for this run, and lines to paste.

use std::collections::{BTreeMap, HashSet};

use anyhow::Context as _;
use serde_json::Value;
use sqlx::PgConnection;

use crate::{
    access::{Role, keys},
    cli::{config::Settings, database::Database},
    repository::{self, Author},
    router, say,
    transfer::{
        self,
        how::{How, Mode},
    },
};

/// The plans under `examples/`, whose README gives their origin and terms.
const PLANS: &[(&str, &str)] = &[
    ("Türkiye 2013-2014", include_str!("../../examples/turkiye-2013-2014.json")),
    ("US Federal Data Strategy 2020", include_str!("../../examples/us-federal-data-strategy-2020.json")),
    ("US assistance to Albania", include_str!("../../examples/us-assistance-albania.json")),
    ("Canada NAP5", include_str!("../../examples/canada-nap5.json")),
    ("Romania 2022-2027 (partial)", include_str!("../../examples/romania-2022-2027-partial.json")),
    ("Forums and norms of cyber diplomacy", include_str!("../../examples/reference-forums.json")),
    ("NCSI 3.0 (template, unverified)", include_str!("../../examples/framework-ncsi-3.0.json")),
    ("NCSI 2.x (template, unverified)", include_str!("../../examples/framework-ncsi-2.x.json")),
    ("UN norms of 2015 (template, unverified)", include_str!("../../examples/framework-un-norms-2015.json")),
    ("Romania, acceptance case (disputed)", include_str!("../../examples/romania-acceptance-case.json")),
    ("Exampland 2026-2028 (fictitious)", include_str!("../../examples/exampland-2026.json")),
    ("Treaties and positions (reference rows)", include_str!("../../examples/reference-treaties.json")),
];

/// The sections by which a plan is known, in the order in which they are looked for.
const HEADS: [&str; 4] = ["strategies", "frameworks", "forums", "treaties"];
/// So often rows that do not fit the settings of the service are taken out.
const TURNS: usize = 8;

/// Loads the plans that are not there, and touches nothing that is.
pub async fn load(connection: &mut PgConnection) -> anyhow::Result<()> {
    for (name, plan) in PLANS {
        let mut plan: Value = serde_json::from_str(plan).with_context(|| (*name).to_owned())?;
        if is_there(connection, &plan).await? {
            say!("plan: {name}: is there already");
            continue;
        }
        let (created, left_out) = fit(connection, &mut plan).await.with_context(|| (*name).to_owned())?;
        say!("plan: {name}: {created} created");
        for (why, count) in left_out {
            say!("  left out: {count} rows that do not fit here: {why}");
        }
    }
    Ok(())
}

/// Whether the plan was loaded before: a plan of which something was changed or deleted since is left as it is.
async fn is_there(connection: &mut PgConnection, plan: &Value) -> anyhow::Result<bool> {
    let Some(head) = HEADS.into_iter().find(|head| plan[*head].is_array()) else { return Ok(false) };
    let rows = plan[head].as_array().into_iter().flatten();
    let names: Vec<String> = rows.filter_map(|row| Some(row["external_id"].as_str()?.to_owned())).collect();
    Ok(!repository::named_by(connection, head, "external_id", &names).await?.is_empty())
}

/// Loads a plan, without the rows that the settings of the service do not allow; tells how many are new, and why others are left out.
async fn fit(connection: &mut PgConnection, plan: &mut Value) -> anyhow::Result<(usize, BTreeMap<String, usize>)> {
    let author = Author::of_ours("demo");
    let how = How { mode: Mode::Add, ..How::default() };
    let mut left_out = BTreeMap::new();
    for _ in 0..TURNS {
        let document = plan.to_string();
        let outcome = transfer::import(connection, router::nouns(), &author, document.as_bytes(), how, |_, _| {}).await;
        let report = outcome.map_err(crate::cli::transfer::explained)?;
        if report.committed {
            return Ok((report.created, left_out));
        }
        let mut refused: BTreeMap<String, HashSet<usize>> = BTreeMap::new();
        for row in report.rows.into_iter().filter(|row| !row.errors.is_empty()) {
            *left_out.entry(row.errors[0].detail.clone()).or_default() += 1;
            refused.entry(row.section).or_default().insert(row.index);
        }
        for (section, indices) in refused {
            if let Some(rows) = plan[section.as_str()].as_array_mut() {
                let mut index = 0..;
                rows.retain(|_| !index.next().is_some_and(|index| indices.contains(&index)));
            }
        }
    }
    Ok((0, left_out))
}

/// Loads the plans that are not there, makes a key that works for a day, and says what to try.
pub async fn prepare(settings: &Settings, database: &Database) -> anyhow::Result<()> {
    let mut connection = database.connect().await?;
    load(&mut connection).await?;
    let key = keys::create(&mut connection, "demo", Role::Admin, Some(1)).await?;
    let base = format!("http://{}", settings.listen);
    say!("database: {}", database.describe());
    say!("address: {base}");
    say!("key: {key}");
    say!("try:");
    let header = format!("-H 'Authorization: Bearer {key}'");
    say!("  curl {header} '{base}/v1/strategies?fields=code,title,status'");
    say!("  curl {header} -H 'Accept: text/plain' '{base}/v1/reports/plan?strategy_id=external:tr13-plan'");
    say!("  curl {header} -H 'Accept: text/plain' '{base}/v1/initiatives?q=securitate&sort=code'");
    say!("  curl {header} -H 'Accept: text/csv' '{base}/v1/reports/gaps?kind=initiative_without_lead'");
    say!("  curl {header} -H 'Accept: text/plain' '{base}/v1/reports/budget?strategy_id=external:exl-plan'");
    say!("  curl {header} -H 'Accept: text/plain' '{base}/v1/obligations?overdue=true'");
    say!("  curl {header} -H 'Accept: text/plain' '{base}/v1/reports/engagements?forum_id=code:EXL-GRP'");
    say!(
        "  curl {header} -H 'Content-Type: application/json' -d '{{\"name\": {{\"ro\": \"Agenția Exemplu\"}}, \"kind\": \"agncy\"}}' '{base}/v1/entities'"
    );
    say!("stop: Ctrl-C");
    Ok(())
}
