use std::collections::BTreeMap;
use std::sync::LazyLock;

use proptest::prelude::*;
use ringfence_testkit::Workdir;
use ringfence_testkit::issuer::jwt::{Jwt, Verifier};
use ringfence_testkit::issuer::keys::{ClientKey, fingerprint};
use serde_json::Value;

use super::*;

const CLAIMS: Claims<'_> = Claims {
    iss: "app",
    sub: Some("user"),
    aud: Some("https://login.acme.test"),
    scope: None,
};

fn now() -> Timestamp {
    Timestamp::now()
}

fn read(workdir: &Workdir, key: &ClientKey, assertion: &Secret) -> Jwt {
    let verifier = Verifier::new(workdir, &key.public()).unwrap();
    let text = String::from_utf8(assertion.expose().to_vec()).unwrap();
    verifier.read(&text).unwrap()
}

#[test]
fn an_issuer_can_check_every_common_algorithm() {
    let workdir = Workdir::new().unwrap();
    let rsa = ClientKey::rsa(&workdir, "rsa").unwrap();
    let p256 = ClientKey::p256(&workdir, "p256").unwrap();
    for (name, key) in [("RS256", &rsa), ("PS256", &rsa), ("ES256", &p256)] {
        for pem in [key.private_pem.clone(), key.traditional_pem().unwrap()] {
            let algorithm = Algorithm::read(Some(name)).unwrap();
            let signer = Signer::new(algorithm, "private_key", &Secret::new(pem)).unwrap();
            let signer = signer.with_key_id(Some("key-1"));
            // Signatures of ECDSA have leading zeros now and then.
            for _ in 0..if name == "ES256" { 20 } else { 1 } {
                let jwt = read(&workdir, key, &signer.sign(CLAIMS, now()).unwrap());
                assert_eq!(jwt.header["alg"], name);
                assert_eq!(
                    (&jwt.header["typ"], &jwt.header["kid"]),
                    (&"JWT".into(), &"key-1".into())
                );
                assert_eq!((jwt.claim("iss"), jwt.claim("sub")), ("app", "user"));
                assert_eq!(jwt.claims.get("scope"), None);
                assert_eq!(jwt.check_times(180), Ok(()));
            }
        }
    }
}

#[test]
fn the_thumbprint_is_that_of_the_certificate() {
    let workdir = Workdir::new().unwrap();
    let key = ClientKey::rsa(&workdir, "rsa").unwrap();
    let certificate = key.certificate().unwrap();
    let signer = Signer::new(
        Algorithm::PS256,
        "k",
        &Secret::new(key.private_pem.as_str()),
    )
    .unwrap();
    let signer = signer
        .with_certificate("c", &Secret::new(certificate.as_str()))
        .unwrap();
    let jwt = read(&workdir, &key, &signer.sign(CLAIMS, now()).unwrap());
    let thumbprint = jwt.header["x5t#S256"].as_str().unwrap();
    let digest = URL_SAFE_NO_PAD.decode(thumbprint).unwrap();
    let digits: String = digest.iter().map(|octet| format!("{octet:02x}")).collect();
    assert_eq!(digits, fingerprint(workdir.path(), &certificate).unwrap());
}

#[test]
fn what_is_no_key_for_the_algorithm_is_refused_without_repeating_it() {
    let workdir = Workdir::new().unwrap();
    let rsa = ClientKey::rsa(&workdir, "rsa").unwrap();
    let p256 = ClientKey::p256(&workdir, "p256").unwrap();
    let cut = rsa.private_pem.replace("-----END", "-----EN");
    let damaged = rsa.private_pem.replacen("MII", "AAA", 1);
    for (algorithm, pem, expected) in [
        (Algorithm::RS256, p256.private_pem.clone(), "RSA"),
        (Algorithm::ES256, rsa.private_pem.clone(), "P-256"),
        (Algorithm::ES384, p256.private_pem.clone(), "P-384"),
        (Algorithm::RS256, rsa.certificate().unwrap(), "RSA"),
        (Algorithm::RS256, rsa.encrypted_pem().unwrap(), "encrypted"),
        (Algorithm::RS256, cut, "RSA"),
        (Algorithm::RS256, damaged, "RSA"),
        (Algorithm::RS256, "hunter2".to_owned(), "RSA"),
        (
            Algorithm::RS256,
            "-----BEGIN PRIVATE KEY-----\nhunter2!\n-----END PRIVATE KEY-----".to_owned(),
            "RSA",
        ),
    ] {
        let error = Signer::new(algorithm, "private_key", &Secret::new(pem))
            .err()
            .unwrap();
        let shown = format!("{error} {error:?}");
        assert!(
            shown.contains(expected) && shown.contains("private_key"),
            "{shown}"
        );
        assert!(
            !shown.contains("hunter2") && !shown.contains("MII"),
            "{shown}"
        );
    }
    for name in ["none", "HS256", "rs256", "RS256 "] {
        assert!(Algorithm::read(Some(name)).is_err(), "{name}");
    }
}

/// One key for all cases: making one takes longer than they do.
static SIGNER: LazyLock<Signer> = LazyLock::new(|| {
    let workdir = Workdir::new().unwrap();
    let key = ClientKey::p256(&workdir, "property").unwrap();
    Signer::new(
        Algorithm::ES256,
        "k",
        &Secret::new(key.private_pem.as_str()),
    )
    .unwrap()
});

fn claims_of(assertion: &Secret) -> BTreeMap<String, Value> {
    let text = std::str::from_utf8(assertion.expose()).unwrap();
    let claims = text.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}

proptest! {
    #[test]
    fn the_claims_are_those_given_and_the_times_are_around_now(
        iss in "\\PC{1,40}",
        sub in proptest::option::of("\\PC{1,40}"),
        aud in proptest::option::of("\\PC{1,40}"),
        scope in proptest::option::of("\\PC{1,40}"),
        second in 1_000_000_000_i64..4_000_000_000,
    ) {
        let claims = Claims {
            iss: &iss,
            sub: sub.as_deref(),
            aud: aud.as_deref(),
            scope: scope.as_deref(),
        };
        let at = Timestamp::from_second(second).unwrap();
        let first = claims_of(&SIGNER.sign(claims, at).unwrap());
        let text = |name: &str| first.get(name).map(|value| value.as_str().unwrap().to_owned());
        prop_assert_eq!(text("iss"), Some(iss.clone()));
        prop_assert_eq!(text("sub"), sub.clone());
        prop_assert_eq!(text("aud"), aud.clone());
        prop_assert_eq!(text("scope"), scope.clone());
        let number = |name: &str| first[name].as_i64().unwrap();
        prop_assert!(number("iat") <= second && number("nbf") <= second);
        prop_assert!(number("exp") > second && number("exp") <= second + 180);
        prop_assert!(number("exp") - number("iat") <= 600);
        let again = claims_of(&SIGNER.sign(claims, at).unwrap());
        prop_assert_ne!(&again["jti"], &first["jti"]);
        let known = ["iss", "sub", "aud", "scope", "iat", "nbf", "exp", "jti"];
        prop_assert!(first.keys().all(|name| known.contains(&name.as_str())));
    }
}
