//! Reading at a past moment: it answers as it did then, and for ever.

mod upset;

use chrono::{DateTime, SecondsFormat, Utc};
use futures_util::future::join_all;
use mandate::{base::limits::Limits, router};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, postgres::PgConnectOptions};
use uuid::Uuid;

use self::upset::upset;
use crate::support::{Client, database, service_over, services_over};

const TURKIYE: &str = include_str!("../../examples/turkiye-2013-2014.json");
const CANADA: &str = include_str!("../../examples/canada-nap5.json");
/// It has something of every noun.
const EXAMPLAND: &str = include_str!("../../examples/exampland-2026.json");

/// The present, by the clock of the database.
pub(crate) async fn now(options: &PgConnectOptions) -> String {
    let mut connection = PgConnection::connect_with(options).await.unwrap();
    let now: DateTime<Utc> = sqlx::query_scalar("select clock_timestamp()").fetch_one(&mut connection).await.unwrap();
    now.to_rfc3339_opts(SecondsFormat::Micros, true)
}

async fn import(client: &Client, plan: &str) {
    client.call("POST", "/v1/imports").header("content-type", "application/json").body(plan).expect(200).await;
}

fn with(path: &str, as_of: &str) -> String {
    format!("{path}{}as_of={as_of}", if path.contains('?') { '&' } else { '?' })
}

async fn items(client: &Client, path: &str) -> Vec<Value> {
    client.get(path).expect(200).await.json()["items"].as_array().unwrap().clone()
}

/// Addresses of everything there is to read: lists in every order and with filters, single things, histories, reports, exports.
async fn readings(client: &Client) -> Vec<String> {
    let document = router::document();
    let asks = |path: &str, name: &str| {
        let parameters = document["paths"][path]["get"]["parameters"].as_array().unwrap();
        parameters.iter().any(|parameter| parameter["name"] == name)
    };
    let mut all = Vec::new();
    for path in document["paths"].as_object().unwrap().keys().filter(|path| path.starts_with("/v1/reports/")) {
        all.push(path.clone());
        for (name, value) in [("strategy_id", "external:exl-plan"), ("country", "XX")] {
            if asks(path, name) {
                all.push(format!("{path}?{name}={value}"));
            }
        }
    }
    assert!(all.len() > 30, "{all:?}");
    all.extend(["/v1/exports/plan".into(), "/v1/exports/plan?strategy_id=external:ca5-plan".into()]);
    all.push("/v1/obligations".into());
    for noun in router::nouns() {
        let path = format!("/v1/{}", noun.table.replace('_', "-"));
        all.push(format!("{path}?limit=200&count=true"));
        if asks(&path, "strategy_id") {
            all.push(format!("{path}?limit=200&strategy_id=external:tr13-plan&sort=-updated_at"));
        }
        all.push(format!("{path}?limit=20&q=cyber&sort=-created_at"));
        for item in items(client, &format!("{path}?limit=3&sort=-created_at")).await {
            let one = format!("{path}/{}", item["id"].as_str().unwrap());
            all.extend([format!("{one}/history"), one]);
        }
    }
    all.push("/v1/initiatives?sort=deadline&status=completed&status=in_progress&fields=id,code&expand=strategy".into());
    all
}

#[tokio::test]
async fn everything_is_answered_as_it_was() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    import(&client, TURKIYE).await;
    import(&client, CANADA).await;
    import(&client, EXAMPLAND).await;
    let paths = readings(&client).await;
    let mut then = Vec::new();
    for path in &paths {
        then.push(client.get(path).expect(200).await.text);
    }
    let moment = now(&options).await;
    upset(&client).await;
    let mut different = 0;
    for (path, before) in paths.iter().zip(&then) {
        let reply = client.get(with(path, &moment)).expect(200).await;
        assert_eq!(reply.header("mandate-as-of"), moment, "{path}");
        assert_eq!(reply.header("cache-control"), "private, max-age=31536000, immutable", "{path}");
        // The file of an export is the same to the byte; a page says the moment too.
        if path.starts_with("/v1/exports") {
            assert_eq!(reply.text, *before, "{path}");
        } else {
            let mut past = reply.json();
            if past.get("items").is_some() {
                assert_eq!(past.as_object_mut().unwrap().shift_remove("as_of"), Some(json!(moment)), "{path}");
            }
            assert_eq!(past, serde_json::from_str::<Value>(before).unwrap(), "{path}");
        }
        different += usize::from(client.get(path).send().await.text != *before);
    }
    // It is no test of anything that stayed the same.
    assert!(different > paths.len() / 3, "{different} of {}", paths.len());
    // Whole lists are streamed out of the past too.
    for accept in ["application/x-ndjson", "text/csv"] {
        let past = client.get(with("/v1/initiatives", &moment)).header("accept", accept).expect(200).await;
        let lines = if accept == "text/csv" { 52 } else { 51 };
        assert_eq!((past.text.lines().count(), past.text.contains("Renamed")), (lines, false));
        assert_eq!(past.header("mandate-as-of"), moment);
    }
}

