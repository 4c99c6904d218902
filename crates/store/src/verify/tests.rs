use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use ringfence_model::{NoticeKind, Record};
use sqlx::{AssertSqlSafe, Row};
use tempfile::tempdir;

use super::*;
use crate::spool::Spool;
use crate::testing::{denied, notice, run, spooled, store_of, story, verified};

const COLUMNS: &[(&str, &[&str])] = &[
    (
        "entries",
        &[
            "seq",
            "source",
            "run",
            "spool_seq",
            "spool_hash",
            "spool_end",
            "record",
            "prev",
            "hash",
        ],
    ),
    (
        "events",
        &[
            "seq",
            "id",
            "parent",
            "time",
            "run",
            "sandbox",
            "agent",
            "workspace",
            "kind",
            "host",
            "port",
            "effect",
            "code",
            "rule",
            "generation",
            "action",
            "refusal",
            "closed_seq",
            "closed_at",
            "outcome",
            "sent",
            "received",
            "duration_us",
        ],
    ),
    ("notices", &["seq", "time", "run", "agent", "kind"]),
    ("head", &["seq", "hash", "time", "mac"]),
];

async fn execute(store: &Store, sql: String) -> u64 {
    sqlx::query(AssertSqlSafe(sql))
        .execute(&store.pool)
        .await
        .unwrap()
        .rows_affected()
}

async fn is_broken(store: &Store) -> bool {
    matches!(store.verify().await.unwrap(), Verification::Broken(_))
}

/// Every stored field, as table, column and row.
async fn fields(store: &Store) -> Vec<(&'static str, &'static str, i64)> {
    let mut fields = Vec::new();
    for (table, columns) in COLUMNS {
        let sql = format!("SELECT rowid FROM {table}");
        let rows = sqlx::query(AssertSqlSafe(sql))
            .fetch_all(&store.pool)
            .await
            .unwrap();
        for row in rows {
            let row: i64 = row.get(0);
            fields.extend(columns.iter().map(|column| (*table, *column, row)));
        }
    }
    fields
}

/// The SQL expressions that change a field a little: a number, one octet of a text, a null.
fn changes(column: &str, at: usize) -> Vec<String> {
    let at = format!("({at} % length({column})) + 1");
    let octet = format!("substr({column}, {at}, 1)");
    let flipped = format!("CASE WHEN {octet} = 'b' THEN 'c' ELSE 'b' END");
    let text = format!("substr({column}, 1, {at} - 1) || {flipped} || substr({column}, {at} + 1)");
    vec![
        format!(
            "CASE typeof({column}) WHEN 'text' THEN {text} WHEN 'null' THEN 'x' ELSE {column} + 1 END"
        ),
        format!("CASE typeof({column}) WHEN 'integer' THEN {column} + 0.5 ELSE x'00' END"),
    ]
}

/// Changes one field, looks whether that shows, and puts the field back.
async fn shows(store: &Store, (table, column, row): (&str, &str, i64), change: &str) -> bool {
    let keep =
        format!("CREATE TABLE kept AS SELECT {column} AS value FROM {table} WHERE rowid = {row}");
    execute(store, keep).await;
    let sql = format!("UPDATE {table} SET {column} = {change} WHERE rowid = {row}");
    // A change that a constraint of the table refuses was no change.
    let done = sqlx::query(AssertSqlSafe(sql)).execute(&store.pool).await;
    let shown = match done {
        Ok(_) => is_broken(store).await,
        Err(error) => error.to_string().contains("constraint failed"),
    };
    let restore =
        format!("UPDATE {table} SET {column} = (SELECT value FROM kept) WHERE rowid = {row}");
    execute(store, restore).await;
    execute(store, "DROP TABLE kept".to_owned()).await;
    shown
}

#[tokio::test]
async fn every_stored_field_shows_a_change() {
    let data = tempdir().unwrap();
    let store = store_of(data.path(), &story()).await;
    for field in fields(&store).await {
        for change in changes(field.1, 3) {
            assert!(shows(&store, field, &change).await, "{field:?}: {change}");
        }
        assert_eq!(verified(&store).await, 10, "{field:?} was put back");
    }
}

