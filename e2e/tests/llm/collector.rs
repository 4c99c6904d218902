//! What a collector gets: the spans of a run, read with OpenTelemetry's own messages, which `scripts/otlp.sh` installs.

use std::fs;
use std::path::PathBuf;

use ringfence_testkit::port::ReservedPort;
use ringfence_testkit::process::{Server, command};
use serde_json::Value;

use super::lab::Lab;
use super::traces::LOOP;

/// A collector, until it is dropped.
pub(super) struct Collector {
    port: ReservedPort,
    spans: PathBuf,
    status: PathBuf,
    _server: Server,
}

impl Collector {
    pub(super) fn start(lab: &Lab) -> Self {
        Self::speaking(lab, "http")
    }

    /// One for `http` or `grpc`.
    fn speaking(lab: &Lab, protocol: &str) -> Self {
        let workdir = lab.host.workdir();
        let name = format!("collector-{protocol}");
        let own = workdir.dir(&name).unwrap();
        let (program, spans, status) = (own.join("c.py"), own.join("spans"), own.join("status"));
        fs::write(&program, include_str!("collector.py")).unwrap();
        fs::write(&spans, "").unwrap();
        fs::write(&status, "200").unwrap();
        let port = ReservedPort::new().unwrap();
        let mut starting = command(installed().join("bin/python3"));
        starting
            .arg(&program)
            .arg(port.address().port().to_string());
        starting.arg(&spans).arg(&status).arg(protocol);
        let mut server = Server::start(workdir, &name, &mut starting).unwrap();
        server.wait_for_port(port.address()).unwrap();
        Self {
            port,
            spans,
            status,
            _server: server,
        }
    }

    pub(super) fn endpoint(&self) -> String {
        format!("http://{}", self.port.address())
    }

    fn answer(&self, status: u16) {
        fs::write(&self.status, status.to_string()).unwrap();
    }

    pub(super) fn spans(&self) -> Vec<Value> {
        let text = fs::read_to_string(&self.spans).unwrap();
        let spans = text.lines().map(|line| serde_json::from_str(line).unwrap());
        spans.collect()
    }
}

/// Where OpenTelemetry's messages are installed.
pub(super) fn installed() -> PathBuf {
    let user = rustix::process::getuid().as_raw();
    let usual = || PathBuf::from(format!("/var/tmp/ringfence-e2e-otlp-{user}"));
    let directory = std::env::var_os("RINGFENCE_OTLP").map_or_else(usual, PathBuf::from);
    assert!(
        directory.join("installed").is_file(),
        "OpenTelemetry's messages are not in {}: run scripts/otlp.sh",
        directory.display()
    );
    directory
}

fn of<'a>(spans: &'a [Value], operation: &str) -> Vec<&'a Value> {
    let mut found: Vec<&Value> = spans
        .iter()
        .filter(|span| span["attributes"]["gen_ai.operation.name"] == operation)
        .collect();
    found.sort_by_key(|span| span["start"].as_u64());
    found
}

/// One trace: the run, below it the steps and their tools, and below the tool that tried it what was denied.
fn assert_whole(spans: &[Value]) {
    let shown = || serde_json::to_string_pretty(spans).unwrap();
    let [run] = of(spans, "invoke_agent")[..] else {
        panic!("{}", shown());
    };
    let (steps, tools) = (of(spans, "chat"), of(spans, "execute_tool"));
    assert_eq!((steps.len(), tools.len()), (3, 2), "{}", shown());
    assert_eq!(run["parent"], "");
    for span in spans {
        assert_eq!(span["trace"], run["trace"], "{}", shown());
        assert_eq!(span["service"], "ringfence");
        assert_eq!(span["schema"], "https://opentelemetry.io/schemas/1.41.1");
    }
    for span in steps.iter().chain(&tools) {
        assert_eq!(span["parent"], run["id"], "{}", shown());
    }
    for step in &steps {
        assert_eq!(step["name"], "chat claude-haiku-4-5");
        assert_eq!(step["kind"], "SPAN_KIND_CLIENT");
        let attributes = &step["attributes"];
        assert_eq!(attributes["gen_ai.provider.name"], "anthropic");
        assert_eq!(attributes["server.address"], "api.anthropic.com");
        assert!(
            attributes["gen_ai.usage.input_tokens"].as_u64() > Some(0),
            "{}",
            shown()
        );
    }
    for tool in &tools {
        assert_eq!(tool["name"], "execute_tool Bash");
        assert_eq!(tool["kind"], "SPAN_KIND_INTERNAL");
    }
    let denied = spans.iter().find(|span| {
        let attributes = &span["attributes"];
        attributes["server.address"] == "docs.acme.test" && span["status"] == "STATUS_CODE_ERROR"
    });
    let denied = denied.unwrap_or_else(|| panic!("{}", shown()));
    assert_eq!(denied["parent"], tools[1]["id"], "{}", shown());
    assert_eq!(denied["events"][0]["name"], "ringfence.decision");
    assert_eq!(
        denied["events"][0]["attributes"]["ringfence.decision.effect"],
        "deny"
    );
}

