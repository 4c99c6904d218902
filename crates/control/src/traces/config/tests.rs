use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

fn environment(pairs: &[(&str, &str)]) -> Result<Option<Collector>, CollectorError> {
    from_environment(|name| {
        let mut found = pairs.iter().filter(|(known, _)| *known == name);
        found.next().map(|(_, value)| (*value).to_owned())
    })
}

fn shown(collector: &Collector) -> String {
    format!("{}{}", collector.shown(), collector.url().path_and_query)
}

#[test]
fn an_environment_names_a_collector_as_opentelemetry_has_it() {
    const BASE: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    const WHOLE: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    for (pairs, expected) in [
        (
            &[(BASE, "http://localhost:4318")][..],
            "http://127.0.0.1:4318/v1/traces",
        ),
        (
            &[(BASE, "https://otel.test/")],
            "https://otel.test:443/v1/traces",
        ),
        (
            &[(BASE, "https://otel.test/a")],
            "https://otel.test:443/a/v1/traces",
        ),
        (
            &[(BASE, "https://a.test"), (WHOLE, "https://b.test/x")],
            "https://b.test:443/x",
        ),
    ] {
        let found = environment(pairs).unwrap().unwrap();
        assert_eq!(shown(&found), expected);
    }
    for pairs in [
        &[][..],
        &[(BASE, " ")],
        &[(BASE, "https://a.test"), ("OTEL_SDK_DISABLED", "True")],
        &[(BASE, "https://a.test"), ("OTEL_TRACES_EXPORTER", "none")],
    ] {
        assert!(environment(pairs).unwrap().is_none(), "{pairs:?}");
    }
    for pairs in [
        &[(BASE, "http://collector.test:4318")][..],
        &[(BASE, "http://localhost.evil.test:4318")],
        &[(BASE, "collector:4318")],
        &[
            (BASE, "https://a.test"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ],
        &[
            (BASE, "https://a.test"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "host=b.test"),
        ],
        &[
            (BASE, "https://a.test"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x=a%0d%0ay: z"),
        ],
    ] {
        assert!(environment(pairs).is_err(), "{pairs:?}");
    }
}

#[test]
fn headers_of_the_environment_are_read_and_not_shown() {
    let headers = (
        "OTEL_EXPORTER_OTLP_HEADERS",
        "x-api-key=s3cret%20value, X-Project-Name=demo",
    );
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://a.test");
    let found = environment(&[endpoint, headers]).unwrap().unwrap();
    let expected = [
        ("x-api-key".to_owned(), Secret::new("s3cret value")),
        ("x-project-name".to_owned(), Secret::new("demo")),
    ];
    assert_eq!(found.headers(), expected);
    assert!(!format!("{found:?}").contains("s3cret"));
}

#[tokio::test]
async fn headers_of_a_file_are_read_where_it_is_ones_own() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("headers");
    let write = |text: &str, mode: u32| {
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let read = async || {
        Collector::at("https://a.test")
            .unwrap()
            .with_headers_of(&path)
            .await
    };
    write("Authorization: Basic abc==\n\nX-Scope: a\n", 0o600);
    let headers: Vec<String> = read()
        .await
        .unwrap()
        .headers()
        .iter()
        .map(|it| it.0.clone())
        .collect();
    assert_eq!(headers, ["authorization", "x-scope"]);
    for (text, mode) in [
        ("Authorization: x", 0o644),
        ("no header", 0o600),
        ("Host: b.test", 0o600),
        ("A B: c", 0o600),
        (&"a: b\n".repeat(17), 0o600),
    ] {
        write(text, mode);
        assert!(read().await.is_err(), "{text}");
    }
}

#[test]
fn an_address_may_be_whole_already() {
    let at = |address: &str| shown(&Collector::at(address).unwrap());
    assert_eq!(
        at("https://a.test/v1/traces"),
        "https://a.test:443/v1/traces"
    );
    assert_eq!(at("http://[::1]:6006"), "http://[::1]:6006/v1/traces");
}

#[test]
fn metrics_are_sent_where_somebody_asks_for_them() {
    let base = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://a.test/x");
    let asks = ("OTEL_METRICS_EXPORTER", "otlp");
    let path = |pairs: &[(&str, &str)]| {
        let url = environment(pairs).unwrap().unwrap().metrics_url();
        url.map(|url| url.path_and_query)
    };
    assert_eq!(path(&[base]), None);
    assert_eq!(path(&[base, asks]).as_deref(), Some("/x/v1/metrics"));
}
