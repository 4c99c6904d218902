use std::os::unix::fs::PermissionsExt;

use ringfence_model::{CredentialName, Secret};
use tempfile::{TempDir, tempdir};

use super::*;
use crate::error::StoreError;

fn file(data: &Path) -> KeySource {
    KeySource::File(data.join("master.key"))
}

fn given(octet: u8) -> KeySource {
    KeySource::Given {
        origin: "RINGFENCE_MASTER_KEY".to_owned(),
        key: master(octet),
    }
}

fn master(octet: u8) -> MasterKey {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode([octet; 32]);
    MasterKey::parse(&Secret::new(text)).unwrap()
}

fn name(text: &str) -> CredentialName {
    text.parse().unwrap()
}

fn value(text: &str) -> Vec<(String, Secret)> {
    vec![("value".to_owned(), Secret::new(text))]
}

/// A vault with one credential in it.
async fn filled(source: impl Fn(&Path) -> KeySource) -> (TempDir, Vault) {
    let data = tempdir().unwrap();
    let vault = Vault::open(data.path(), source(data.path())).await.unwrap();
    vault
        .add(&name("github"), "{}", &value("s3cret"))
        .await
        .unwrap();
    (data, vault)
}

async fn secret(vault: &Vault) -> Result<String, VaultError> {
    let opened = vault.opened(&name("github")).await?;
    let (_, secret) = opened.secrets.first().unwrap();
    Ok(String::from_utf8(secret.expose().to_vec()).unwrap())
}

#[tokio::test]
async fn the_key_is_made_on_first_use_and_is_the_users_alone() {
    let (data, vault) = filled(file).await;
    let key = data.path().join("master.key");
    let mode = key.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(secret(&vault).await.unwrap(), "s3cret");
    let again = Vault::open(data.path(), file(data.path())).await.unwrap();
    assert_eq!(secret(&again).await.unwrap(), "s3cret");
}

#[tokio::test]
async fn a_missing_key_is_not_made_again_for_what_is_sealed() {
    let (data, vault) = filled(file).await;
    vault.close().await;
    std::fs::remove_file(data.path().join("master.key")).unwrap();
    let vault = Vault::open(data.path(), file(data.path())).await.unwrap();
    assert!(matches!(
        vault.unlock().await,
        Err(VaultError::KeyMissing(_))
    ));
    let added = vault.add(&name("other"), "{}", &value("x")).await;
    assert!(matches!(added, Err(VaultError::KeyMissing(_))));
    assert!(!data.path().join("master.key").exists());
}

#[tokio::test]
async fn a_wrong_key_opens_nothing_and_changes_nothing() {
    let (data, vault) = filled(|_| given(1)).await;
    vault.close().await;
    let wrong = Vault::open(data.path(), given(2)).await.unwrap();
    let refused = wrong.unlock().await.unwrap_err();
    assert!(matches!(refused, VaultError::KeyWrong { .. }));
    assert!(refused.to_string().contains("RINGFENCE_MASTER_KEY"));
    for refused in [
        wrong
            .rotate(&name("github"), None, &value("new"))
            .await
            .map(drop),
        wrong.add(&name("other"), "{}", &value("x")).await.map(drop),
        wrong.rekey(Some(master(3))).await.map(drop),
    ] {
        assert!(matches!(refused, Err(VaultError::KeyWrong { .. })));
    }
    let right = Vault::open(data.path(), given(1)).await.unwrap();
    assert_eq!(secret(&right).await.unwrap(), "s3cret");
    assert_eq!(right.credentials().await.unwrap().len(), 1);
}

#[tokio::test]
async fn who_lost_the_key_can_still_list_and_revoke() {
    let (data, vault) = filled(|_| given(1)).await;
    vault.close().await;
    let wrong = Vault::open(data.path(), given(2)).await.unwrap();
    assert_eq!(wrong.credentials().await.unwrap().len(), 1);
    wrong.revoke(&name("github")).await.unwrap();
    let right = Vault::open(data.path(), given(1)).await.unwrap();
    assert!(matches!(secret(&right).await, Err(VaultError::Revoked(_))));
}

#[tokio::test]
async fn a_key_that_others_could_have_read_is_refused() {
    let (data, vault) = filled(file).await;
    vault.close().await;
    let key = data.path().join("master.key");
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o640)).unwrap();
    let vault = Vault::open(data.path(), file(data.path())).await.unwrap();
    assert!(matches!(
        vault.unlock().await,
        Err(VaultError::Store(StoreError::Insecure { .. }))
    ));
}

#[tokio::test]
async fn a_new_key_opens_everything_and_the_old_one_nothing() {
    let (data, vault) = filled(|_| given(1)).await;
    let done = vault.rekey(Some(master(2))).await.unwrap();
    assert_eq!((done.credentials, done.file), (1, None));
    assert_eq!(secret(&vault).await.unwrap(), "s3cret");
    let new = Vault::open(data.path(), given(2)).await.unwrap();
    assert_eq!(secret(&new).await.unwrap(), "s3cret");
    let old = Vault::open(data.path(), given(1)).await.unwrap();
    assert!(matches!(
        secret(&old).await,
        Err(VaultError::KeyWrong { .. })
    ));
    let none = new.rekey(None).await;
    assert!(matches!(none, Err(VaultError::KeyNeeded { .. })));
}

