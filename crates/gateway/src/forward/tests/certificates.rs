//! Upstreams whose certificate is not right, and upstreams that ask for one.

use rcgen::CertificateParams;
use ringfence_model::Secret;

use super::upstream::{Ca, Seen, Speaks, Upstream, reply};
use super::world::{WITH_GITHUB, World, get, material};
use crate::{ClientCertificate, Injection, Material};

const URL: &str = "https://api.test/x";

async fn failure(ca: &Ca, upstream: &Upstream) -> String {
    let world = World::new(ca, upstream, WITH_GITHUB);
    let (code, words) = world.stopped(get(URL)).await;
    assert_eq!(code, "failed");
    assert_eq!(format!("{:?}", world.closing().outcome), "UpstreamFailed");
    assert_eq!(world.closing().detail.unwrap(), words);
    words
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_said_in_words() {
    let ca = Ca::new();
    let mut expired = CertificateParams::new(vec!["api.test".to_owned()]).unwrap();
    expired.not_before = rcgen::date_time_ymd(2020, 1, 1);
    expired.not_after = rcgen::date_time_ymd(2020, 2, 1);
    let mut early = CertificateParams::new(vec!["api.test".to_owned()]).unwrap();
    early.not_before = rcgen::date_time_ymd(2090, 1, 1);
    early.not_after = rcgen::date_time_ymd(2090, 2, 1);
    let other = CertificateParams::new(vec!["www.test".to_owned()]).unwrap();
    for (params, expected) in [
        (expired, "the certificate of api.test has expired"),
        (early, "the certificate of api.test is not valid yet"),
        (other, "the certificate of api.test is for another name"),
    ] {
        let upstream = Upstream::with_certificate(&ca, &params).await;
        assert_eq!(failure(&ca, &upstream).await, expected);
    }
    let right = CertificateParams::new(vec!["api.test".to_owned()]).unwrap();
    let upstream = Upstream::with_certificate(&Ca::new(), &right).await;
    let words = failure(&ca, &upstream).await;
    assert!(
        words.contains("from an authority that is not known"),
        "{words}"
    );
    assert!(words.contains("extra_roots"), "{words}");
}

/// A credential that is a client certificate of this authority.
fn certificate(ca: &Ca, name: &str) -> Material {
    let (chain, key) = ca.issue(&CertificateParams::new(vec![name.to_owned()]).unwrap());
    let key = Secret::new(key.serialize_pem());
    let injection = Injection::Certificate(ClientCertificate {
        chain: chain.into_bytes(),
        key: key.clone(),
    });
    Material {
        value: None,
        secrets: vec![key],
        ..material("github", vec![injection], "")
    }
}

#[tokio::test]
async fn a_client_certificate_is_presented_and_keeps_its_connections_apart() {
    let ca = Ca::new();
    let answer = |_: Seen| async { reply("in") };
    let upstream = Upstream::start(&ca, Speaks::Mutual, answer).await;
    let world = World::new(&ca, &upstream, WITH_GITHUB);
    // A bearer token does not open it.
    assert_eq!(world.stopped(get(URL)).await.0, "failed");
    let before = upstream.connections();
    world.vault.put(certificate(&ca, "first"));
    for _ in 0..3 {
        assert_eq!(world.send(get(URL)).await.unwrap().text(), "in");
    }
    assert_eq!(upstream.connections(), before + 1);
    world.vault.put(certificate(&ca, "second"));
    assert_eq!(world.send(get(URL)).await.unwrap().text(), "in");
    assert_eq!(upstream.connections(), before + 2);
}

#[tokio::test]
async fn a_client_certificate_that_is_none_refuses() {
    let ca = Ca::new();
    let answer = |_: Seen| async { reply("in") };
    let upstream = Upstream::start(&ca, Speaks::Mutual, answer).await;
    let world = World::new(&ca, &upstream, WITH_GITHUB);
    let injection = Injection::Certificate(ClientCertificate {
        chain: b"no certificate".to_vec(),
        key: Secret::new("no key"),
    });
    world
        .vault
        .put(material("github", vec![injection], "12345678"));
    let (code, words) = world.stopped(get(URL)).await;
    assert_eq!(code, "credential-unavailable");
    assert!(words.contains("it holds no certificate in PEM"), "{words}");
    assert_eq!(upstream.connections(), 0);
}