#[test]
fn any_changed_octet_of_any_field_shows() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let data = tempdir().unwrap();
    let store = runtime.block_on(store_of(data.path(), &story()));
    let fields = runtime.block_on(fields(&store));
    let config = Config {
        cases: 200,
        failure_persistence: None,
        ..Config::default()
    };
    let strategy = (proptest::sample::select(fields), 0_usize..2_000);
    TestRunner::new(config)
        .run(&strategy, |(field, at)| {
            let change = changes(field.1, at).remove(0);
            prop_assert!(runtime.block_on(shows(&store, field, &change)));
            Ok(())
        })
        .unwrap();
    assert_eq!(runtime.block_on(verified(&store)), 10);
}

#[tokio::test]
async fn rows_that_are_gone_added_or_moved_show() {
    for change in [
        "DELETE FROM entries WHERE seq = 1",
        "DELETE FROM entries WHERE seq = 5",
        "DELETE FROM entries WHERE seq = 10",
        "DELETE FROM events WHERE seq = 2",
        "DELETE FROM events WHERE seq = 4",
        "DELETE FROM notices WHERE seq = 1",
        "DELETE FROM head",
        "UPDATE entries SET seq = seq + 50 WHERE seq > 4",
        "UPDATE entries SET seq = CASE seq WHEN 2 THEN 103 ELSE 102 END WHERE seq IN (2, 3);
         UPDATE entries SET seq = seq - 100 WHERE seq > 100",
        "INSERT INTO notices VALUES (11, 1, 'r', 'a', 'k')",
        "INSERT INTO notices VALUES (-1, 1, 'r', 'a', 'k')",
        "INSERT INTO entries SELECT 11, source, run, 11, spool_hash, spool_end, record, prev, hash
         FROM entries WHERE seq = 10",
        "INSERT INTO entries SELECT -1, source, run, 11, spool_hash, spool_end, record, prev, hash
         FROM entries WHERE seq = 10",
        "INSERT INTO events SELECT 11, 'other', parent, time, run, sandbox, agent, workspace, kind, host,
             port, effect, code, rule, generation, action, refusal, NULL, NULL, NULL, NULL, NULL, NULL
         FROM events WHERE seq = 2",
        "UPDATE events SET closed_seq = NULL, closed_at = NULL, outcome = NULL, sent = NULL,
             received = NULL, duration_us = NULL WHERE seq = 3",
        "UPDATE events SET refusal = NULL WHERE seq = 7",
        "DELETE FROM entries; DELETE FROM events; DELETE FROM notices",
        "DELETE FROM entries; DELETE FROM events; DELETE FROM notices; DELETE FROM head",
    ] {
        let data = tempdir().unwrap();
        let store = store_of(data.path(), &story()).await;
        sqlx::raw_sql(change).execute(&store.pool).await.unwrap();
        assert!(is_broken(&store).await, "{change}");
        store.close().await;
    }
}

#[tokio::test]
async fn a_log_without_its_tail_shows_even_where_all_tables_agree() {
    let data = tempdir().unwrap();
    let store = store_of(data.path(), &story()).await;
    let earlier = "SELECT seq, hash, time, mac FROM head";
    let (seq, hash, time, mac): (i64, String, i64, String) = sqlx::query_as(earlier)
        .fetch_one(&store.pool)
        .await
        .unwrap();
    spooled(
        data.path(),
        run(2),
        &[notice(9, NoticeKind::RunEnded { exit_code: 0 })],
    );
    store.ingest_spools().await.unwrap();
    let cut = "DELETE FROM entries WHERE seq > 10; DELETE FROM notices WHERE seq > 10";
    sqlx::raw_sql(cut).execute(&store.pool).await.unwrap();
    match store.verify().await.unwrap() {
        Verification::Broken(broken) => assert!(broken.why.contains("missing at its end")),
        other => panic!("{other:?}"),
    }
    // Whoever kept the whole head of then can put it back: the limit that the crate states.
    let back = "UPDATE head SET seq = $1, hash = $2, time = $3, mac = $4";
    sqlx::query(back)
        .bind(seq)
        .bind(hash)
        .bind(time)
        .bind(mac)
        .execute(&store.pool)
        .await
        .unwrap();
    assert_eq!(verified(&store).await, 10);
}

