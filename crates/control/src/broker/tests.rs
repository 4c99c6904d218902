use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use ringfence_gateway::{Config, Injection};
use ringfence_model::{Destination, RunId, Scheme, Secret};
use ringfence_store::{KeySource, VaultError};
use tempfile::{TempDir, tempdir};
use tokio::task::JoinSet;

use super::*;
use crate::credential::{Kind, Secrets};
use crate::credentials::{self, NewCredential, Origin};
use crate::keys::KeyConfig;
use crate::limits::ROTATION_GRACE;
use crate::source::{SourceConfig, Sources};
use crate::tokens::Holder;

fn broker(data: &Path, variable: Option<&str>) -> Broker {
    Broker::new(reach(data, variable))
}

fn reach(data: &Path, variable: Option<&str>) -> Reach {
    Reach {
        data: data.to_owned(),
        keys: KeyConfig::default(),
        variable: variable.map(Secret::new),
        config: Config::default(),
        sources: Sources::default(),
    }
}

/// Another process: a vault of its own over the same files.
async fn person(data: &Path) -> Vault {
    let source = KeySource::File(data.join("master.key"));
    Vault::open(data, source).await.unwrap()
}

fn name(text: &str) -> CredentialName {
    text.parse().unwrap()
}

fn secret(text: &str) -> Origin {
    Origin::Sealed(Secrets::read(Kind::Bearer, &Secret::new(text)).unwrap())
}

async fn add(vault: &Vault, host: &str, origin: Origin) {
    let new = NewCredential {
        name: name("acme"),
        kind: Kind::Bearer,
        binding: Binding::parse(host, Some("/v1"), Scheme::Https).unwrap(),
        settings: BTreeMap::new(),
        origin,
    };
    credentials::add(vault, new).await.unwrap();
}

async fn rotate(vault: &Vault, text: &str) {
    credentials::rotate(vault, &name("acme"), BTreeMap::new(), secret(text))
        .await
        .unwrap();
}

async fn filled() -> (TempDir, Vault, Broker) {
    let data = tempdir().unwrap();
    let vault = person(data.path()).await;
    add(&vault, "api.acme.test", secret("s3cret")).await;
    let broker = broker(data.path(), None);
    (data, vault, broker)
}

async fn ask(broker: &Broker, to: &str, path: &str) -> Result<Arc<Material>, CredentialError> {
    let destination: Destination = to.parse().unwrap();
    let need = Need {
        name: &name("acme"),
        destination: &destination,
        scheme: Scheme::Https,
        path,
    };
    broker.material(need).await
}

