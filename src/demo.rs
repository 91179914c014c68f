//! The first look: real plans, a key for this run, and lines to paste.

use crate::{
    access::{Role, keys},
    config::Settings,
    database::Database,
    repository::Author,
    router, say, transfer,
};

/// The plans under `examples/`, whose README gives their origin and terms.
const PLANS: &[(&str, &str)] = &[
    ("Türkiye 2013-2014", include_str!("../examples/turkiye-2013-2014.json")),
    ("US Federal Data Strategy 2020", include_str!("../examples/us-federal-data-strategy-2020.json")),
    ("US assistance to Albania", include_str!("../examples/us-assistance-albania.json")),
    ("Canada NAP5", include_str!("../examples/canada-nap5.json")),
    ("Romania 2022-2027 (partial)", include_str!("../examples/romania-2022-2027-partial.json")),
    ("Forums and norms of cyber diplomacy", include_str!("../examples/reference-forums.json")),
    ("NCSI 3.0 (template, unverified)", include_str!("../examples/framework-ncsi-3.0.json")),
    ("NCSI 2.x (template, unverified)", include_str!("../examples/framework-ncsi-2.x.json")),
    ("UN norms of 2015 (template, unverified)", include_str!("../examples/framework-un-norms-2015.json")),
    ("Romania, acceptance case (disputed)", include_str!("../examples/romania-acceptance-case.json")),
    ("Exampland 2026-2028 (fictitious)", include_str!("../examples/exampland-2026.json")),
    ("Treaties and positions (reference rows)", include_str!("../examples/reference-treaties.json")),
];

/// Loads the plans where they are not yet, makes a key that works for a day, and says what to try.
pub async fn prepare(settings: &Settings, database: &Database) -> anyhow::Result<()> {
    let mut connection = database.connect().await?;
    let author = Author::of_ours("demo");
    for (name, plan) in PLANS {
        let outcome =
            transfer::import(&mut connection, router::nouns(), &author, plan.as_bytes(), false, |_, _| {}).await;
        let report = outcome.map_err(|error| anyhow::anyhow!("{name}: {}", error.problem().detail))?;
        if let Some(row) = report.rows.iter().find(|row| !row.errors.is_empty()) {
            anyhow::bail!("{name}: {}: {}", row.errors[0].pointer, row.errors[0].detail);
        }
        say!("plan: {name}: {} created, {} unchanged", report.created, report.unchanged + report.changed);
    }
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
