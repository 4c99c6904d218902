//! AWS STS.

use ringfence_testkit::issuer::aws::AwsKey;
use ringfence_testkit::issuer::aws::sts::{EXTERNAL_ID, ROLE, Sts};

use super::*;

const SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYcanarykey0";

fn role(settings: &[(&str, &str)]) -> (Definition, Secrets) {
    let mut all = vec![
        ("access_key", "AKIDBASE"),
        ("region", "eu-central-1"),
        ("service", "s3"),
        ("role_arn", ROLE),
        ("external_id", EXTERNAL_ID),
    ];
    all.retain(|(name, _)| !settings.iter().any(|(other, _)| other == name));
    all.extend(settings);
    let secrets = [("secret_key", SECRET_KEY)];
    credential(Kind::AwsAssumeRole, "s3.acme.test", &all, &secrets)
}

impl World {
    fn sts(&mut self) -> Sts {
        let key = AwsKey {
            access_key: "AKIDBASE".to_owned(),
            secret_key: SECRET_KEY.to_owned(),
            session_token: None,
            region: "eu-central-1".to_owned(),
            service: "sts".to_owned(),
        };
        let name = "sts.eu-central-1.amazonaws.com";
        let server = Sts::start(&self.workdir, &self.ca, name, key).unwrap();
        self.lead(&[name], server.https());
        server
    }
}

#[tokio::test]
async fn a_role_gives_keys_for_a_time_and_the_sealed_ones_go_nowhere() {
    let mut world = World::new();
    let server = world.sts();
    let given = role(&[("duration", "900")]);
    let minted = world.mint(&given).await.unwrap();
    assert!((895..=900).contains(&life(&minted, Timestamp::now)));
    let issued = server.issued().pop().unwrap();
    let [Injection::SigV4(keys)] = minted.material.injections.as_slice() else {
        panic!("{:?}", minted.material);
    };
    assert_eq!(keys.access_key, issued.access_key);
    assert_eq!(keys.secret_key, Secret::new(issued.secret_key));
    assert_eq!(keys.session_token, issued.session_token.map(Secret::new));
    assert_eq!(
        (keys.region.as_str(), keys.service.as_str()),
        ("eu-central-1", "s3")
    );
    for secret in [
        Some(&keys.secret_key),
        keys.session_token.as_ref(),
        given.1.get("secret_key"),
    ] {
        assert!(minted.material.secrets.contains(secret.unwrap()));
    }
    assert!(minted.material.minted && minted.material.value.is_none());
    let asked = format!("{:?}", server.requests());
    assert!(!asked.contains(SECRET_KEY));
}

#[tokio::test]
async fn a_refusal_is_explained_and_tells_nothing() {
    let mut world = World::new();
    let _server = world.sts();
    let error = world
        .mint(&role(&[("external_id", "other")]))
        .await
        .unwrap_err();
    let expected = format!("AccessDenied: AKIDBASE may not take on {ROLE}");
    assert_eq!(error, MintError::Refused(expected));
    let (definition, mut secrets) = role(&[]);
    secrets.set("secret_key", Secret::new("another-canary-key"));
    let error = world.mint(&(definition, secrets)).await.unwrap_err();
    let MintError::Refused(words) = error else {
        panic!("{error:?}");
    };
    assert!(words.starts_with("SignatureDoesNotMatch"), "{words}");
}

#[tokio::test]
async fn settings_that_aws_would_not_take_are_refused_before_anything_is_sent() {
    let world = World::new();
    for setting in [
        ("duration", "899"),
        ("duration", "+900"),
        ("role_arn", "agents"),
        ("region", "eu.evil.test/"),
        ("session_name", "a b"),
        ("sts_url", "http://sts.acme.test"),
    ] {
        let error = world.mint(&role(&[setting])).await.unwrap_err();
        assert!(
            matches!(error, MintError::Settings(_)),
            "{setting:?}: {error}"
        );
        assert!(error.to_string().contains(setting.0), "{error}");
    }
}
