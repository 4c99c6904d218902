use std::path::Path;

use tempfile::{TempDir, tempdir};

use super::*;
use crate::limits::SEALED_OCTETS;
use crate::seal::KeySource;

fn name(text: &str) -> CredentialName {
    text.parse().unwrap()
}

fn fields(fields: &[(&str, &str)]) -> Vec<(String, Secret)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), Secret::new(*value));
    fields.iter().map(owned).collect()
}

async fn vault() -> (TempDir, Vault) {
    let data = tempdir().unwrap();
    let vault = open(data.path()).await;
    (data, vault)
}

async fn open(data: &Path) -> Vault {
    let source = KeySource::File(data.join("master.key"));
    Vault::open(data, source).await.unwrap()
}

async fn change(vault: &Vault, statement: &'static str) {
    let done = sqlx::query(statement).execute(&vault.pool).await.unwrap();
    assert!(done.rows_affected() > 0, "{statement}");
}

#[tokio::test]
async fn what_was_added_is_there_with_all_its_fields() {
    let (data, vault) = vault().await;
    let secrets = fields(&[("certificate", "c"), ("private_key", "k\n\0\u{ff}")]);
    let added = vault
        .add(&name("mtls"), "{\"a\":1}", &secrets)
        .await
        .unwrap();
    assert_eq!((added.version, added.revision), (1, 1));
    vault.close().await;
    let vault = open(data.path()).await;
    let opened = vault.opened(&name("mtls")).await.unwrap();
    assert_eq!(opened.record, added);
    assert_eq!(opened.record.document, "{\"a\":1}");
    assert_eq!(opened.secrets, secrets);
}