#[tokio::test]
async fn a_thing_is_there_from_its_creation_to_its_deletion() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let before = now(&options).await;
    let body = json!({"external_id": "one", "name": {"en": "First"}, "kind": "agency"});
    let made = client.create("entities", body).await;
    let path = format!("/v1/entities/{}", made["id"].as_str().unwrap());
    let first = now(&options).await;
    client.patch(&path, json!({"name": {"en": "Second"}})).if_match(1).expect(200).await;
    let second = now(&options).await;
    client.delete(&path).if_match(2).expect(204).await;
    let deleted = now(&options).await;
    for path in [&*path, "/v1/entities/external:one"] {
        client.get(with(path, &before)).expect(404).await;
        let reply = client.get(with(path, &first)).expect(200).await;
        assert_eq!((reply.header("etag"), reply.json()), ("\"1\"".to_owned(), made.clone()));
        assert_eq!(client.get(with(path, &second)).expect(200).await.json()["name"], json!({"en": "Second"}));
        client.get(with(path, &deleted)).expect(410).await;
        client.get(with(path, &second)).header("if-none-match", "\"2\"").expect(304).await;
    }
    let history = |at: &str| with(&format!("{path}/history"), at);
    assert_eq!(client.get(history(&second)).expect(200).await.json()["items"].as_array().unwrap().len(), 2);
    client.get(history(&before)).expect(404).await;
    let listed = with("/v1/entities?count=true", &second);
    assert_eq!(client.get(listed).expect(200).await.json()["count"], 1);
    assert_eq!(client.get(with("/v1/entities?count=true", &deleted)).expect(200).await.json()["count"], 0);
    // A name in a filter is looked up where it stood.
    let filter = with("/v1/assignments?entity_id=external:one", &second);
    assert_eq!(items(&client, &filter).await, Vec::<Value>::new());
    client.get(with("/v1/assignments?entity_id=external:one", &deleted)).expect(400).await;
}

