//! What is measured: requests as dashboards and integrations send them.

use std::{net::SocketAddr, sync::Arc};

use anyhow::Context as _;
use serde_json::Value;

use crate::{
    load::{self, Request, head},
    statements::Vary,
};

/// One kind of request.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) connections: usize,
    pub(crate) vary: Vec<Vary>,
    /// What `pgbench` runs, where it is not what the service sends.
    pub(crate) beside: Option<String>,
    /// Whose key is sent.
    pub(crate) reader: Reader,
    kind: Kind,
}

/// Who asks: one who may see everything, or one for whom each row is judged.
#[derive(Clone, Copy)]
pub(crate) enum Reader {
    Admin,
    Viewer,
}

#[derive(Clone)]
enum Kind {
    /// A row by its id.
    Get,
    /// Always this path; the second is the page that is walked to first, as a query without `after`.
    Path {
        path: String,
        deep: bool,
    },
    Create,
    Patch,
    /// A movement on one allocation, under its ceiling.
    Movement,
}

/// The list, of the present and of the past.
pub(crate) const LIST: &str = "list, 2 filters, sort";
pub(crate) const AS_OF: &str = "that list as of a day";

const LARGE: &str = "00000000-0000-7000-8004-000000000000";
/// The allocation that all movements move.
const HOT: &str = "00000000-0000-7000-8007-ffffffffffff";
const PLAIN: &str = "00000000-0000-7000-8004-000000000001";
/// The row, and the serial number, of the request whose statements are logged.
const SAMPLE: u64 = 4242;

fn id(n: u64) -> String {
    format!("00000000-0000-7000-8000-{n:012x}")
}

const ID: &str = "'00000000-0000-7000-8000-' || lpad(to_hex(:n::bigint), 12, '0')";
/// As the service makes them: in the order of time.
const NEW_ID: &str = "(select left(h, 8) || '-' || right(h, 4) || substr(gen_random_uuid()::text, 14) \
    from lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0') h)";
const CODE: &str = "'B.p' || (extract(epoch from clock_timestamp()) * 1000000)::bigint || '-' || :client_id::text";

/// All of them.
#[expect(clippy::too_many_lines, reason = "a table, an entry a case")]
pub(crate) fn cases() -> Vec<Case> {
    let path = |name, connections, path: String| Case {
        name,
        connections,
        vary: Vec::new(),
        beside: None,
        reader: Reader::Admin,
        kind: Kind::Path { path, deep: false },
    };
    let list = format!("/v1/initiatives?strategy_id={LARGE}&status=in_progress&sort=-deadline&limit=50");
    let mut cases = vec![
        Case {
            name: "get by id",
            connections: 16,
            vary: vec![Vary { word: id(SAMPLE), sql: ID }],
            beside: None,
            reader: Reader::Admin,
            kind: Kind::Get,
        },
        path(LIST, 16, list.clone()),
        Case { kind: Kind::Path { path: list.clone(), deep: true }, ..path("deep page of it", 16, String::new()) },
        path(AS_OF, 16, format!("{list}&as_of=2025-01-02T12:00:00Z")),
        path("list by code", 16, "/v1/initiatives?sort=code&limit=50".to_owned()),
        Case {
            name: "create",
            connections: 32,
            vary: vec![Vary { word: format!("B.{SAMPLE}"), sql: CODE }],
            beside: None,
            reader: Reader::Admin,
            kind: Kind::Create,
        },
        // The price of the record, of the checks and of HTTP together.
        Case {
            name: "create, bare insert",
            connections: 32,
            vary: Vec::new(),
            beside: Some(format!(
                "insert into initiatives (id, strategy_id, code, title, description, deadline_text, deadline_kind, deadline_from, deadline_to) \
                 values ({NEW_ID}::uuid, '{LARGE}', {CODE}, '{{\"en\": \"A new initiative on reporting\"}}', \
                 '{{\"en\": \"Operators report to the centre.\"}}', '2026-12-31', 'exact', '2026-12-31', '2026-12-31');\n"
            )),
            reader: Reader::Admin,
            kind: Kind::Create,
        },
        Case {
            name: "patch",
            connections: 32,
            vary: vec![
                Vary { word: id(SAMPLE), sql: ID },
                Vary { word: "3.4242".to_owned(), sql: ":code::text" },
                // Each row stays where it is: one that moved to another strategy would take its money there.
                Vary { word: LARGE.to_owned(), sql: ":strategy_id::text" },
                Vary { word: "00000000-0000-7000-8005-000000000003".to_owned(), sql: ":objective_id::text" },
                Vary { word: "\"version\": 1".to_owned(), sql: "'\"version\": ' || :version::text" },
            ],
            beside: None,
            reader: Reader::Admin,
            kind: Kind::Patch,
        },
    ];
    cases.push(Case {
        vary: vec![Vary { word: id(SAMPLE), sql: ID }],
        reader: Reader::Viewer,
        kind: Kind::Get,
        ..path("get by id, viewer", 16, String::new())
    });
    cases.push(Case { reader: Reader::Viewer, ..path("list, viewer", 16, list.clone()) });
    cases.push(Case {
        reader: Reader::Viewer,
        ..path("list as of, viewer", 16, format!("{list}&as_of=2025-01-02T12:00:00Z"))
    });
    for (name, connections) in [("movement, 1 writer", 1), ("movement, 16 writers", 16), ("movement, 64 writers", 64)] {
        cases.push(Case { kind: Kind::Movement, ..path(name, connections, String::new()) });
    }
    for report in [
        "report plan",
        "report timeline",
        "report responsibilities",
        "report gaps",
        "report integrity",
        "report quality",
        "report budget",
        "report funding-gaps",
        "report spending",
        "report flows",
        "report staffing",
        "report understaffed",
        "report summary",
        "report progress",
        "report matrix",
        "report attention",
        "report submissions",
        "report indicators",
    ] {
        let name = report.trim_start_matches("report ");
        cases.push(path(report, 4, format!("/v1/reports/{name}?strategy_id={PLAIN}")));
    }
    cases.push(path("obligations", 4, format!("/v1/obligations?strategy_id={PLAIN}")));
    cases.push(path(
        "report readiness",
        4,
        "/v1/reports/readiness?assessment_id=00000000-0000-7000-8011-000000000001".to_owned(),
    ));
    cases.push(path("report budget, all", 2, "/v1/reports/budget?by=fiscal_year".to_owned()));
    cases
}