#[tokio::test]
async fn walks_more_than_one_page() {
    let data = tempdir().unwrap();
    let event = |number| Record::Opened(denied(number, "evil.test:443"));
    let records: Vec<_> = (0..700).map(event).collect();
    let store = store_of(data.path(), &records).await;
    assert_eq!(verified(&store).await, 700);
    let change = "UPDATE events SET agent = 'other' WHERE seq = 650";
    execute(&store, change.to_owned()).await;
    match store.verify().await.unwrap() {
        Verification::Broken(broken) => assert_eq!((broken.spool, broken.seq), (None, 650)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn spools_that_wait_are_verified_too() {
    let data = tempdir().unwrap();
    let store = Store::open(data.path()).await.unwrap();
    let spool = Spool::create(data.path(), run(1)).unwrap();
    let (early, late) = (story()[..4].to_vec(), story()[4..].to_vec());
    early
        .iter()
        .for_each(|record| spool.append(record).unwrap());
    store.ingest_spools().await.unwrap();
    late.iter().for_each(|record| spool.append(record).unwrap());
    match store.verify().await.unwrap() {
        Verification::Verified(verified) => assert_eq!((verified.count, verified.pending), (4, 6)),
        Verification::Broken(broken) => panic!("{broken:?}"),
    }

    let whole = std::fs::read_to_string(spool.path()).unwrap();
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    for (text, seq) in [
        (whole.replacen("\"exit_code\":3", "\"exit_code\":0", 1), 10),
        (whole.replacen("evil.test", "good.test", 1), 2),
        (lines[..2].concat(), 3),
    ] {
        std::fs::write(spool.path(), text).unwrap();
        match store.verify().await.unwrap() {
            Verification::Broken(broken) => {
                assert_eq!((broken.spool, broken.seq), (Some(run(1)), seq));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_spool_that_was_written_anew_is_not_the_one_that_was_taken_in() {
    let data = tempdir().unwrap();
    let store = Store::open(data.path()).await.unwrap();
    let spool = Spool::create(data.path(), run(1)).unwrap();
    spool.append(&story()[1]).unwrap();
    store.ingest_spools().await.unwrap();
    let forged = tempdir().unwrap();
    spooled(
        forged.path(),
        run(1),
        &[Record::Opened(denied(1, "good.test:443"))],
    );
    let other = forged
        .path()
        .join("spool")
        .join(spool.path().file_name().unwrap());
    std::fs::copy(other, spool.path()).unwrap();
    assert!(is_broken(&store).await);
}

#[tokio::test]
async fn names_the_spools_that_were_set_aside() {
    let data = tempdir().unwrap();
    let store = Store::open(data.path()).await.unwrap();
    let file = data.path().join("spool").join(format!("{}.jsonl", run(1)));
    std::fs::write(&file, "hello\n").unwrap();
    store.ingest_spools().await.unwrap();
    match store.verify().await.unwrap() {
        Verification::Verified(verified) => {
            assert_eq!(verified.set_aside, [file.with_extension("jsonl.broken")]);
        }
        Verification::Broken(broken) => panic!("{broken:?}"),
    }
}

#[test]
fn the_chain_is_computed_as_it_was_in_version_1() {
    let tip = entry::Tip::genesis();
    let entry = entry::Entry::of_store(&tip, run(1), 7, "{}".to_owned());
    assert_eq!(
        (entry.prev.as_str(), entry.hash.as_str()),
        (
            "185a14135dfbb17d4727da8724031d622beeab4204ede7dad93b0c2cfdcc5855",
            "611dc1f2bea56fc951a41d1d1d2c44b80712c23ae852dc25bafd6fca71b001d1"
        )
    );
}