async fn sent(broker: &Broker) -> Result<String, CredentialError> {
    let material = ask(broker, "api.acme.test:443", "/v1/items").await?;
    match material.injections.as_slice() {
        [Injection::Header { value, .. }] => {
            Ok(String::from_utf8(value.expose().to_vec()).unwrap())
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_credential_goes_where_it_is_bound_to_and_nowhere_else() {
    let (_data, _vault, broker) = filled().await;
    assert_eq!(sent(&broker).await.unwrap(), "Bearer s3cret");
    for (to, path) in [
        ("evil.test:443", "/v1/items"),
        ("api.acme.test:8443", "/v1/items"),
        ("api.acme.test:443", "/v2/items"),
        ("192.0.2.1:443", "/v1/items"),
    ] {
        let refused = ask(&broker, to, path).await;
        assert!(
            matches!(refused, Err(CredentialError::NotFor { .. })),
            "{to}"
        );
    }
}

#[tokio::test]
async fn a_name_that_is_not_there_is_unknown() {
    let data = tempdir().unwrap();
    let broker = broker(data.path(), None);
    let refused = ask(&broker, "api.acme.test:443", "/v1").await;
    assert_eq!(refused.unwrap_err(), CredentialError::Unknown(name("acme")));
}

#[tokio::test]
async fn what_another_process_rotates_and_revokes_counts_at_the_next_look() {
    let (_data, vault, broker) = filled().await;
    let old = ask(&broker, "api.acme.test:443", "/v1").await.unwrap();
    let mut changes = broker.changes();
    changes.mark_unchanged();
    broker.refresh().await;
    assert!(!changes.has_changed().unwrap());
    assert!(broker.is_current(&old));

    rotate(&vault, "n3w").await;
    broker.refresh().await;
    assert!(changes.has_changed().unwrap());
    assert_eq!(sent(&broker).await.unwrap(), "Bearer n3w");

    let new = ask(&broker, "api.acme.test:443", "/v1").await.unwrap();
    changes.mark_unchanged();
    vault.revoke(&name("acme")).await.unwrap();
    broker.refresh().await;
    assert!(changes.has_changed().unwrap());
    assert!(!broker.is_current(&new));
    assert_eq!(
        sent(&broker).await,
        Err(CredentialError::Unknown(name("acme")))
    );
}

#[tokio::test]
async fn what_was_sent_before_a_rotation_may_come_to_its_end_for_a_while() {
    let (_data, vault, broker) = filled().await;
    let first = ask(&broker, "api.acme.test:443", "/v1").await.unwrap();
    rotate(&vault, "second").await;
    broker.refresh().await;
    let second = ask(&broker, "api.acme.test:443", "/v1").await.unwrap();
    rotate(&vault, "third").await;
    broker.refresh().await;
    assert!(broker.is_current(&first) && broker.is_current(&second));

    let mut changes = broker.changes();
    changes.mark_unchanged();
    tokio::time::pause();
    tokio::time::advance(ROTATION_GRACE).await;
    tokio::time::resume();
    assert!(!broker.is_current(&first) && !broker.is_current(&second));
    broker.refresh().await;
    assert!(changes.has_changed().unwrap(), "what is under way is told");
    changes.mark_unchanged();
    broker.refresh().await;
    assert!(!changes.has_changed().unwrap());
}

#[tokio::test]
async fn a_name_that_was_revoked_and_added_again_does_not_go_on_with_what_was_revoked() {
    let (_data, vault, broker) = filled().await;
    let old = ask(&broker, "api.acme.test:443", "/v1").await.unwrap();
    vault.revoke(&name("acme")).await.unwrap();
    add(&vault, "api.acme.test", secret("n3w")).await;
    broker.refresh().await;
    assert!(!broker.is_current(&old));
    assert_eq!(sent(&broker).await.unwrap(), "Bearer n3w");
}

#[tokio::test]
async fn what_is_newer_than_the_last_look_is_current() {
    let (_data, vault, broker) = filled().await;
    broker.open().await.unwrap();
    rotate(&vault, "n3w").await;
    // The vault is asked for the secret after the rotation, and before it was looked at again.
    let material = ask(&broker, "api.acme.test:443", "/v1").await.unwrap();
    assert_eq!(material.version, 2);
    assert!(broker.is_current(&material));
    broker.refresh().await;
    assert!(broker.is_current(&material));
}

#[tokio::test]
async fn requests_during_rotations_all_get_the_old_secret_or_a_new_one() {
    let (_data, vault, broker) = filled().await;
    let mut requests = JoinSet::new();
    for number in 0..200 {
        let broker = broker.clone();
        requests.spawn(async move {
            if number % 20 == 0 {
                broker.refresh().await;
            }
            sent(&broker).await
        });
        if number % 50 == 0 {
            rotate(&vault, &format!("s3cret-{number}")).await;
        }
    }
    for sent in requests.join_all().await {
        assert!(sent.unwrap().starts_with("Bearer s3cret"));
    }
    broker.refresh().await;
    assert_eq!(sent(&broker).await.unwrap(), "Bearer s3cret-150");
}

/// A script that says that it was started and answers once it may.
fn slow_source(data: &Path) -> String {
    let script = data.join("source.sh");
    let text = "#!/bin/sh\ncd \"${0%/*}\" && mkfifo go && : > started && cat go && echo old\n";
    std::fs::write(&script, text).unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(&script, executable).unwrap();
    script.display().to_string()
}

#[tokio::test]
async fn a_request_that_waits_while_the_credential_is_rotated_gets_the_new_secret() {
    let data = tempdir().unwrap();
    let script = slow_source(data.path());
    let vault = person(data.path()).await;
    let source = format!("command:{script}").parse().unwrap();
    add(&vault, "api.acme.test", Origin::Source(source)).await;
    let allowed = SourceConfig {
        commands: vec![vec![script]],
        ..SourceConfig::default()
    };
    let broker = Broker::new(Reach {
        sources: Sources::new(allowed, None),
        ..reach(data.path(), None)
    });
    let mut asking = JoinSet::new();
    let asker = broker.clone();
    asking.spawn(async move { sent(&asker).await });
    while !data.path().join("started").exists() {
        tokio::task::yield_now().await;
    }
    rotate(&vault, "n3w").await;
    broker.refresh().await;
    std::fs::write(data.path().join("go"), "").unwrap();
    let sent = asking.join_next().await.unwrap().unwrap();
    assert_eq!(sent.unwrap(), "Bearer n3w");
}

#[tokio::test]
async fn a_wrong_master_key_gives_out_nothing_and_says_so() {
    let (data, vault, _) = filled().await;
    let other = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let broker = broker(data.path(), Some(other));
    assert!(matches!(
        broker.open().await,
        Err(OpenError::Vault(VaultError::KeyWrong { .. }))
    ));
    let error = sent(&broker).await.unwrap_err().to_string();
    assert!(error.contains("RINGFENCE_MASTER_KEY"), "{error}");
    assert!(vault.opened(&name("acme")).await.is_ok());
}

/// What another process does to the master key while the broker has it open.
async fn changed(keys: KeyConfig, variable: bool) -> (TempDir, Broker) {
    let data = tempdir().unwrap();
    let vault = person(data.path()).await;
    add(&vault, "api.acme.test", secret("s3cret")).await;
    let file = data.path().join("master.key");
    let key = std::fs::read(&file).unwrap();
    std::fs::write(data.path().join("printed"), &key).unwrap();
    let printed = data.path().join("printed").display().to_string();
    let mut keys = keys;
    keys.master_key_command
        .extend((!variable).then_some(printed));
    let broker = Broker::new(Reach {
        keys,
        variable: variable.then(|| Secret::new(key)),
        ..reach(data.path(), None)
    });
    assert_eq!(sent(&broker).await.unwrap(), "Bearer s3cret");
    vault.rekey(None).await.unwrap();
    // What was made ready before goes on: it is still the secret.
    broker.refresh().await;
    assert_eq!(sent(&broker).await.unwrap(), "Bearer s3cret");
    rotate(&vault, "n3w").await;
    broker.refresh().await;
    (data, broker)
}

#[tokio::test]
async fn a_master_key_of_the_environment_that_was_changed_opens_nothing_more_and_says_so() {
    let (_data, broker) = changed(KeyConfig::default(), true).await;
    let error = sent(&broker).await.unwrap_err().to_string();
    assert!(
        error.contains("RINGFENCE_MASTER_KEY; start it again"),
        "{error}"
    );
}

#[tokio::test]
async fn a_command_is_asked_for_the_master_key_again_after_it_was_changed() {
    let keys = KeyConfig {
        master_key_command: vec!["/bin/cat".to_owned()],
        ..KeyConfig::default()
    };
    let (data, broker) = changed(keys, false).await;
    // It still prints the old one.
    let error = sent(&broker).await.unwrap_err().to_string();
    assert!(error.contains("master_key_command"), "{error}");
    let key = std::fs::read(data.path().join("master.key")).unwrap();
    std::fs::write(data.path().join("printed"), key).unwrap();
    tokio::time::sleep(FIRST_PAUSE).await;
    assert_eq!(sent(&broker).await.unwrap(), "Bearer n3w");
}

#[tokio::test]
async fn a_store_that_fails_gives_out_nothing() {
    let (_data, _vault, broker) = filled().await;
    let material = ask(&broker, "api.acme.test:443", "/v1").await.unwrap();
    let mut changes = broker.changes();
    changes.mark_unchanged();
    broker.open().await.unwrap().close().await;
    broker.refresh().await;
    assert!(matches!(
        sent(&broker).await,
        Err(CredentialError::Unavailable { .. })
    ));
    assert!(!broker.is_current(&material));
    assert!(changes.has_changed().unwrap());
}

#[tokio::test]
async fn tokens_of_a_sandbox_follow_the_vault() {
    let (_data, vault, broker) = filled().await;
    let holder = |sandbox| Holder {
        sandbox,
        run: RunId::new(),
        agent: "coder".parse().unwrap(),
    };
    let (ours, theirs) = (SandboxId::new(), SandboxId::new());
    let now = Timestamp::now();
    let issue = |sandbox| tokens::issue(&holder(sandbox), vec![name("acme")], now).unwrap();
    let (mine, other) = (issue(ours), issue(theirs));
    vault
        .keep_tokens(&[mine.record.clone(), other.record.clone()])
        .await
        .unwrap();
    let held = Arc::new(Tokens::default());
    broker.attach(ours, Arc::clone(&held)).await.unwrap();
    assert!(held.check(mine.secret.expose(), now).is_ok());
    assert!(held.check(other.secret.expose(), now).is_err());
    vault.revoke_token(mine.record.id).await.unwrap();
    broker.refresh().await;
    assert!(held.check(mine.secret.expose(), now).is_err());
}

#[tokio::test]
async fn a_secret_in_a_file_is_read_at_use() {
    let data = tempdir().unwrap();
    let file = data.path().join("acme.secret");
    std::fs::write(&file, "from-a-file\n").unwrap();
    let own = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&file, own).unwrap();
    let vault = person(data.path()).await;
    let source = format!("file:{}", file.display()).parse().unwrap();
    add(&vault, "api.acme.test", Origin::Source(source)).await;
    let broker = broker(data.path(), None);
    assert_eq!(sent(&broker).await.unwrap(), "Bearer from-a-file");
    // After a 401 it is read again: it may be another one by now.
    let material = ask(&broker, "api.acme.test:443", "/v1").await.unwrap();
    assert!(material.minted);
    std::fs::write(&file, "another").unwrap();
    broker.rejected(&material);
    assert_eq!(sent(&broker).await.unwrap(), "Bearer another");
}