#[tokio::test]
async fn another_process_goes_on_after_the_key_in_the_file_changed() {
    let (data, vault) = filled(file).await;
    let other = Vault::open(data.path(), file(data.path())).await.unwrap();
    assert_eq!(secret(&other).await.unwrap(), "s3cret");
    let before = std::fs::read(data.path().join("master.key")).unwrap();
    vault.rekey(None).await.unwrap();
    assert_ne!(
        before,
        std::fs::read(data.path().join("master.key")).unwrap()
    );
    assert_eq!(secret(&other).await.unwrap(), "s3cret");
    other
        .rotate(&name("github"), None, &value("new"))
        .await
        .unwrap();
    assert_eq!(secret(&vault).await.unwrap(), "new");
}

#[tokio::test]
async fn a_key_that_was_given_and_is_changed_opens_nothing_until_the_new_one_is_given() {
    let (data, vault) = filled(|_| given(1)).await;
    let other = Vault::open(data.path(), given(1)).await.unwrap();
    assert_eq!(secret(&other).await.unwrap(), "s3cret");
    vault.rekey(Some(master(2))).await.unwrap();
    for _ in 0..2 {
        let refused = secret(&other).await.unwrap_err();
        assert!(matches!(refused, VaultError::KeyChanged { .. }));
        assert!(refused.to_string().contains("start it again"), "{refused}");
    }
    for wrong in [1, 3] {
        let refused = other.unlock_with(master(wrong)).await;
        assert!(matches!(refused, Err(VaultError::KeyWrong { .. })));
        assert!(secret(&other).await.is_err());
    }
    other.unlock_with(master(2)).await.unwrap();
    assert_eq!(secret(&other).await.unwrap(), "s3cret");
}

#[tokio::test]
async fn a_change_of_keys_that_was_broken_off_before_its_commit_leaves_the_old_key() {
    let (data, vault) = filled(file).await;
    vault.close().await;
    let path = data.path().join("master.key");
    MasterKey::generate()
        .unwrap()
        .write(&rekey::next(&path))
        .unwrap();
    let vault = Vault::open(data.path(), file(data.path())).await.unwrap();
    assert_eq!(secret(&vault).await.unwrap(), "s3cret");
    vault.rekey(None).await.unwrap();
    assert_eq!(secret(&vault).await.unwrap(), "s3cret");
    assert!(!rekey::next(&path).exists());
}

#[tokio::test]
async fn a_change_of_keys_that_was_broken_off_after_its_commit_is_finished() {
    let (data, vault) = filled(file).await;
    let path = data.path().join("master.key");
    let old = std::fs::read(&path).unwrap();
    vault.rekey(None).await.unwrap();
    vault.close().await;
    // As if it had been broken off before the new file got its name.
    std::fs::rename(&path, rekey::next(&path)).unwrap();
    std::fs::write(&path, &old).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    let vault = Vault::open(data.path(), file(data.path())).await.unwrap();
    assert_eq!(secret(&vault).await.unwrap(), "s3cret");
    assert!(!rekey::next(&path).exists());
    assert_ne!(std::fs::read(&path).unwrap(), old);
}

#[tokio::test]
async fn a_damaged_credential_stops_a_change_of_keys_before_it_begins() {
    let (data, vault) = filled(file).await;
    vault.add(&name("other"), "{}", &value("x")).await.unwrap();
    sqlx::query("UPDATE credentials SET document = '{ }' WHERE name = 'other'")
        .execute(&vault.pool)
        .await
        .unwrap();
    let before = std::fs::read(data.path().join("master.key")).unwrap();
    assert!(matches!(
        vault.rekey(None).await,
        Err(VaultError::Damaged(_))
    ));
    assert_eq!(
        before,
        std::fs::read(data.path().join("master.key")).unwrap()
    );
    let again = Vault::open(data.path(), file(data.path())).await.unwrap();
    assert_eq!(secret(&again).await.unwrap(), "s3cret");
}

#[tokio::test]
async fn every_change_is_counted_and_announced() {
    let (data, vault) = filled(file).await;
    let announced = changes_file(data.path());
    let mode = announced.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut before = vault.changes().await.unwrap();
    let after = async |before: &mut u64| {
        assert!(announced.exists());
        std::fs::remove_file(&announced).unwrap();
        let now = vault.changes().await.unwrap();
        assert!(now > *before);
        *before = now;
    };
    vault
        .rotate(&name("github"), None, &value("new"))
        .await
        .unwrap();
    after(&mut before).await;
    vault.revoke(&name("github")).await.unwrap();
    after(&mut before).await;
}

#[tokio::test]
async fn a_turn_is_one_processes_at_a_time() {
    let (data, vault) = filled(file).await;
    let other = Vault::open(data.path(), file(data.path())).await.unwrap();
    let turn = vault.turn().await.unwrap();
    let waiting = tokio::time::timeout(std::time::Duration::from_millis(50), other.turn());
    assert!(waiting.await.is_err());
    drop(turn);
    other.turn().await.unwrap();
}
