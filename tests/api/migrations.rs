//! The schema grows under the rows of older services: one migration after the other, each with rows as it found them.
//!
//! Once a migration has landed it has a line in `LANDED`, and, when it makes a table, `tests/api/samples/{its name}.sql` with rows as the
//! service of that day left them; the same when it changes one so that rows can be in it that could not before.

use std::{fmt::Write as _, fs, path::PathBuf};

use mandate::{base::limits::Limits, cli::database::MIGRATOR, router};
use mandate_tlog::{hash::Frontier, verify::opened};
use regex::Regex;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, migrate::Migrator};

use crate::support::{Client, empty_database, log_key, service_over};

/// Every migration and its SHA-256. What has landed has run somewhere: a change of it is a new migration.
const LANDED: &[(&str, &str)] = &[
    ("0001_record.sql", "1d441aca2dfaa179a62ecad43f5f920483acfceed94897a3467175c4ab4c9e66"),
    ("0002_entities.sql", "15802e76c9af759d77d8540a78345bc2a4da4a3481f557cb0b676628b7ee25c2"),
    ("0003_plan.sql", "673b89af9dda19ff626a85afde06182a04fb082f1cfd0cb69acaa502f907e45d"),
    ("0004_money.sql", "369a7372d5c53dd3ae4e9591be0296e75ad82fc420877078076acbca1c95f299"),
    ("0005_today.sql", "344e5af3431f75bfedd8f4fd6bce0df995598624dd89cf1f671a4603df00124b"),
    ("0006_natural_order.sql", "bd33012cdef3ad1a25e114251d561a460408c369ee3b5a65ba407345205aa1c5"),
    ("0007_orders.sql", "1477dc281e5191456dabe4b1b4b9645a4c76c4a807bb0fc9f937d4a59e69ce71"),
    ("0008_idempotency.sql", "d61a38681177dd7324994efefa0a2b02e54e67edbd0261b01059e9b593a4df3f"),
    ("0009_positions.sql", "afbeefda421c616c79edf82e2530352d2bc9c9b35fdb567513775428ba3e25ab"),
    ("0010_as_of.sql", "7edcc71cf6e4251fda906ba77778b4064938edfceefeeaa2a088f6f6e3fe7f69"),
    ("0011_access.sql", "71e8d1c89b65a76f73be5453f57e394c42e69c27f2d6fad5396c2eaa98315cf9"),
    ("0012_proof.sql", "567a11d68442b3bbf4d313109fe3ed6a441b8c0f866e96ead22f1d3f3845a40c"),
    ("0013_webhooks.sql", "f081cb4b4a85cdaceda4ad6efcb1116ff76148ec454068d05b5b346f8fe240ab"),
    ("0014_record_goes_on.sql", "ad89efcdd3c7013f3953c58e9f8aab3de76778e2a05b51691098e026ec5ddb9c"),
    ("0015_movements.sql", "1afa1d53dff6ef76a176658dfac32a61f65e9a5025cd2d06aad19b94a1d35dcc"),
    ("0016_rates_and_sums.sql", "ae303ced95b85109604d51b9abb115fa64aa8f694a55b306e0e2e7666132e542"),
    ("0017_metrics.sql", "1c23172a3b55f1a001cbdfa7c09da975ab06db703bc55cb6b7566e95e2d27889"),
    ("0019_progress.sql", "df1503a161582c9584c8a62d63e4e8e036c28c21d0699bd9ac3b04c59425c430"),
    ("0020_risks.sql", "4bd9cc3eefe86a4ec0dc051e01d838e1e83fb5430a5144f9d77676e6be2f173a"),
    ("0021_people.sql", "de3012d114bb50994c813ec6aa94dbcdfad5fb4e1b8932871615f7d5b4dbb431"),
    ("0022_diplomacy.sql", "e62c72136a67817462fec4f9efd626e9a8ec16e226592e69ff0e7b6753334092"),
    ("0023_law.sql", "ccae139465eeef9dda6e75310a7aee50fcab4e90a0a7cc5b3ccc1caa425fca84"),
    ("0024_capacity.sql", "17c0d127e8b4ceb7aa1183ccf713f8c309c84849ee9695c7ed5f2d3b4fe18afd"),
    ("0025_evidence.sql", "7333b910c6cc56b94f229897e34cb7c058a74654f719cc93446670ea36034b88"),
    ("0026_readiness.sql", "12083b57cc6354245013e22b98a6f8686e83d0229db5f2eecd136a3be9849341"),
    ("0027_citations.sql", "c75698b3339d5a09acaab1996ef27c73314322387fdcff1f3298088f96980c79"),
    ("0028_fiscal_years.sql", "8a37f1c6c9ac9d624286d5e6bb2667adc8ec1de1b5e43bd1960bda90833c2ea4"),
    ("0029_reports.sql", "e5db94469ebba94ba4ba9ebf87a727031bff480fa422035a7ed3b6ad1a2ec108"),
    ("0030_one_sight.sql", "6e8e091ab9a32537ff6c565b2b80a666acdfb017325b5cd9f47d8639c6c052eb"),
    ("0032_guard.sql", "c36d7d57204b38b845799c05c629cfdcc0ffddf16a87b8dcb599abad611731aa"),
    ("0033_four_eyes.sql", "53d9fdd4377077340a9120987cdd3627d8195387943aa1dd331de8c9eca67332"),
    ("0034_figures.sql", "ad816fbe4c649a827b36060806814d1f37d275fe19bba057034691b0e030c766"),
    ("0035_digits.sql", "3501ec7baa836070ee94719a323382e6d4c235484e28d12aaf9bbb752f3df9c4"),
    ("0036_turns.sql", "2e6c01bf95c8770f925967338830ce6d346062751f25787cc8c3843a71bf18fe"),
    ("0037_leads.sql", "05318baddc7c85873b5ff92e7a75fc771efc9c84a2bfe9a235381953b4608359"),
    ("0040_sight_of_writers.sql", "53b4c4b52ffae7e261de67deb28e4f207fe52d46f8594e55f2b5d8b9e92ed569"),
    ("0043_feed_tokens.sql", "afd2159c0826f2ca8c2b7cf7ef72790aefa294f8b99718aeee417b84e7176670"),
    ("0045_names_and_orders.sql", "0f95e126aa04ab2d1e5fee60f2242cc9c4cd4f53dcc11894a5440edcccfa79f0"),
    ("0047_days.sql", "6110942537bea33061845fb5e5e73d7b6fa06fd10deba138819a7101a806d997"),
    ("0048_acts_in_force.sql", "d988c7b3e0b2e2fbf6c73a0f6cff6c875d21847acdbfd2b7da1f86d7c4c7484f"),
];

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Name and text of every migration, in order.
fn files() -> Vec<(String, String)> {
    let entries = fs::read_dir(folder("migrations")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap()))
        .collect();
    files.sort();
    files
}

