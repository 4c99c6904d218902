//! Microsoft Entra ID.

use ringfence_testkit::issuer::entra::{self, Entra};
use ringfence_testkit::issuer::keys::fingerprint;
use ringfence_testkit::issuer::{CLIENT_ID, CLIENT_SECRET};

use super::*;

fn application(secrets: &[(&str, &str)]) -> (Definition, Secrets) {
    let settings = [
        ("tenant", entra::TENANT),
        ("client_id", CLIENT_ID),
        ("scope", "https://management.azure.com/.default"),
    ];
    credential(Kind::AzureEntra, entra::MANAGEMENT, &settings, secrets)
}

#[tokio::test]
async fn an_application_proves_itself_by_secret_or_by_certificate() {
    let mut world = World::new();
    let server = Entra::start(&world.workdir, &world.ca).unwrap();
    world.lead(&[entra::LOGIN], server.https());
    let given = application(&[("client_secret", CLIENT_SECRET)]);
    let minted = world.mint(&given).await.unwrap();
    assert!(server.accepts(&token(&minted, &given.1)));
    assert!((3590..=3599).contains(&life(&minted, Timestamp::now)));

    let key = world.rsa();
    let certificate = key.certificate().unwrap();
    let digits = fingerprint(world.workdir.path(), &certificate).unwrap();
    server.require_certificate(world.verifier(&key), &base64url(&digits));
    let error = world.mint(&given).await.unwrap_err();
    let expected = "invalid_client: AADSTS7000215: Invalid client secret provided.";
    assert_eq!(error, MintError::Refused(expected.to_owned()));
    let given = application(&[
        ("private_key", &key.private_pem),
        ("certificate", &certificate),
    ]);
    let minted = world.mint(&given).await.unwrap();
    assert!(server.accepts(&token(&minted, &given.1)));
    let minted = world.mint_at(&given, ahead).await.unwrap();
    assert!(server.accepts(&token(&minted, &given.1)));
}

fn base64url(digits: &str) -> String {
    use base64::Engine;
    let pairs = digits.as_bytes().chunks(2);
    let octets: Vec<u8> = pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(octets)
}

#[test]
fn an_application_needs_exactly_one_proof_and_one_resource() {
    let half = application(&[("private_key", "x")]);
    let both = application(&[
        ("client_secret", "x"),
        ("private_key", "x"),
        ("certificate", "x"),
    ]);
    for (definition, secrets) in [application(&[]), half, both] {
        assert!(check(&definition, &secrets).is_err());
    }
    for (name, value) in [
        ("tenant", "../common"),
        ("tenant", "a/b"),
        ("tenant", ".."),
        ("scope", "https://a.test/read"),
        ("scope", "https://a.test/.default https://b.test/.default"),
        ("authority", "http://a.test"),
    ] {
        let (mut definition, secrets) = application(&[("client_secret", "x")]);
        assert_eq!(check(&definition, &secrets), Ok(()));
        definition
            .settings
            .insert(name.to_owned(), value.to_owned());
        assert!(check(&definition, &secrets).is_err(), "{name}={value}");
    }
}
