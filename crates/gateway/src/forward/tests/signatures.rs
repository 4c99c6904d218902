//! AWS Signature Version 4, checked by a second, short implementation that reads what arrived.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use ringfence_model::Secret;

use super::upstream::{Ca, Seen, Speaks, Upstream, reply};
use super::world::{WITH_GITHUB, World, get, material, request};
use crate::{Injection, SigV4};

const KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}

/// Whether the signature is right for what arrived.
fn is_signed(seen: &Seen, region: &str, service: &str) -> bool {
    let text = |name: &str| seen.headers[name].to_str().unwrap().to_owned();
    let authorization = text("authorization");
    let part = |name: &str| {
        let at = authorization.find(name).unwrap() + name.len();
        authorization[at..]
            .split([',', ' '])
            .next()
            .unwrap()
            .to_owned()
    };
    let signed = part("SignedHeaders=");
    let mut canonical = String::new();
    for name in signed.split(';') {
        canonical += &format!("{name}:{}\n", text(name));
    }
    let (path, query) = seen.target.split_once('?').unwrap_or((&seen.target, ""));
    let mut query: Vec<&str> = query.split('&').collect();
    query.sort_unstable();
    let payload = text("x-amz-content-sha256");
    let true_payload =
        payload == "UNSIGNED-PAYLOAD" || payload == hex(digest(&SHA256, &seen.body).as_ref());
    let method = &seen.method;
    let request = format!(
        "{method}\n{path}\n{}\n{canonical}\n{signed}\n{payload}",
        query.join("&")
    );
    let date = text("x-amz-date");
    let scope = format!("{}/{region}/{service}/aws4_request", &date[..8]);
    let hashed = hex(digest(&SHA256, request.as_bytes()).as_ref());
    let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashed}");
    let mut key = mac(format!("AWS4{KEY}").as_bytes(), &date[..8]);
    for step in [region, service, "aws4_request"] {
        key = mac(&key, step);
    }
    true_payload
        && part("Credential=") == format!("AKIDEXAMPLE/{scope}")
        && signed.contains("host")
        && part("Signature=") == hex(&mac(&key, &to_sign))
}

fn keys(service: &str, session: Option<&str>) -> Injection {
    Injection::SigV4(SigV4 {
        access_key: "AKIDEXAMPLE".to_owned(),
        secret_key: Secret::new(KEY),
        session_token: session.map(Secret::new),
        region: "eu-central-1".to_owned(),
        service: service.to_owned(),
    })
}

async fn world(ca: &Ca, service: &'static str, session: Option<&str>) -> (World, Upstream) {
    let upstream = Upstream::start(ca, Speaks::Both, move |seen: Seen| async move {
        let verdict = is_signed(&seen, "eu-central-1", service);
        let token = seen.headers.get("x-amz-security-token").is_some();
        reply(format!(
            "{verdict} {token} {}",
            seen.headers["x-amz-content-sha256"].len()
        ))
    })
    .await;
    let world = World::new(ca, &upstream, WITH_GITHUB);
    let injections = vec![keys(service, session)];
    world.vault.put(material("github", injections, KEY));
    (world, upstream)
}

#[tokio::test]
async fn what_is_sent_is_what_is_signed() {
    let ca = Ca::new();
    for (service, session) in [("execute-api", None), ("s3", Some("session-token"))] {
        let (world, _upstream) = world(&ca, service, session).await;
        let own = [
            ("authorization", "AWS4-HMAC-SHA256 Credential=fake"),
            ("x-amz-date", "20200101T000000Z"),
            ("x-amz-security-token", "fake"),
            ("x-amz-target", "Service.Action"),
            ("content-type", "application/json"),
        ];
        let expected = format!("true {} 64", session.is_some());
        for url in [
            "https://api.test/a/b",
            "https://api.test/a?b=1&a=2&X-Amz-Signature=fake",
        ] {
            let post = request("POST", url, &own, "{\"a\":1}");
            assert_eq!(
                world.send(post).await.unwrap().text(),
                expected,
                "{service} {url}"
            );
            assert_eq!(world.send(get(url)).await.unwrap().text(), expected);
        }
    }
}

#[tokio::test]
async fn a_body_too_long_to_be_signed_passes_to_s3_alone() {
    let ca = Ca::new();
    let long = || vec![b'x'; 2 * 1024 * 1024];
    for service in ["execute-api", "s3"] {
        let (world, _upstream) = world(&ca, service, None).await;
        let mut put = request("PUT", "https://api.test/o", &[], "");
        // A body of which only the length is known, as it comes from a client.
        let body = http_body_util::Full::<bytes::Bytes>::from(long());
        let body = http_body_util::BodyExt::map_err(body, |never| match never {});
        *put.body_mut() = crate::http::RequestBody::new(body);
        if service == "s3" {
            assert_eq!(world.send(put).await.unwrap().text(), "true false 16");
        } else {
            assert_eq!(world.stopped(put).await.0, "limit-reached");
        }
    }
}

#[tokio::test]
async fn a_signature_that_is_echoed_is_taken_out() {
    let ca = Ca::new();
    let upstream = Upstream::start(&ca, Speaks::Both, |seen: Seen| async move {
        reply(seen.headers["authorization"].as_bytes().to_vec())
    })
    .await;
    let world = World::new(&ca, &upstream, WITH_GITHUB);
    let injections = vec![keys("execute-api", None)];
    world.vault.put(material("github", injections, KEY));
    let got = world.send(get("https://api.test/a")).await.unwrap();
    assert!(
        got.text().ends_with("Signature=REDACTED-BY-RINGFENCE"),
        "{}",
        got.text()
    );
}