async fn tables(connection: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar(
        "select tablename::text from pg_tables where schemaname = 'public' and tablename <> '_sqlx_migrations'",
    )
    .fetch_all(connection)
    .await
    .unwrap()
}

#[tokio::test]
async fn rows_of_every_older_service_are_read_by_the_newest() {
    let options = empty_database().await;
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    let (mut known, mut young) = (Vec::new(), Vec::new());
    for (upto, (name, _)) in files().iter().enumerate() {
        let so_far = MIGRATOR.iter().take(upto + 1).cloned().collect();
        Migrator::with_migrations(so_far).run(&mut connection).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        if let Ok(sample) = fs::read_to_string(folder("tests/api/samples").join(name)) {
            sqlx::raw_sql(AssertSqlSafe(sample))
                .execute(&mut connection)
                .await
                .unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        let now = tables(&mut connection).await;
        for table in now.iter().filter(|table| !known.contains(*table)) {
            let count = AssertSqlSafe(format!("select count(*) from {table}"));
            let rows: i64 = sqlx::query_scalar(count).fetch_one(&mut connection).await.unwrap();
            let landed = LANDED.iter().any(|(landed, _)| landed == name);
            assert!(rows > 0 || !landed, "tests/api/samples/{name} has no row for the new table {table}");
            young.extend((rows == 0).then(|| table.clone()));
        }
        known = now;
    }
    MIGRATOR.run(&mut connection).await.unwrap();

    let client = service_over(options, Limits::default()).await;
    for noun in router::nouns() {
        let collection = format!("/v1/{}", noun.table.replace('_', "-"));
        let page = client.get(format!("{collection}?limit=200")).expect(200).await.json();
        let items = page["items"].as_array().unwrap();
        assert!(!items.is_empty() || young.iter().any(|table| table == noun.table), "{collection} is empty");
        for item in items {
            let path = format!("{collection}/{}", item["id"].as_str().unwrap());
            assert_eq!(client.get(&path).expect(200).await.json(), *item);
            if noun.is_append_only {
                continue;
            }
            // It is fit to be written again as it was read.
            let mut body = item.clone();
            for own in ["id", "version", "created_at", "updated_at"] {
                body.as_object_mut().unwrap().shift_remove(own);
            }
            let written = client.put(&path, body.clone()).if_match(1).expect(200).await.json();
            assert_eq!(written, *item, "{path}: what is the same is not written");
            body["external_id"] = json!(format!("again-{}", item["id"].as_str().unwrap()));
            let call = client.put(&path, body).if_match(1).header("mandate-reason", "written again");
            assert_eq!(call.expect(200).await.json()["version"], 2, "{path}");
        }
    }
    // What was recorded before there were positions has the first of them.
    let feed = client.get("/v1/changes?limit=2").expect(200).await.json();
    let places: Vec<_> =
        feed["items"].as_array().unwrap().iter().map(|item| (&item["position"], &item["version"])).collect();
    assert_eq!(places, [(&json!(1), &json!(1)), (&json!(2), &json!(2))], "{feed}");
    let gone = client.get("/v1/entities/01900000-0000-7000-8000-0000000000ff").expect(410).await.json();
    let history = client.get(gone["history"].as_str().unwrap()).expect(200).await.json();
    assert_eq!(history["items"].as_array().unwrap().len(), 2, "{history}");
    keys_of_older_services_are_read(&client).await;
    past_and_log_go_on(&client, &mut connection).await;
}

async fn keys_of_older_services_are_read(client: &Client) {
    let keys = client.get("/v1/api-keys").expect(200).await.json();
    let key = |id: &str| keys["items"].as_array().unwrap().iter().find(|key| key["id"] == id).unwrap().clone();
    assert_eq!(key("old")["role"], "viewer");
    assert_eq!(key("a0000001")["scopes"], json!(["money:write", "plan:read"]));
    assert!(key("a0000002")["revoked_at"].is_string(), "{keys}");
}

/// What stood in the tables of the past and in the tree before is continued, not begun anew.
async fn past_and_log_go_on(client: &Client, connection: &mut PgConnection) {
    let versions = "select kind from as_of.entities_versions where id = '01900000-0000-7000-8000-0000000000fe' order by recorded_from";
    let kinds: Vec<String> = sqlx::query_scalar(versions).fetch_all(&mut *connection).await.unwrap();
    assert_eq!(kinds, ["agency", "council"]);
    let written = client.create("entities", json!({"name": {"en": "New"}, "kind": "agency"})).await;
    let position = loop {
        let found =
            "select position from changes where entity_id = $1::uuid and position <= (select size from proof_head)";
        let found = sqlx::query_scalar::<_, i64>(found).bind(written["id"].as_str());
        match found.fetch_optional(&mut *connection).await.unwrap() {
            Some(position) => break position,
            None => tokio::task::yield_now().await,
        }
    };
    let checkpoint = client.get("/v1/log/checkpoint").expect(200).await.text;
    let checkpoint = opened(&checkpoint.parse().unwrap(), &log_key().verifier()).unwrap();
    assert!(checkpoint.size >= u64::try_from(position).unwrap());
    let hashes: Vec<Vec<u8>> =
        sqlx::query_scalar("select leaf_hash from changes where position <= $1 order by position")
            .bind(i64::try_from(checkpoint.size).unwrap())
            .fetch_all(connection)
            .await
            .unwrap();
    let mut tree = Frontier::default();
    for hash in hashes {
        tree.push(hash.try_into().unwrap());
    }
    assert_eq!((tree.size(), tree.root()), (checkpoint.size, checkpoint.root));
}

#[tokio::test]
async fn the_order_of_old_rows_is_what_the_function_answers() {
    let options = empty_database().await;
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    for upto in 1..=MIGRATOR.iter().count() {
        Migrator::with_migrations(MIGRATOR.iter().take(upto).cloned().collect()).run(&mut connection).await.unwrap();
        let sample = folder("tests/api/samples").join(&files()[upto - 1].0);
        if let Ok(sample) = fs::read_to_string(sample) {
            sqlx::raw_sql(AssertSqlSafe(sample)).execute(&mut connection).await.unwrap();
        }
    }
    let by_code = "select code from initiatives where code_order = natural_order(code) order by code_order, id";
    let codes: Vec<String> = sqlx::query_scalar(by_code).fetch_all(&mut connection).await.unwrap();
    assert_eq!(codes, ["1.1", "100000000000000000002", "900000000000000000001"]);
}

#[test]
fn the_service_carries_every_migration_of_the_folder() {
    let carried: Vec<String> = MIGRATOR.iter().map(|migration| migration.sql.as_str().to_owned()).collect();
    assert_eq!(carried, files().into_iter().map(|(_, text)| text).collect::<Vec<_>>());
}

#[test]
fn a_migration_that_has_landed_does_not_change() {
    let sum = |text: &str| {
        Sha256::digest(text.as_bytes()).iter().fold(String::new(), |mut sum, byte| {
            let _ = write!(sum, "{byte:02x}");
            sum
        })
    };
    let found: Vec<(String, String)> =
        files().into_iter().take(LANDED.len()).map(|(name, text)| (name, sum(&text))).collect();
    let landed: Vec<(String, String)> = LANDED.iter().map(|(name, sum)| ((*name).into(), (*sum).into())).collect();
    assert_eq!(found, landed, "restore what has landed; a new migration comes after it");
}

/// The columns that an older row could not have: `not null`, and no value to fill them with.
fn demanded_of_old_rows(sql: &str) -> Vec<String> {
    let comments = Regex::new(r"--[^\n]*").unwrap();
    let next = Regex::new(r",\s*(?:add|drop|alter)\b").unwrap();
    let clause = Regex::new(r"(?is)\badd\s+(?:column\s+)?(?:if\s+not\s+exists\s+)?(\w+)\s(.*)").unwrap();
    let sql = comments.replace_all(sql, "");
    let mut found = Vec::new();
    for statement in
        sql.split(';').map(str::to_lowercase).filter(|statement| statement.trim().starts_with("alter table"))
    {
        for part in next.replace_all(&statement, "\0$0").split('\0') {
            let Some(found_in) = clause.captures(part) else { continue };
            let (column, rest) = (&found_in[1], &found_in[2]);
            let is_column = !["constraint", "check", "unique", "primary", "foreign", "exclude"].contains(&column);
            if is_column && rest.contains("not null") && !rest.contains("default") && !rest.contains("generated") {
                found.push(column.to_owned());
            }
        }
    }
    found
}

#[test]
fn no_migration_demands_of_old_rows_what_they_cannot_have() {
    assert_eq!(demanded_of_old_rows("alter table a add column b text not null;"), ["b"]);
    let several = "-- first\nALTER TABLE a\n  ADD COLUMN b text,\n  add c integer NOT NULL,\n add column d int not null default 1;";
    assert_eq!(demanded_of_old_rows(several), ["c"]);
    for fine in [
        "alter table a add column b text;",
        "alter table a add constraint b check (c is not null);",
        "alter table a add column b text not null generated always as (c) stored;",
        "create table a (b text not null);",
    ] {
        assert!(demanded_of_old_rows(fine).is_empty(), "{fine}");
    }
    for (name, text) in files() {
        assert!(demanded_of_old_rows(&text).is_empty(), "{name}: {:?}", demanded_of_old_rows(&text));
    }
}
