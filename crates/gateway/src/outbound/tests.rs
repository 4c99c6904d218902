use http_body_util::{BodyExt as _, Full};
use ringfence_model::{Scheme, Secret};

use super::{Outbound, OutboundError, OwnRequest, OwnUrl};
use crate::forward::testing::{Ca, Seen, Speaks, Upstream, reply};
use crate::testing::hosts;

fn outbound(ca: &Ca, upstream: &Upstream) -> Outbound {
    let mut config = hosts(&[("api.test", upstream.address)]);
    config.dial.extra_roots = vec![ca.path()];
    Outbound::new(&config).unwrap()
}

fn post(path: &str, headers: &[(&str, &str)]) -> OwnRequest {
    OwnRequest {
        method: "POST".to_owned(),
        url: OwnUrl {
            scheme: Scheme::Https,
            destination: "api.test:443".parse().unwrap(),
            path_and_query: path.to_owned(),
        },
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Secret::new(*value)))
            .collect(),
        body: Secret::new("grant_type=client_credentials"),
    }
}

#[tokio::test]
async fn a_request_arrives_as_it_is_and_its_answer_comes_back() {
    let ca = Ca::new();
    let upstream = Upstream::start(&ca, Speaks::Http1, |seen: Seen| async move {
        let mut response = reply(seen.body);
        *response.status_mut() = http::StatusCode::FOUND;
        let headers = response.headers_mut();
        headers.insert("x-target", seen.target.parse().unwrap());
        headers.insert("x-seen", seen.headers["authorization"].clone());
        headers.insert("x-host", seen.headers["host"].clone());
        headers.insert("location", "/elsewhere".parse().unwrap());
        response
    })
    .await;
    let own = [("authorization", "Basic abc"), ("host", "evil.test")];
    let answer = outbound(&ca, &upstream)
        .send(post("/token?a=1", &own))
        .await;
    let answer = answer.unwrap();
    let header = |wanted: &str| {
        let mut headers = answer.headers.iter();
        headers.find(|(name, _)| name == wanted).unwrap().1.clone()
    };
    assert_eq!(answer.status, 302, "a redirect is an answer like any other");
    assert_eq!(answer.body.expose(), b"grant_type=client_credentials");
    assert_eq!(header("x-target"), "/token?a=1");
    assert_eq!(header("x-seen"), "Basic abc");
    assert_eq!(header("x-host"), "api.test");
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn what_cannot_be_written_is_not_sent() {
    let ca = Ca::new();
    let upstream = Upstream::saying(&ca, "").await;
    let outbound = outbound(&ca, &upstream);
    for request in [
        post("token", &[]),
        post("https://evil.test/token", &[]),
        post("//evil.test/token\r\nx: y", &[]),
        post("/token", &[("a b", "v")]),
        post("/token", &[("a", "v\r\nb: c")]),
        OwnRequest {
            method: "PO ST".to_owned(),
            ..post("/token", &[])
        },
        post("/token", &[("a", "v"); 33]),
    ] {
        let error = outbound.send(request).await.unwrap_err();
        assert!(matches!(error, OutboundError::Request(_)), "{error}");
    }
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn over_http2_an_answer_has_trailers() {
    let ca = Ca::new();
    let upstream = Upstream::start(&ca, Speaks::Both, |seen: Seen| async move {
        let mut trailers = http::HeaderMap::new();
        let seen_as = format!("{} {}", seen.http2, seen.target);
        trailers.insert("x-seen", seen_as.parse().unwrap());
        trailers.insert("x-key", seen.headers["x-key"].clone());
        let body = Full::new(seen.body).with_trailers(std::future::ready(Some(Ok(trailers))));
        http::Response::new(body.boxed())
    })
    .await;
    let request = post("/a/b", &[("x-key", "k"), ("te", "trailers")]);
    let answer = outbound(&ca, &upstream).send_http2(request).await.unwrap();
    assert_eq!(answer.body.expose(), b"grant_type=client_credentials");
    let expected = [("x-seen", "true https://api.test/a/b"), ("x-key", "k")];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(answer.trailers, expected);
}

#[tokio::test]
async fn http2_is_asked_of_who_speaks_it_only_and_bounded_too() {
    let ca = Ca::new();
    let upstream = Upstream::start(&ca, Speaks::Http1, |_| async { reply("x") }).await;
    let answer = outbound(&ca, &upstream).send_http2(post("/", &[])).await;
    let said = answer.unwrap_err().to_string();
    assert!(said.contains("does not speak HTTP/2"), "{said}");
    let long = |_: Seen| async { reply(vec![b'x'; 1024 * 1024 + 1]) };
    let upstream = Upstream::start(&ca, Speaks::Http2, long).await;
    let answer = outbound(&ca, &upstream).send_http2(post("/", &[])).await;
    let error = answer.unwrap_err();
    assert!(matches!(error, OutboundError::TooLarge), "{error}");
    let many = |_: Seen| async {
        let mut response = reply("x");
        let huge = "x".repeat(32 * 1024).parse().unwrap();
        response.headers_mut().insert("x-huge", huge);
        response
    };
    let upstream = Upstream::start(&ca, Speaks::Http2, many).await;
    let answer = outbound(&ca, &upstream).send_http2(post("/", &[])).await;
    let error = answer.unwrap_err();
    assert!(matches!(error, OutboundError::Exchange(_)), "{error}");
}

#[tokio::test]
async fn an_answer_is_bounded_and_its_sender_verified() {
    let ca = Ca::new();
    let long = |_: Seen| async { reply(vec![b'x'; 1024 * 1024 + 1]) };
    let upstream = Upstream::start(&ca, Speaks::Http1, long).await;
    let error = outbound(&ca, &upstream)
        .send(post("/", &[]))
        .await
        .unwrap_err();
    assert!(matches!(error, OutboundError::TooLarge), "{error}");
    let stranger = outbound(&Ca::new(), &upstream).send(post("/", &[])).await;
    let error = stranger.unwrap_err();
    assert!(matches!(error, OutboundError::Tls(_)), "{error}");
    let said = error.to_string();
    assert!(said.contains("authority that is not known"), "{said}");
}

#[test]
fn a_root_that_is_none_is_refused_when_the_configuration_is_read() {
    let file = tempfile::NamedTempFile::new().unwrap();
    for content in [
        "",
        "no certificate",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        std::fs::write(file.path(), content).unwrap();
        let mut config = crate::Config::default();
        config.dial.extra_roots = vec![file.path().to_owned()];
        let error = Outbound::new(&config).err().unwrap().to_string();
        assert!(error.starts_with("extra_roots: "), "{error}");
    }
}

#[test]
fn an_answer_shows_no_value_in_its_debug_form() {
    let answer = super::OwnResponse {
        status: 200,
        headers: vec![("x-vault-token".to_owned(), "hvs.value".to_owned())],
        body: Secret::new("the body"),
        trailers: Vec::new(),
    };
    let shown = format!("{answer:?}");
    assert!(
        shown.contains("200") && shown.contains("x-vault-token"),
        "{shown}"
    );
    assert!(
        !shown.contains("hvs") && !shown.contains("the body"),
        "{shown}"
    );
}
