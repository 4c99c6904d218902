use jiff::SignedDuration;
use tempfile::{TempDir, tempdir};

use super::*;
use crate::seal::KeySource;

async fn vault() -> (TempDir, Vault) {
    let data = tempdir().unwrap();
    let source = KeySource::File(data.path().join("master.key"));
    let vault = Vault::open(data.path(), source).await.unwrap();
    (data, vault)
}

fn token(octet: u8, sandbox: SandboxId, issued: Timestamp) -> TokenRecord {
    TokenRecord {
        id: TokenId::new(),
        digest: [octet; 32],
        sandbox,
        run: RunId::new(),
        agent: "coder".parse().unwrap(),
        scope: vec!["github".parse().unwrap(), "crm".parse().unwrap()],
        // As the database keeps times.
        issued: Timestamp::from_microsecond(issued.as_microsecond()).unwrap(),
        expires: Timestamp::from_microsecond(
            (issued + SignedDuration::from_hours(1)).as_microsecond(),
        )
        .unwrap(),
        revoked: None,
    }
}

#[tokio::test]
async fn tokens_are_told_apart_by_sandbox_and_found_by_digest() {
    let (data, vault) = vault().await;
    let (ours, theirs) = (SandboxId::new(), SandboxId::new());
    let now = Timestamp::now();
    let kept = [token(1, ours, now), token(2, theirs, now)];
    vault.keep_tokens(&kept).await.unwrap();
    assert_eq!(vault.tokens(Some(ours)).await.unwrap(), kept[..1]);
    assert_eq!(vault.tokens(None).await.unwrap().len(), 2);
    let owner = vault.token_owner([2; 32]).await.unwrap();
    assert_eq!(owner.map(|owner| owner.sandbox), Some(theirs));
    assert_eq!(vault.token_owner([3; 32]).await.unwrap(), None);
    // No key is needed for any of this.
    assert!(!data.path().join("master.key").exists());
}

#[tokio::test]
async fn a_token_ends_by_revocation_with_its_run_or_by_itself() {
    let (_data, vault) = vault().await;
    let (ours, theirs) = (SandboxId::new(), SandboxId::new());
    let now = Timestamp::now();
    let kept = [
        token(1, ours, now),
        token(2, ours, now),
        token(3, theirs, now),
    ];
    vault.keep_tokens(&kept).await.unwrap();
    assert!(kept[0].is_valid(now));
    assert!(!kept[0].is_valid(kept[0].expires));
    assert!(vault.revoke_token(kept[0].id).await.unwrap());
    assert!(!vault.revoke_token(kept[0].id).await.unwrap());
    assert!(!vault.revoke_token(TokenId::new()).await.unwrap());
    assert_eq!(vault.end_tokens(ours).await.unwrap(), 1);
    let valid = vault.tokens(None).await.unwrap();
    let valid: Vec<_> = valid.iter().filter(|token| token.is_valid(now)).collect();
    assert_eq!(valid, [&kept[2]]);
}

#[tokio::test]
async fn tokens_that_ended_long_ago_are_forgotten() {
    let (_data, vault) = vault().await;
    let long_ago = Timestamp::now() - SignedDuration::from_hours(24 * 60);
    let sandbox = SandboxId::new();
    vault
        .keep_tokens(&[token(1, sandbox, long_ago)])
        .await
        .unwrap();
    assert_eq!(vault.tokens(None).await.unwrap().len(), 1);
    vault
        .keep_tokens(&[token(2, sandbox, Timestamp::now())])
        .await
        .unwrap();
    assert_eq!(vault.tokens(None).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_token_is_kept_once() {
    let (_data, vault) = vault().await;
    let now = Timestamp::now();
    let twice = [
        token(1, SandboxId::new(), now),
        token(1, SandboxId::new(), now),
    ];
    assert!(vault.keep_tokens(&twice).await.is_err());
    assert!(vault.tokens(None).await.unwrap().is_empty());
}
