use std::os::unix::fs::PermissionsExt;

use tempfile::tempdir;

use super::*;
use crate::testing::{store_of, story, verified};
use crate::verify::Verification;

#[tokio::test]
async fn every_file_belongs_to_its_user_alone() {
    let data = tempdir().unwrap();
    let _store = store_of(data.path(), &story()).await;
    let mut names: Vec<_> = std::fs::read_dir(data.path())
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let mode = entry.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{entry:?}");
            entry.file_name().into_string().unwrap()
        })
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "audit.key",
            "spool",
            "store.db",
            "store.db-shm",
            "store.db-wal",
            "store.lock"
        ]
    );
}

#[tokio::test]
async fn opens_again_with_the_same_key() {
    let data = tempdir().unwrap();
    store_of(data.path(), &story()).await.close().await;
    let store = Store::open(data.path()).await.unwrap();
    assert_eq!(verified(&store).await, 10);
}

#[tokio::test]
async fn does_not_sign_a_log_anew_whose_key_is_gone() {
    let data = tempdir().unwrap();
    store_of(data.path(), &story()).await.close().await;
    std::fs::remove_file(data.path().join("audit.key")).unwrap();
    assert!(matches!(
        Store::open(data.path()).await,
        Err(StoreError::KeyMissing(_))
    ));
}

#[tokio::test]
async fn makes_a_key_again_where_a_crash_left_an_empty_log_without_one() {
    let data = tempdir().unwrap();
    Store::open(data.path()).await.unwrap().close().await;
    std::fs::remove_file(data.path().join("audit.key")).unwrap();
    let store = Store::open(data.path()).await.unwrap();
    assert_eq!(verified(&store).await, 0);
}

#[tokio::test]
async fn refuses_a_key_that_others_could_have_read() {
    let data = tempdir().unwrap();
    store_of(data.path(), &story()).await.close().await;
    let key = data.path().join("audit.key");
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o644)).unwrap();
    assert!(matches!(
        Store::open(data.path()).await,
        Err(StoreError::Insecure { .. })
    ));
}

#[tokio::test]
async fn another_key_does_not_verify_the_log() {
    let data = tempdir().unwrap();
    store_of(data.path(), &story()).await.close().await;
    let key = data.path().join("audit.key");
    AuditKey::generate().unwrap().write(&key).unwrap();
    let store = Store::open(data.path()).await.unwrap();
    assert!(matches!(
        store.verify().await.unwrap(),
        Verification::Broken(_)
    ));
}

#[tokio::test]
async fn a_store_of_the_first_version_is_brought_up_to_date() {
    let data = tempdir().unwrap();
    let store = store_of(data.path(), &story()).await;
    let back = "DROP INDEX notices_by_time; DROP INDEX notices_by_agent; DROP INDEX notices_by_run;
         CREATE INDEX notices_by_run ON notices (run, seq);
         DELETE FROM _sqlx_migrations WHERE version = 2";
    sqlx::raw_sql(back).execute(&store.pool).await.unwrap();
    store.close().await;
    let store = Store::open(data.path()).await.unwrap();
    let indexes: Vec<String> = sqlx::query_scalar(
        "SELECT sql FROM sqlite_schema WHERE tbl_name = 'notices' AND sql LIKE 'CREATE INDEX%' ORDER BY name",
    )
    .fetch_all(&store.pool)
    .await
    .unwrap();
    assert_eq!(
        indexes,
        [
            "CREATE INDEX notices_by_agent ON notices (agent, time, seq)",
            "CREATE INDEX notices_by_run ON notices (run, time, seq)",
            "CREATE INDEX notices_by_time ON notices (time, seq)",
        ]
    );
    assert_eq!(verified(&store).await, 10);
}
