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
    let url = collector.traces().endpoint.url();
    format!("{}{}", collector.shown(), url.path_and_query)
}

const BASE: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";

#[test]
fn an_environment_names_a_collector_as_opentelemetry_has_it() {
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
        &[(BASE, "https://a.test"), (PROTOCOL, "http/xml")],
        &[(BASE, "https://a.test/x"), (PROTOCOL, "grpc")],
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
    assert_eq!(found.traces().headers, expected);
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
        Collector::at("https://a.test", Protocol::Http)
            .unwrap()
            .with_headers_of(&path)
            .await
    };
    write("Authorization: Basic abc==\n\nX-Scope: a\n", 0o600);
    let headers: Vec<String> = read()
        .await
        .unwrap()
        .traces()
        .headers
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
    let at = |address: &str| shown(&Collector::at(address, Protocol::Http).unwrap());
    assert_eq!(
        at("https://a.test/v1/traces"),
        "https://a.test:443/v1/traces"
    );
    assert_eq!(at("http://[::1]:6006"), "http://[::1]:6006/v1/traces");
}

#[test]
fn metrics_are_sent_where_somebody_asks_for_them() {
    let base = (BASE, "https://a.test/x");
    let asks = ("OTEL_METRICS_EXPORTER", "otlp");
    let path = |pairs: &[(&str, &str)]| {
        let found = environment(pairs).unwrap().unwrap();
        let url = found.metrics().map(|it| it.endpoint.url());
        url.map(|url| url.path_and_query)
    };
    assert_eq!(path(&[base]), None);
    assert_eq!(path(&[base, asks]).as_deref(), Some("/x/v1/metrics"));
}

#[test]
fn grpc_is_spoken_where_somebody_asks_for_it() {
    const METHOD: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    const WHOLE: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    let grpc = (PROTOCOL, "grpc");
    for (pairs, expected) in [
        (
            &[(BASE, "http://localhost:4317"), grpc][..],
            "http://127.0.0.1:4317",
        ),
        (&[(WHOLE, "https://a.test"), grpc], "https://a.test:443"),
        (&[(BASE, "a.test:4317"), grpc], "https://a.test:4317"),
        (
            &[
                (BASE, "localhost:4317"),
                grpc,
                ("OTEL_EXPORTER_OTLP_INSECURE", "true"),
            ],
            "http://127.0.0.1:4317",
        ),
        (
            &[
                (BASE, "https://a.test"),
                (PROTOCOL, "http/protobuf"),
                ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc"),
            ],
            "https://a.test:443",
        ),
    ] {
        let found = environment(pairs).unwrap().unwrap();
        assert_eq!(found.traces().protocol, Protocol::Grpc, "{pairs:?}");
        assert_eq!(shown(&found), format!("{expected}{METHOD}"));
    }
    let at = Collector::at("https://a.test/x", Protocol::Grpc);
    assert!(
        at.unwrap_err()
            .to_string()
            .ends_with("with gRPC it has no path")
    );
}

#[test]
fn each_signal_has_variables_of_its_own() {
    let found = environment(&[
        (BASE, "https://a.test"),
        (PROTOCOL, "grpc"),
        ("OTEL_METRICS_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=1"),
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "https://b.test/m"),
        ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "http/protobuf"),
        ("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "b=2"),
    ]);
    let found = found.unwrap().unwrap();
    let (traces, metrics) = (found.traces(), found.metrics().unwrap());
    assert_eq!(traces.protocol, Protocol::Grpc);
    assert_eq!(metrics.protocol, Protocol::Http);
    assert_eq!(metrics.endpoint.url().path_and_query, "/m");
    assert_eq!(metrics.endpoint.url().destination.to_string(), "b.test:443");
    assert_eq!(traces.headers, [("a".to_owned(), Secret::new("1"))]);
    assert_eq!(metrics.headers, [("b".to_owned(), Secret::new("2"))]);
}

#[tokio::test]
async fn a_configuration_names_the_protocol() {
    let config = |protocol: Protocol, endpoint: &str| TraceConfig {
        endpoint: Some(endpoint.to_owned().try_into().unwrap()),
        protocol,
        metrics: true,
        ..TraceConfig::default()
    };
    let grpc = config(Protocol::Grpc, "https://a.test").collector().await;
    let grpc = grpc.unwrap().unwrap();
    assert_eq!(grpc.metrics().unwrap().protocol, Protocol::Grpc);
    assert_eq!(
        grpc.metrics().unwrap().endpoint.url().path_and_query,
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
    );
    let path = config(Protocol::Grpc, "https://a.test/x").collector().await;
    let said = path.unwrap_err().to_string();
    assert_eq!(
        said,
        "traces.endpoint is not usable: with gRPC it has no path"
    );
}
