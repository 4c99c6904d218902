//! What a scrape gets while an agent runs, read with Prometheus' own parser, which `scripts/otlp.sh` installs.

use std::net::SocketAddr;

use ringfence_e2e::Host;
use ringfence_testkit::http::HttpUpstream;
use ringfence_testkit::poll;
use ringfence_testkit::port::ReservedPort;
use ringfence_testkit::process::command;
use serde_json::Value;

use super::collector::installed;
use super::lab::Lab;

/// Waits until the test has looked.
const WAIT: &str = "while [ ! -e looked ]; do sleep 0.05; done";

/// The samples in one form; none where nobody listens yet.
fn scrape(address: SocketAddr, form: &str) -> Option<Vec<Value>> {
    let mut python = command(installed().join("bin/python3"));
    python.args(["-c", include_str!("scrape.py")]);
    python.arg(format!("http://{address}/metrics")).arg(form);
    let output = python.output().unwrap();
    let (text, error) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    if error.contains("Connection refused") {
        return None;
    }
    assert!(output.status.success(), "{error}");
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    Some(lines.collect())
}

/// The value of the sample with these labels among its own.
fn value(samples: &[Value], name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let mut found = samples.iter().filter(|sample| {
        let has = |(key, value): &(&str, &str)| sample["labels"][*key] == *value;
        sample["name"] == name && labels.iter().all(has)
    });
    let first = found.next()?["value"].as_f64();
    assert!(found.next().is_none(), "{name} {labels:?}: {samples:#?}");
    first
}

/// Waits for a sample, and returns all in both forms.
fn samples_with(address: SocketAddr, name: &str) -> [Vec<Value>; 2] {
    poll::until_true(name, || {
        scrape(address, "text").is_some_and(|it| it.iter().any(|sample| sample["name"] == name))
    })
    .unwrap();
    ["openmetrics", "text"].map(|form| scrape(address, form).unwrap())
}

#[test]
fn a_run_is_measured_while_it_goes_on() {
    let mut lab = Lab::with("budget: {tokens: 1000000, per: day}");
    let port = ReservedPort::new().unwrap();
    let address = port.address();
    lab.host
        .config(&format!("[metrics]\nlisten = \"{address}\"\n"));
    let script = format!(
        r#"
        claude '{{"model": "claude-haiku-4-5", "max_tokens": 50, "stream": true, "messages": [{{"role": "user", "content": "hello"}}]}}'
        curl -sS https://evil.test/
        echo asked > asked
        {WAIT}"#
    );
    let script = format!("{}\n{script}", super::lab::FUNCTIONS);
    let run = lab.host.run().profile("models");
    let running = run.spawn(&["sh", "-c", &script]);
    let asked = lab.host.project().join("asked");
    poll::until_true("the request", || asked.exists()).unwrap();
    let forms = samples_with(address, "ringfence_llm_tokens_total");
    lab.host.file("looked", "");
    let ended = running.wait();
    assert_eq!(ended.code, 0, "{ended}");
    for samples in &forms {
        let model = [("provider", "anthropic"), ("model", "claude-haiku-4-5")];
        let of = |name: &str, labels: &[(&str, &str)]| {
            value(samples, name, labels).unwrap_or_else(|| panic!("{name}: {samples:#?}"))
        };
        let with = |more: (&'static str, &'static str)| [model[0], model[1], more];
        for kind in ["input", "output"] {
            assert!(of("ringfence_llm_tokens_total", &with(("type", kind))) > 0.0);
        }
        assert!(of("ringfence_llm_cost_usd_total", &model) > 0.0);
        let count = of("ringfence_llm_request_duration_seconds_count", &model);
        assert!((count - 1.0).abs() < f64::EPSILON);
        let first = of("ringfence_llm_time_to_first_chunk_seconds_sum", &model);
        let whole = of("ringfence_llm_request_duration_seconds_sum", &model);
        assert!(first > 0.0 && first <= whole, "{first} {whole}");
        let denied = [
            ("protocol", "connect"),
            ("effect", "deny"),
            ("code", "no-rule"),
        ];
        assert!(of("ringfence_decisions_total", &denied) >= 1.0);
        assert!(of("ringfence_llm_open_streams", &[]).abs() < f64::EPSILON);
        assert!(of("ringfence_budget_spent_tokens", &[("per", "day")]) > 0.0);
        let limit = of("ringfence_budget_limit_tokens", &[("per", "day")]);
        assert!((limit - 1_000_000.0).abs() < f64::EPSILON);
        of("ringfence_build_info", &[]);
        of("ringfence_run_info", &[("agent", "local")]);
    }
    assert!(scrape(address, "text").is_none(), "the run is over");
}

