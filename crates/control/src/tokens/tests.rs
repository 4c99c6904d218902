use ringfence_gateway::TOKEN_OCTETS;
use ringfence_store::KeySource;

use super::*;

fn holder() -> Holder {
    Holder {
        sandbox: SandboxId::new(),
        run: RunId::new(),
        agent: "coder".parse().unwrap(),
    }
}

#[test]
fn a_token_has_the_shape_that_the_gateway_looks_for() {
    let now = Timestamp::now();
    let first = issue(&holder(), vec!["github".parse().unwrap()], now).unwrap();
    let text = std::str::from_utf8(first.secret.expose()).unwrap();
    assert!(text.starts_with("rf_"));
    assert_eq!(text.len(), TOKEN_OCTETS);
    let rest = text.strip_prefix(TOKEN_PREFIX).unwrap();
    assert_eq!(URL_SAFE_NO_PAD.decode(rest).unwrap().len(), OCTETS);
    assert!(first.record.expires > now);
    let second = issue(&holder(), Vec::new(), now).unwrap();
    assert_ne!(first.secret, second.secret);
    assert!(!format!("{first:?}").contains(rest));
}

#[tokio::test]
async fn a_token_is_known_by_its_digest_alone() {
    let data = tempfile::tempdir().unwrap();
    let source = KeySource::File(data.path().join("master.key"));
    let vault = Vault::open(data.path(), source).await.unwrap();
    let holder = holder();
    let issued = issue(&holder, vec!["github".parse().unwrap()], Timestamp::now()).unwrap();
    vault
        .keep_tokens(std::slice::from_ref(&issued.record))
        .await
        .unwrap();
    let found = owner(&vault, issued.secret.expose())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.sandbox, holder.sandbox);
    assert_eq!(found.id, issued.record.id);
    assert!(owner(&vault, b"rf_invented").await.unwrap().is_none());
    for name in ["store.db", "store.db-wal"] {
        let octets = std::fs::read(data.path().join(name)).unwrap();
        let needle = issued.secret.expose();
        assert!(
            !octets.windows(needle.len()).any(|found| found == needle),
            "{name}"
        );
    }
}