#[test]
fn a_collector_gets_the_run_while_it_goes_on() {
    let mut lab = Lab::with("");
    let collector = Collector::start(&lab);
    let headers = lab.host.home_file("headers", "X-Api-Key: collector-key\n");
    fs::set_permissions(
        &headers,
        std::os::unix::fs::PermissionsExt::from_mode(0o600),
    )
    .unwrap();
    let (endpoint, headers) = (collector.endpoint(), headers.display());
    lab.host.config(&format!(
        "[traces]\nendpoint = {endpoint:?}\nheaders_file = \"{headers}\"\n"
    ));
    let ended = lab.sh(LOOP);
    assert_eq!(ended.code, 0, "{ended}");
    let spans = collector.spans();
    assert_whole(&spans);
    assert!(spans.iter().all(|span| span["key"] == "collector-key"));
    let again = lab.host.ringfence(&["trace", "export"]);
    assert!(again.stderr.contains("nothing waits to be sent"), "{again}");
}

#[test]
fn what_a_collector_did_not_take_is_sent_later() {
    let lab = Lab::with("");
    let collector = Collector::start(&lab);
    collector.answer(503);
    let variable = collector.endpoint();
    let run = lab.host.run().profile("models");
    let ended = run
        .outer_env("OTEL_EXPORTER_OTLP_ENDPOINT", &variable)
        .sh(LOOP);
    assert_eq!(ended.code, 0, "{ended}");
    assert!(
        ended.stderr.contains("as OTEL_EXPORTER_OTLP_ENDPOINT says"),
        "{ended}"
    );
    assert!(
        ended.stderr.contains("spans of this run were not sent"),
        "{ended}"
    );
    assert_eq!(collector.spans(), Vec::<Value>::new());
    collector.answer(200);
    let sent = lab
        .host
        .ringfence(&["trace", "export", "--otlp", &collector.endpoint()]);
    assert_eq!(sent.code, 0, "{sent}");
    assert_whole(&collector.spans());
    let again = lab
        .host
        .ringfence(&["trace", "export", "--otlp", &collector.endpoint()]);
    assert!(again.stderr.contains("nothing waits to be sent"), "{again}");
}

#[test]
fn a_collector_of_grpc_gets_the_same() {
    let lab = Lab::with("");
    let (grpc, http) = (
        Collector::speaking(&lab, "grpc"),
        Collector::speaking(&lab, "http"),
    );
    let run = lab.host.run().profile("models");
    let run = run
        .outer_env("OTEL_EXPORTER_OTLP_ENDPOINT", &grpc.endpoint())
        .outer_env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
        .outer_env("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=collector-key")
        .outer_env("OTEL_METRICS_EXPORTER", "otlp");
    let ended = run.sh(LOOP);
    assert_eq!(ended.code, 0, "{ended}");
    assert!(!ended.stderr.contains("not taken"), "{ended}");
    let (metrics, spans): (Vec<Value>, Vec<Value>) = grpc
        .spans()
        .into_iter()
        .partition(|line| line.get("metric").is_some());
    assert_whole(&spans);
    assert!(spans.iter().all(|span| span["key"] == "collector-key"));
    let tokens = metrics
        .iter()
        .find(|it| it["metric"] == "gen_ai.client.token.usage");
    assert!(tokens.is_some(), "{metrics:?}");
    let run = spans[0]["attributes"]["ringfence.run.id"].as_str().unwrap();
    let mut sent = Vec::new();
    for (collector, more) in [(&http, &[][..]), (&grpc, &["--grpc"])] {
        let before = collector.spans().len();
        let endpoint = collector.endpoint();
        let arguments = ["trace", "export", run, "--otlp", &endpoint];
        let ended = lab.host.ringfence(&[&arguments[..], more].concat());
        assert_eq!(ended.code, 0, "{ended}");
        sent.push(collector.spans().split_off(before));
    }
    assert_whole(&sent[0]);
    assert_eq!(sent[0], sent[1]);
}

#[test]
fn what_a_collector_of_grpc_did_not_take_is_sent_later() {
    let mut lab = Lab::with("");
    let collector = Collector::speaking(&lab, "grpc");
    collector.answer(503);
    let endpoint = collector.endpoint();
    lab.host.config(&format!(
        "[traces]\nendpoint = {endpoint:?}\nprotocol = \"grpc\"\n"
    ));
    let ended = lab.sh(LOOP);
    assert_eq!(ended.code, 0, "{ended}");
    assert!(
        ended.stderr.contains("answered gRPC status 14: not now"),
        "{ended}"
    );
    assert_eq!(collector.spans(), Vec::<Value>::new());
    collector.answer(200);
    let sent = lab.host.ringfence(&["trace", "export"]);
    assert_eq!(sent.code, 0, "{sent}");
    assert_whole(&collector.spans());
}

#[test]
fn a_collector_is_out_of_the_agents_reach() {
    let lab = Lab::with("");
    let collector = Collector::start(&lab);
    let endpoint = collector.endpoint();
    let run = lab.host.run().profile("models");
    let run = run.outer_env("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint);
    let script = format!("env | grep {endpoint}; curl -sS --max-time 5 {endpoint}/v1/traces");
    let ended = run.sh(&script);
    assert_ne!(ended.code, 0, "{ended}");
    assert_eq!(ended.stdout, "", "{ended}");
}