#[tokio::test]
async fn a_name_is_taken_until_it_is_revoked() {
    let (_data, vault) = vault().await;
    let github = name("github");
    vault
        .add(&github, "{}", &fields(&[("value", "1")]))
        .await
        .unwrap();
    let again = vault.add(&github, "{}", &fields(&[("value", "2")])).await;
    assert!(matches!(again, Err(VaultError::Exists(_))));
    vault
        .rotate(&github, None, &fields(&[("value", "3")]))
        .await
        .unwrap();
    vault.revoke(&github).await.unwrap();
    assert!(matches!(
        vault.opened(&github).await,
        Err(VaultError::Revoked(_))
    ));
    let rotated = vault.rotate(&github, None, &[]).await;
    assert!(matches!(rotated, Err(VaultError::Revoked(_))));
    let listed = vault.credential(&github).await.unwrap();
    assert!(listed.revoked.is_some());
    // What was used under the name before never looks like what is used now.
    let added = vault
        .add(&github, "{}", &fields(&[("value", "4")]))
        .await
        .unwrap();
    assert_eq!(added.version, 3);
    assert_eq!(vault.credentials().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_revoked_secret_is_gone() {
    let (_data, vault) = vault().await;
    let github = name("github");
    vault
        .add(&github, "{}", &fields(&[("value", "1")]))
        .await
        .unwrap();
    vault.revoke(&github).await.unwrap();
    let left: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM credential_secrets")
        .fetch_one(&vault.pool)
        .await
        .unwrap();
    assert_eq!(left, 0);
    change(&vault, "UPDATE credentials SET revoked = NULL").await;
    assert!(matches!(
        vault.opened(&github).await,
        Err(VaultError::Damaged(_))
    ));
}

#[tokio::test]
async fn a_rotation_replaces_every_field_and_keeps_the_rest() {
    let (_data, vault) = vault().await;
    let github = name("github");
    let both = fields(&[("refresh_token", "1"), ("client_secret", "2")]);
    let added = vault.add(&github, "{}", &both).await.unwrap();
    let new = fields(&[("refresh_token", "3")]);
    let rotated = vault
        .rotate(&github, Some("{\"b\":2}"), &new)
        .await
        .unwrap();
    assert_eq!(rotated.version, 2);
    assert!(rotated.rotated.is_some());
    assert_eq!(rotated.created, added.created);
    let opened = vault.opened(&github).await.unwrap();
    assert_eq!(opened.secrets, new);
    assert_eq!(opened.record.document, "{\"b\":2}");
}

#[tokio::test]
async fn what_an_issuer_replaced_is_kept_unless_a_person_was_faster() {
    let (_data, vault) = vault().await;
    let name = name("crm");
    let seen = vault
        .add(&name, "{}", &fields(&[("refresh_token", "1")]))
        .await
        .unwrap();
    let changes = vault.changes().await.unwrap();
    let second = fields(&[("refresh_token", "2")]);
    assert!(vault.replace(&seen, &second).await.unwrap());
    assert_eq!(vault.opened(&name).await.unwrap().secrets, second);
    assert_eq!(
        vault.opened(&name).await.unwrap().record.version,
        seen.version
    );
    assert_eq!(vault.changes().await.unwrap(), changes);
    let late = fields(&[("refresh_token", "late")]);
    assert!(!vault.replace(&seen, &late).await.unwrap());
    assert_eq!(vault.opened(&name).await.unwrap().secrets, second);
}

/// Who can write the database and has no key can break credentials, and not change what they do.
#[tokio::test]
async fn whatever_is_changed_in_the_database_does_not_open() {
    for statement in [
        "UPDATE credentials SET document = '{\"host\":\"evil.test\"}' WHERE name = 'a'",
        "UPDATE credentials SET version = 7 WHERE name = 'a'",
        "UPDATE credentials SET revision = 7 WHERE name = 'a'",
        "UPDATE credentials SET name = 'c' WHERE name = 'b'",
        "UPDATE credentials SET data_key = (SELECT data_key FROM credentials WHERE name = 'b')
         WHERE name = 'a'",
        "UPDATE credentials SET data_key = substr(data_key, 1, 40) WHERE name = 'a'",
        "UPDATE credentials SET data_key = '' WHERE name = 'a'",
        // A field of one record in another, and one field in the place of another.
        "UPDATE credential_secrets SET sealed =
            (SELECT sealed FROM credential_secrets WHERE field = 'other')
         WHERE field = 'value'",
        "UPDATE credential_secrets SET sealed =
            (SELECT s.sealed FROM credential_secrets s JOIN credentials c ON c.id = s.credential
             WHERE c.name = 'b' AND s.field = 'value')
         WHERE field = 'value'",
        "UPDATE credential_secrets SET field = 'renamed' WHERE field = 'other'",
    ] {
        let (_data, vault) = vault().await;
        for (name_, value) in [("a", "1"), ("b", "2")] {
            let secrets = fields(&[("other", "x"), ("value", value)]);
            vault.add(&name(name_), "{}", &secrets).await.unwrap();
        }
        change(&vault, statement).await;
        let is_damaged = |opened: Result<OpenedCredential, VaultError>| {
            matches!(opened, Err(VaultError::Damaged(_)))
        };
        let renamed = vault.opened(&name("c")).await;
        let damaged = is_damaged(vault.opened(&name("a")).await) || is_damaged(renamed);
        assert!(damaged, "{statement}");
    }
}

#[tokio::test]
async fn a_damaged_credential_is_made_good_by_a_rotation() {
    let (_data, vault) = vault().await;
    let a = name("a");
    vault
        .add(&a, "{}", &fields(&[("value", "1")]))
        .await
        .unwrap();
    change(&vault, "UPDATE credential_secrets SET sealed = 'AAAA'").await;
    let opened = vault.opened(&a).await.unwrap_err();
    assert!(opened.to_string().contains("rotate it"), "{opened}");
    vault
        .rotate(&a, None, &fields(&[("value", "2")]))
        .await
        .unwrap();
    assert_eq!(
        vault.opened(&a).await.unwrap().secrets,
        fields(&[("value", "2")])
    );
}

#[tokio::test]
async fn no_secret_is_in_any_file_or_message() {
    const CANARY: &str = "canary-6b1f0d2c-do-not-print";
    let (data, vault) = vault().await;
    let a = name("a");
    for round in 0..20 {
        let secrets = fields(&[("value", CANARY)]);
        if round == 0 {
            vault.add(&a, "{}", &secrets).await.unwrap();
        } else {
            vault.rotate(&a, None, &secrets).await.unwrap();
        }
    }
    let opened = vault.opened(&a).await.unwrap();
    assert!(!format!("{opened:?} {vault:?}").contains(CANARY));
    change(&vault, "UPDATE credential_secrets SET sealed = 'AAAA'").await;
    let error = vault.opened(&a).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains(CANARY));
    let key = std::fs::read(data.path().join("master.key")).unwrap();
    let mut looked_at = 0;
    for entry in std::fs::read_dir(data.path()).unwrap() {
        let path = entry.unwrap().path();
        let octets = std::fs::read(&path).unwrap_or_default();
        let holds = |needle: &[u8]| octets.windows(needle.len()).any(|found| found == needle);
        assert!(!holds(CANARY.as_bytes()), "{}", path.display());
        let is_key = path.ends_with("master.key");
        assert_eq!(holds(key.trim_ascii()), is_key, "{}", path.display());
        looked_at += usize::from(octets.len() > 1000);
    }
    assert!(looked_at >= 2, "the database and its write-ahead log");
}

#[tokio::test]
async fn what_is_too_long_or_too_much_is_refused_whole() {
    let (_data, vault) = vault().await;
    let long = fields(&[("value", &"x".repeat(SEALED_OCTETS + 1))]);
    let added = vault.add(&name("a"), "{}", &long).await;
    assert!(matches!(added, Err(VaultError::TooMany(_))));
    assert!(vault.credentials().await.unwrap().is_empty());
}