impl Case {
    /// Finds the cursor of a deep page: the one after which a quarter of the list is left.
    pub(crate) async fn prepare(&mut self, address: SocketAddr, key: &str) -> anyhow::Result<()> {
        let Kind::Path { path, deep: true } = &mut self.kind else {
            return Ok(());
        };
        let sample = load::get(address, &format!("{path}&deadline_before=2025-10-01"), key).await?;
        let page: Value = serde_json::from_str(&sample.body)?;
        let next = page["next"].as_str().with_context(|| format!("a next page in {}", sample.body))?;
        path.push_str("&after=");
        path.push_str(next);
        Ok(())
    }

    /// The request whose statements are logged.
    pub(crate) fn sample(&self, key: &str) -> String {
        self.text(SAMPLE, &format!("B.{SAMPLE}"), key)
    }

    /// Notes what the answer to the sample says of words that the service makes: the id of what was created.
    pub(crate) fn learn(&mut self, answer: &str) -> anyhow::Result<()> {
        if matches!(self.kind, Kind::Create | Kind::Movement) {
            let created: Value = serde_json::from_str(answer)?;
            let word = created["id"].as_str().context("an id")?.to_owned();
            self.vary.push(Vary { word, sql: NEW_ID });
        }
        Ok(())
    }

    /// The requests of the load, over so many rows.
    pub(crate) fn request(&self, key: &str, rows: usize) -> Request {
        let key = key.to_owned();
        let case = Self { vary: Vec::new(), beside: None, kind: self.kind.clone(), ..*self };
        Arc::new(move |n| {
            // Spread over all rows without a random generator: a step that shares no factor with their number.
            let row = n.wrapping_mul(7_368_787) % rows as u64;
            case.text(row, &format!("B.h{n}"), &key)
        })
    }

    fn text(&self, row: u64, code: &str, key: &str) -> String {
        // A plan in force owes a reason for what weighs.
        let json = "content-type: application/json\r\nmandate-reason: a load\r\n";
        match &self.kind {
            Kind::Get => head("GET", &format!("/v1/initiatives/{}", id(row)), key, "", ""),
            Kind::Path { path, .. } => head("GET", path, key, "", ""),
            Kind::Create => {
                let body = format!(
                    r#"{{"strategy_id":"{LARGE}","code":"{code}","title":{{"en":"A new initiative on reporting"}},"description":{{"en":"Operators report to the centre."}},"deadline":{{"text":"2026-12-31"}}}}"#
                );
                head("POST", "/v1/initiatives", key, json, &body)
            }
            Kind::Movement => {
                let body = format!(
                    r#"{{"allocation_id":"{HOT}","kind":"allotment","money":{{"amount":"0.01","currency":"EUR"}},"dated_on":"2025-03-01"}}"#
                );
                head("POST", "/v1/budget-movements", key, json, &body)
            }
            Kind::Patch => {
                let body = format!(r#"{{"funding_note":{{"en":"note {code}"}}}}"#);
                let headers = format!("{json}if-match: *\r\n");
                head("PATCH", &format!("/v1/initiatives/{}", id(row)), key, &headers, &body)
            }
        }
    }

    /// The statements as a script. A patch reads the row first and uses what it read.
    pub(crate) fn script(&self, statements: &[String]) -> String {
        let reads_first = matches!(self.kind, Kind::Patch);
        let end = |index| if reads_first && index == 0 { " \\gset\n" } else { ";\n" };
        statements.iter().enumerate().flat_map(|(index, sql)| [sql.as_str(), end(index)]).collect()
    }
}