#[tokio::test]
async fn pages_of_the_past_go_on_while_the_present_changes() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    for turn in 0..30 {
        client.create("entities", json!({"code": format!("E{turn}"), "name": "Old", "kind": "agency"})).await;
    }
    let moment = now(&options).await;
    let mut seen = Vec::new();
    let mut path = with("/v1/entities?sort=-code&limit=7", &moment);
    loop {
        let reply = client.get(&path).expect(200).await;
        let page = reply.json();
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["code"].as_str().unwrap().to_owned()));
        if page["next"].is_null() {
            break;
        }
        let link = reply.header("link");
        path = link.trim_start_matches('<').split('>').next().unwrap().to_owned();
        for item in items(&client, "/v1/entities?limit=10&sort=updated_at").await {
            let gone = format!("/v1/entities/{}", item["id"].as_str().unwrap());
            client.delete(gone).header("if-match", "*").expect(204).await;
        }
    }
    assert_eq!(seen, (0..30).rev().map(|turn| format!("E{turn}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_moment_that_cannot_be_read_is_refused() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    client.create("entities", json!({"external_id": "e", "name": "E", "kind": "agency"})).await;
    let today = now(&options).await[..10].to_owned();
    for (word, code) in [
        ("2999-01-01", "in_future"),
        (&*today, "in_future"),
        ("2999-01-01T00:00:00Z", "in_future"),
        ("yesterday", "wrong_format"),
        ("2026-02-30", "wrong_format"),
        ("2026-01-31T12:00:00", "wrong_format"),
        ("", "wrong_format"),
    ] {
        for path in [
            "/v1/entities",
            "/v1/entities/external:e",
            "/v1/entities/external:e/history",
            "/v1/reports/plan",
            "/v1/exports/plan",
        ] {
            let reply = client.get(with(path, word)).expect(400).await;
            assert_eq!(reply.faults(), [format!("as_of {code}")], "{path} {word}");
        }
    }
    let reply = client.get("/v1/entities?as_of=2999-01-01&limit=0").expect(400).await;
    assert_eq!(reply.faults(), ["as_of in_future", "limit too_small"]);
    client.get("/v1/entities?as_of=0001-01-01").expect(200).await;
    // A write is always one of the present.
    let body = json!({"name": "F", "kind": "agency"});
    assert_eq!(
        client.post("/v1/entities?as_of=2026-01-01", body).expect(400).await.faults(),
        ["as_of unknown_parameter"]
    );
}

/// A row of `entities` and its record, as a service wrote them at some time.
async fn recorded(connection: &mut PgConnection, id: Uuid, version: i32, name: &str, at: &str) {
    let text =
        "insert into entities (id, version, name, kind) values ($1, $2, jsonb_build_object('en', $3::text), 'agency')
         on conflict (id) do update set version = excluded.version, name = excluded.name";
    sqlx::query(text).bind(id).bind(version).bind(name).execute(&mut *connection).await.unwrap();
    sqlx::query(
        "insert into changes (kind, entity_id, version, action, actor, request_id, before, after, at)
         select 'entity', id, version, case when version = 1 then 'created' else 'updated' end, 'key:x', 'r',
             case when version > 1 then '{}'::jsonb end, record_of(to_jsonb(entities)), cast($2 as timestamptz)
         from entities where id = $1",
    )
    .bind(id)
    .bind(at)
    .execute(connection)
    .await
    .unwrap();
}

async fn name_at(client: &Client, id: Uuid, as_of: &str) -> Value {
    client.get(with(&format!("/v1/entities/{id}"), as_of)).expect(200).await.json()["name"]["en"].clone()
}

#[tokio::test]
async fn a_day_ends_in_the_time_zone_of_the_service() {
    let options = database().await;
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    sqlx::query("update record_head set complete_until = '2026-01-01'").execute(&mut connection).await.unwrap();
    let id = Uuid::now_v7();
    // Half an hour before and after midnight in Bucharest.
    recorded(&mut connection, id, 1, "first", "2026-03-01T21:30:00Z").await;
    recorded(&mut connection, id, 2, "second", "2026-03-01T22:30:00Z").await;
    let [bucharest, utc] = services_over(options, ["Europe/Bucharest", "UTC"]).await;
    assert_eq!(name_at(&bucharest, id, "2026-03-01").await, "first");
    assert_eq!(name_at(&bucharest, id, "2026-03-02").await, "second");
    assert_eq!(name_at(&utc, id, "2026-03-01").await, "second");
    let reply = bucharest.get("/v1/entities?as_of=2026-03-01").expect(200).await;
    assert_eq!(reply.header("mandate-as-of"), "2026-03-01T21:59:59.999999Z");
    assert_eq!(name_at(&utc, id, "2026-03-01T23:59:59%2B02:00").await, "first");
    utc.get(with(&format!("/v1/entities/{id}"), "2026-02-28")).expect(404).await;
}

#[tokio::test]
async fn a_report_of_the_past_knows_that_day_as_today() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let strategy =
        client.create("strategies", json!({"code": "S", "title": "S", "country": "XX", "kind": "strategy"})).await;
    let body = json!({"strategy_id": strategy["id"], "code": "1", "title": "I"});
    let initiative = client.create("initiatives", body).await;
    let entity = client.create("entities", json!({"code": "E", "name": "E", "kind": "agency"})).await;
    let body =
        json!({"initiative_id": initiative["id"], "entity_id": entity["id"], "role": "lead", "valid_to": "2026-01-31"});
    client.create("assignments", body).await;
    // As if all of it had been written then.
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    let moment = now(&options).await;
    client.get(with("/v1/entities", &moment)).expect(200).await;
    for sql in [
        // The record refuses this.
        "set session_replication_role to replica",
        "update changes set recorded_at = timestamptz '2026-01-15' + position * interval '1 microsecond'",
        "update record_head set complete_until = '2026-01-16'",
    ] {
        sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    }
    sqlx::query("select cleared.track(kind, noun) from as_of.tracked").execute(&mut connection).await.unwrap();
    let lead = async |path: String| items(&client, &path).await[0]["lead"].clone();
    assert_eq!(lead("/v1/reports/plan".into()).await, json!([]));
    assert_eq!(lead(with("/v1/reports/plan", "2026-01-31")).await, json!(["E"]));
    assert_eq!(lead(with("/v1/reports/plan", "2026-02-01")).await, json!([]));
}

#[tokio::test]
async fn yesterdays_rows_are_read_by_todays_code() {
    let options = database().await;
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    sqlx::query("update record_head set complete_until = '2026-01-01'").execute(&mut connection).await.unwrap();
    let id = Uuid::now_v7();
    recorded(&mut connection, id, 1, "first", "2026-03-01T12:00:00Z").await;
    // A newer service adds a field that each row must have, and forgets another one.
    for sql in [
        "alter table entities add column later text not null default 'as ever'",
        "alter table entities drop column url cascade",
        "select cleared.track('entity', 'entities')",
        "select sequence_changes(100)",
    ] {
        sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    }
    sqlx::query("update record_head set complete_until = '2026-03-02'").execute(&mut connection).await.unwrap();
    recorded(&mut connection, id, 2, "second", "2026-03-02T12:00:00Z").await;
    sqlx::query("select sequence_changes(100)").execute(&mut connection).await.unwrap();
    let mut at = async |moment: &str| {
        let sql = format!("set search_path to as_of, public; set mandate.as_of to '{moment}'");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
        let row: (String, String) =
            sqlx::query_as("select name ->> 'en', later from entities").fetch_one(&mut connection).await.unwrap();
        row
    };
    assert_eq!(at("2026-03-01T23:00:00Z").await, ("first".into(), "as ever".into()));
    assert_eq!(at("2026-03-02T23:00:00Z").await, ("second".into(), "as ever".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_in_its_moment_and_no_moment_changes() {
    const WRITERS: usize = 8;
    let options = database().await;
    let clients = services_over(options.clone(), ["UTC", "UTC"]).await;
    let writer = async |writer: usize| {
        let client = &clients[writer % 2];
        let mut seen = Vec::new();
        let made = client.create("entities", json!({"name": {"en": "0"}, "kind": "agency"})).await;
        let id: Uuid = made["id"].as_str().unwrap().parse().unwrap();
        for turn in 1..12 {
            let name = turn.to_string();
            client.patch(format!("/v1/entities/{id}"), json!({"name": {"en": name}})).if_match(turn).expect(200).await;
            let moment = now(&options).await;
            assert_eq!(name_at(client, id, &moment).await, json!(name));
            let list = with("/v1/entities?limit=200&sort=-updated_at", &moment);
            seen.push((list.clone(), client.get(&list).expect(200).await.text));
        }
        seen
    };
    let seen = join_all((0..WRITERS).map(writer)).await;
    for (list, text) in seen.into_iter().flatten() {
        assert_eq!(clients[0].get(&list).expect(200).await.text, text, "{list}");
    }
    // What was kept step by step is what the record gives at once.
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    let kept = "select jsonb_agg(to_jsonb(v) order by id, recorded_from) from as_of.entities_versions v";
    let before: Value = sqlx::query_scalar(kept).fetch_one(&mut connection).await.unwrap();
    assert_eq!(before.as_array().unwrap().len(), WRITERS * 12);
    sqlx::query("select cleared.track('entity', 'entities')").execute(&mut connection).await.unwrap();
    let after: Value = sqlx::query_scalar(kept).fetch_one(&mut connection).await.unwrap();
    assert_eq!(before, after);
}

#[tokio::test]
async fn every_noun_has_a_past_of_its_own_columns() {
    let mut connection = PgConnection::connect_with(&database().await).await.unwrap();
    let columns = |schema: &str, table: &str| {
        format!(
            "select array_agg(concat_ws(' ', attname, format_type(atttypid, atttypmod), attcollation) order by attnum) from pg_attribute
             where attrelid = '{schema}.{table}'::regclass and attnum > 0 and not attisdropped and attname <> 'effective_classification'"
        )
    };
    for noun in router::nouns() {
        let tracked = sqlx::query_scalar("select noun::text from as_of.tracked where kind = $1").bind(noun.kind);
        let tracked: Option<String> = tracked.fetch_optional(&mut connection).await.unwrap();
        assert_eq!(tracked.as_deref(), Some(noun.table), "a migration must call as_of.track");
        let now: Vec<String> =
            sqlx::query_scalar(AssertSqlSafe(columns("public", noun.table))).fetch_one(&mut connection).await.unwrap();
        let then: Vec<String> =
            sqlx::query_scalar(AssertSqlSafe(columns("as_of", noun.table))).fetch_one(&mut connection).await.unwrap();
        assert_eq!(then, now, "{}: a migration that changes a noun must change its past", noun.table);
    }
}
