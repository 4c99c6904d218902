use std::collections::BTreeMap;

use ringfence_model::Scheme;

use super::*;
use crate::credential::Binding;

fn definition(kind: Kind, settings: &[(&str, &str)]) -> Definition {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Definition {
        name: "acme".parse().unwrap(),
        kind,
        binding: Binding::parse("api.acme.test", None, Scheme::Https).unwrap(),
        settings: settings.iter().map(owned).collect::<BTreeMap<_, _>>(),
        source: None,
        version: 3,
        created: "2026-11-22T06:00:00Z".parse().unwrap(),
        rotated: None,
        revoked: None,
    }
}

fn made(kind: Kind, settings: &[(&str, &str)], secrets: &[(&str, &str)]) -> Option<Material> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), Secret::new(*value));
    let secrets = Secrets::named(kind, secrets.iter().map(owned).collect()).unwrap();
    material(&definition(kind, settings), &secrets)
}

/// The one header or parameter that is injected.
fn injected(material: &Material) -> (String, String) {
    match material.injections.as_slice() {
        [Injection::Header { name, value } | Injection::Query { name, value }] => {
            let value = String::from_utf8(value.expose().to_vec()).unwrap();
            (name.clone(), value)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_fixed_value_stands_where_its_kind_says() {
    for (kind, settings, field, name, value) in [
        (
            Kind::Bearer,
            &[][..],
            "value",
            "authorization",
            "Bearer s3cret",
        ),
        (
            Kind::Header,
            &[("name", "X-Api-Key")],
            "value",
            "x-api-key",
            "s3cret",
        ),
        (
            Kind::Header,
            &[("name", "authorization"), ("prefix", "token ")],
            "value",
            "authorization",
            "token s3cret",
        ),
        (
            Kind::Query,
            &[("name", "Api_Key")],
            "value",
            "Api_Key",
            "s3cret",
        ),
        (
            Kind::Basic,
            &[("username", "aladdin")],
            "password",
            "authorization",
            "Basic YWxhZGRpbjpzM2NyZXQ=",
        ),
        (
            Kind::Basic,
            &[],
            "password",
            "authorization",
            "Basic OnMzY3JldA==",
        ),
    ] {
        let material = made(kind, settings, &[(field, "s3cret")]).unwrap();
        assert_eq!(injected(&material), (name.to_owned(), value.to_owned()));
        assert_eq!(material.value, Some(Secret::new("s3cret")));
        assert_eq!(material.version, 3);
        assert!(material.secrets.contains(&Secret::new("s3cret")));
        assert!(!material.minted);
    }
}

#[test]
fn a_password_is_scrubbed_in_the_form_in_which_it_is_sent_as_well() {
    let settings = [("username", "aladdin")];
    let material = made(Kind::Basic, &settings, &[("password", "s3cret")]).unwrap();
    assert!(
        material
            .secrets
            .contains(&Secret::new("YWxhZGRpbjpzM2NyZXQ="))
    );
}

#[test]
fn a_signing_key_signs_and_stands_for_no_token() {
    let settings = [
        ("access_key", "AKIA"),
        ("region", "eu-central-1"),
        ("service", "s3"),
    ];
    let secrets = [("secret_key", "k"), ("session_token", "t")];
    let material = made(Kind::AwsSigv4, &settings, &secrets).unwrap();
    let [Injection::SigV4(sigv4)] = material.injections.as_slice() else {
        panic!("{:?}", material.injections);
    };
    assert_eq!(
        (sigv4.region.as_str(), sigv4.service.as_str()),
        ("eu-central-1", "s3")
    );
    assert_eq!(material.value, None);
    assert_eq!(material.secrets, [Secret::new("k"), Secret::new("t")]);
}

#[test]
fn a_certificate_is_shown_and_its_key_is_scrubbed() {
    let secrets = [("certificate", "chain"), ("private_key", "key")];
    let material = made(Kind::Mtls, &[], &secrets).unwrap();
    let [Injection::Certificate(certificate)] = material.injections.as_slice() else {
        panic!("{:?}", material.injections);
    };
    assert_eq!(certificate.chain, b"chain");
    assert_eq!(material.secrets, [Secret::new("key")]);
}

#[test]
fn nothing_is_made_of_a_part() {
    assert!(made(Kind::Bearer, &[], &[]).is_none());
    assert!(made(Kind::Header, &[], &[("value", "s3cret")]).is_none());
    assert!(made(Kind::Mtls, &[], &[("certificate", "chain")]).is_none());
    assert!(made(Kind::GithubApp, &[], &[("private_key", "key")]).is_none());
}

#[test]
fn nothing_of_a_secret_is_in_the_debug_output() {
    for (kind, settings, secrets) in [
        (Kind::Bearer, &[][..], &[("value", "hunter2")][..]),
        (Kind::Basic, &[], &[("password", "hunter2")]),
        (
            Kind::AwsSigv4,
            &[("access_key", "a"), ("region", "r"), ("service", "s")],
            &[("secret_key", "hunter2")],
        ),
        (
            Kind::Mtls,
            &[],
            &[("certificate", "c"), ("private_key", "hunter2")],
        ),
    ] {
        let shown = format!("{:?}", made(kind, settings, secrets).unwrap());
        assert!(
            !shown.contains("hunter2") && !shown.contains("aHVudGVyMg"),
            "{shown}"
        );
    }
}
