use ringfence_model::Scheme;
use ringfence_store::KeySource;
use tempfile::{TempDir, tempdir};

use super::*;

async fn vault() -> (TempDir, Vault) {
    let data = tempdir().unwrap();
    let source = KeySource::File(data.path().join("master.key"));
    let vault = Vault::open(data.path(), source).await.unwrap();
    (data, vault)
}

fn settings(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

fn sealed(kind: Kind, text: &str) -> Origin {
    Origin::Sealed(Secrets::read(kind, &Secret::new(text)).unwrap())
}

fn new(kind: Kind, pairs: &[(&str, &str)], origin: Origin) -> NewCredential {
    NewCredential {
        name: "acme".parse().unwrap(),
        kind,
        binding: Binding::parse("api.acme.test", Some("/v1"), Scheme::Https).unwrap(),
        settings: settings(pairs),
        origin,
    }
}

#[tokio::test]
async fn what_was_added_is_listed_without_its_secret() {
    let (_data, vault) = vault().await;
    let secret = sealed(Kind::Header, "s3cret");
    let added = add(&vault, new(Kind::Header, &[("name", "x-api-key")], secret))
        .await
        .unwrap();
    let listed = list(&vault).await.unwrap();
    let [(record, Ok(definition))] = listed.as_slice() else {
        panic!("{listed:?}");
    };
    assert_eq!(
        definition.binding.to_string(),
        "https://api.acme.test:443/v1"
    );
    assert_eq!(definition.version, added.version);
    assert!(!record.document.contains("s3cret"));
}

#[tokio::test]
async fn what_is_not_complete_is_not_added() {
    let (_data, vault) = vault().await;
    let lacking = [
        new(Kind::Header, &[], sealed(Kind::Header, "s3cret")),
        new(
            Kind::Bearer,
            &[("name", "x")],
            sealed(Kind::Bearer, "s3cret"),
        ),
        new(Kind::Bearer, &[], Origin::Sealed(Secrets::default())),
        new(Kind::Bearer, &[], sealed(Kind::Bearer, "two\nlines")),
        new(Kind::Mtls, &[], sealed(Kind::Mtls, "private_key=k")),
    ];
    for lacking in lacking {
        assert!(add(&vault, lacking).await.is_err());
    }
    assert!(list(&vault).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_rotation_keeps_binding_and_settings_but_those_that_it_names() {
    let (_data, vault) = vault().await;
    let pairs = [
        ("access_key", "AKIA1"),
        ("region", "eu-central-1"),
        ("service", "s3"),
    ];
    let first = new(Kind::AwsSigv4, &pairs, sealed(Kind::AwsSigv4, "k1"));
    let name = first.name.clone();
    let added = add(&vault, first).await.unwrap();
    let changed = settings(&[("access_key", "AKIA2")]);
    let rotated = rotate(&vault, &name, changed, sealed(Kind::AwsSigv4, "k2"))
        .await
        .unwrap();
    assert_eq!(rotated.setting("access_key"), Some("AKIA2"));
    assert_eq!(rotated.setting("region"), Some("eu-central-1"));
    assert_eq!(rotated.binding, added.binding);
    assert_eq!(rotated.version, 2);
    let unknown = settings(&[("color", "red")]);
    let refused = rotate(&vault, &name, unknown, sealed(Kind::AwsSigv4, "k3")).await;
    assert!(matches!(refused, Err(CredentialsError::Settings(_))));
    let opened = vault.opened(&name).await.unwrap();
    assert_eq!(
        opened.secrets,
        [("secret_key".to_owned(), Secret::new("k2"))]
    );
}

#[tokio::test]
async fn a_secret_that_moves_to_a_source_is_in_the_vault_no_more() {
    let (_data, vault) = vault().await;
    let first = new(Kind::Bearer, &[], sealed(Kind::Bearer, "s3cret"));
    let name = first.name.clone();
    add(&vault, first).await.unwrap();
    let source = Origin::Source("file:/run/secrets/acme".parse().unwrap());
    let rotated = rotate(&vault, &name, BTreeMap::new(), source)
        .await
        .unwrap();
    assert!(rotated.source.is_some());
    assert!(vault.opened(&name).await.unwrap().secrets.is_empty());
}