#[test]
fn metrics_are_out_of_the_agents_reach() {
    let host = Host::new();
    let (port, other) = (ReservedPort::new().unwrap(), HttpUpstream::ok().unwrap());
    let (number, other) = (port.number(), other.address().port());
    let script = format!(
        "for address in 127.0.0.1 host.ringfence.internal; do
            curl -sS --max-time 5 http://$address:{number}/metrics
        done
        curl -sS --max-time 5 http://host.ringfence.internal:{other}/
        {WAIT}"
    );
    let run = |allowed: &[u16]| {
        let looked = host.project().join("looked");
        let _ = std::fs::remove_file(&looked);
        let mut run = host.run().option("--metrics", &number.to_string());
        for port in allowed {
            run = run.allow(&format!("host.ringfence.internal:{port}"));
        }
        let before = host.events().len();
        let running = run.spawn(&["sh", "-c", &script]);
        // They are there, for who is outside.
        samples_with(port.address(), "ringfence_decisions_total");
        host.file("looked", "");
        let ended = running.wait();
        assert!(!ended.stdout.contains("ringfence_build"), "{ended}");
        (ended, host.events().split_off(before))
    };
    let (ended, _) = run(&[]);
    assert!(!ended.stdout.ends_with("ok\n"), "{ended}");
    assert!(
        ended
            .stderr
            .contains(&format!("metrics at http://127.0.0.1:{number}/metrics")),
        "{ended}"
    );
    // A rule for the address of the host leads to what else is there, and not to metrics.
    let (ended, events) = run(&[number, other]);
    assert!(ended.stdout.ends_with("ok\n"), "{ended}");
    assert!(
        ended.stdout.contains("control-plane"),
        "{ended} {events:#?}"
    );
}

#[test]
fn a_port_that_is_taken_stops_who_asked_for_it_now() {
    let mut host = Host::new();
    let taken = HttpUpstream::ok().unwrap();
    let address = taken.address().to_string();
    let refused = host.run().option("--metrics", &address).sh("echo ran");
    assert_eq!(
        (refused.code, refused.stdout.as_str()),
        (69, ""),
        "{refused}"
    );
    let said = format!("metrics cannot be served at {address}: ");
    assert!(refused.stderr.contains(&said), "{refused}");
    host.config(&format!("[metrics]\nlisten = \"{address}\"\n"));
    let ended = host.run().sh("echo ran");
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "ran\n"), "{ended}");
    assert!(ended.stderr.contains(&said), "{ended}");
    assert!(
        ended.stderr.contains("; this run goes on without"),
        "{ended}"
    );
}

#[test]
fn the_gateway_alone_is_measured_as_well() {
    let host = Host::new();
    let (listen, metrics) = (ReservedPort::new().unwrap(), ReservedPort::new().unwrap());
    let (proxy, address) = (listen.address().to_string(), metrics.address().to_string());
    let allowed = format!("127.0.0.1:{}", metrics.number());
    let _gateway = host.start(&[
        "gateway",
        "--listen",
        &proxy,
        "--metrics",
        &address,
        "--allow",
        &allowed,
    ]);
    poll::until_true("the gateway", || poll::connect(listen.address()).is_ok()).unwrap();
    let mut curl = command("curl");
    curl.args(["-sS", "-x", &proxy, &format!("http://{address}/metrics")]);
    let answer = curl.output().unwrap();
    let answer = String::from_utf8_lossy(&answer.stdout).into_owned();
    assert!(answer.contains("control-plane"), "{answer}");
    let [samples, _] = samples_with(metrics.address(), "ringfence_decisions_total");
    assert!(value(&samples, "ringfence_run_info", &[("agent", "gateway")]).is_some());
}
