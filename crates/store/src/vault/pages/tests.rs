use std::path::Path;
use std::time::{Duration, Instant};

use ringfence_model::{CredentialName, Secret};
use tempfile::{TempDir, tempdir};

use crate::seal::KeySource;
use crate::vault::Vault;

async fn open(data: &Path) -> Vault {
    let source = KeySource::File(data.join("master.key"));
    Vault::open(data, source).await.unwrap()
}

fn name() -> CredentialName {
    "github".parse().unwrap()
}

fn value(text: &str) -> Vec<(String, Secret)> {
    vec![("value".to_owned(), Secret::new(text))]
}

/// A vault with a credential in it, and another process that has the database open, so that
/// nothing is tidied up by the closing of the last one.
async fn filled() -> (TempDir, Vault, Vault) {
    let data = tempdir().unwrap();
    let vault = open(data.path()).await;
    let long = "s3cret".repeat(3000);
    vault.add(&name(), "{}", &value(&long)).await.unwrap();
    let other = open(data.path()).await;
    other.opened(&name()).await.unwrap();
    (data, vault, other)
}

/// What is sealed of the credential now: its key and its secret.
async fn sealed(vault: &Vault) -> Vec<String> {
    let mut sealed: Vec<String> = sqlx::query_scalar("SELECT sealed FROM credential_secrets")
        .fetch_all(&vault.pool)
        .await
        .unwrap();
    let key: String = sqlx::query_scalar("SELECT data_key FROM credentials")
        .fetch_one(&vault.pool)
        .await
        .unwrap();
    sealed.push(key);
    sealed
}

/// Which files hold a part of one of these texts.
fn holding(data: &Path, texts: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(data).unwrap() {
        let path = entry.unwrap().path();
        let octets = std::fs::read(&path).unwrap();
        let holds = |text: &String| {
            let part = &text.as_bytes()[8..40];
            octets.windows(part.len()).any(|window| window == part)
        };
        if texts.iter().any(holds) {
            found.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    found
}

#[tokio::test]
async fn what_was_sealed_before_a_change_is_in_no_file_after_it() {
    for change in ["rotate", "replace", "revoke", "rekey"] {
        let (data, vault, other) = filled().await;
        let mut before = sealed(&vault).await;
        assert!(!holding(data.path(), &before).is_empty());
        match change {
            "rotate" => drop(vault.rotate(&name(), None, &value("new")).await.unwrap()),
            "replace" => {
                let seen = vault.credential(&name()).await.unwrap();
                assert!(vault.replace(&seen, &value("new")).await.unwrap());
            }
            "revoke" => vault.revoke(&name()).await.unwrap(),
            _ => {
                vault.rekey(None).await.unwrap();
                // The secret stays sealed under its own key; that key is sealed anew.
                before.drain(..1);
            }
        }
        let held = holding(data.path(), &before);
        assert!(held.is_empty(), "{change}: {held:?}");
        other.close().await;
    }
}

#[tokio::test]
async fn a_reader_that_lasts_holds_a_revocation_up_for_a_moment_only() {
    let (data, vault, other) = filled().await;
    let before = sealed(&vault).await;
    let mut reading = other.pool.begin().await.unwrap();
    let read = "SELECT COUNT(*) FROM credentials";
    let _: i64 = sqlx::query_scalar(read)
        .fetch_one(&mut *reading)
        .await
        .unwrap();
    let since = Instant::now();
    vault.revoke(&name()).await.unwrap();
    assert!(
        since.elapsed() < Duration::from_secs(5),
        "{:?}",
        since.elapsed()
    );
    reading.rollback().await.unwrap();
    // What could not be done then, the next change does.
    vault.add(&name(), "{}", &value("next")).await.unwrap();
    vault.revoke(&name()).await.unwrap();
    assert!(holding(data.path(), &before).is_empty());
}
