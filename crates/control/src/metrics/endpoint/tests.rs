use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use ringfence_gateway::llm::{BudgetScope, BudgetTerms, BudgetWindow};
use ringfence_gateway::{Budgets as _, Charge};
use ringfence_model::llm::Money;
use ringfence_model::{ReasonCode, Record, RuleRef};
use tempfile::{TempDir, tempdir};

use super::super::testing::{connect, identity, opened};
use super::*;
use crate::budgets::LocalBudgets;

/// An endpoint on the loopback.
struct Scene {
    endpoint: Endpoint,
    metrics: Metrics,
    budgets: Arc<LocalBudgets>,
    _data: TempDir,
}

impl Scene {
    fn new() -> Self {
        let data = tempdir().unwrap();
        let budgets = Arc::new(LocalBudgets::new(data.path()));
        let metrics = Metrics::new(&identity(), Arc::clone(&budgets));
        let listen = "0".parse().unwrap();
        Self {
            endpoint: Endpoint::start(listen, metrics.clone()).unwrap(),
            metrics,
            budgets,
            _data: data,
        }
    }

    fn ask(&self, first: &str, headers: &str) -> String {
        ask(self.endpoint.address(), first, headers).unwrap()
    }

    fn scraped(&self) -> String {
        self.ask("GET /metrics", "Host: localhost\r\n")
    }
}

#[expect(clippy::disallowed_methods, reason = "the test dials its own listener")]
fn ask(address: SocketAddr, first: &str, headers: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    write!(stream, "{first} HTTP/1.1\r\n{headers}\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

#[test]
fn a_scrape_gets_what_was_counted_until_then() {
    let scene = Scene::new();
    assert!(!scene.scraped().contains("ringfence_decisions"));
    let denied = opened(connect(), ReasonCode::NoRule);
    scene.metrics.feed(&Record::Opened(denied));
    let scraped = scene.scraped();
    assert!(scraped.starts_with("HTTP/1.1 200 OK\r\n"), "{scraped}");
    assert!(
        scraped.contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"),
        "{scraped}"
    );
    assert!(
        scraped.contains("\n# TYPE ringfence_decisions_total counter\n"),
        "{scraped}"
    );
    assert!(
        scraped.contains("{protocol=\"connect\",effect=\"deny\",code=\"no-rule\"} 1\n"),
        "{scraped}"
    );
}

#[test]
fn who_asks_for_openmetrics_gets_it() {
    let scene = Scene::new();
    let accept = "Host: 127.0.0.1:1\r\nAccept: application/openmetrics-text; version=1.0.0\r\n";
    let scraped = scene.ask("GET /metrics?a=b", accept);
    assert!(
        scraped.contains("content-type: application/openmetrics-text; version=1.0.0;"),
        "{scraped}"
    );
    assert!(
        scraped.contains("\n# TYPE ringfence_build info\n"),
        "{scraped}"
    );
    assert!(scraped.ends_with("\n# EOF\n"), "{scraped}");
}

#[test]
fn nothing_else_is_there() {
    let scene = Scene::new();
    for (first, headers, status) in [
        ("GET /", "Host: localhost\r\n", "404"),
        ("GET /metrics/", "Host: localhost\r\n", "404"),
        (
            "POST /metrics",
            "Host: localhost\r\nContent-Length: 0\r\n",
            "405",
        ),
        ("HEAD /metrics", "Host: localhost\r\n", "405"),
        ("GET /metrics", "Host: rebound.evil.test\r\n", "421"),
        ("GET /metrics", "Host: localhost.evil.test:9464\r\n", "421"),
        ("GET /metrics", "Host: localhost\r\nHost: a\r\n", "421"),
        ("GET /metrics", "", "421"),
    ] {
        let answer = scene.ask(first, headers);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{first} {headers}: {answer}"
        );
        assert!(!answer.contains("ringfence_build"), "{answer}");
    }
    for host in ["localhost", "LOCALHOST:9464", "127.0.0.1", "[::1]:9464"] {
        let answer = scene.ask("GET /metrics", &format!("Host: {host}\r\n"));
        assert!(answer.contains("ringfence_build"), "{host}: {answer}");
    }
}

#[test]
fn budgets_that_runs_share_are_shown_once_they_are_used() {
    let scene = Scene::new();
    assert!(
        !scene
            .budgets
            .used(jiff::Timestamp::now())
            .iter()
            .any(|_| true)
    );
    let terms = BudgetTerms {
        scope: BudgetScope::Agent,
        window: BudgetWindow::Day,
        tokens: Some(1_000),
        cost: Some(Money::from_nanos(2_000_000_000)),
    };
    let rule = RuleRef("p/llm/0".to_owned());
    let spent = Charge {
        tokens: 40,
        cost: Money::from_nanos(500_000_000),
    };
    let reserved = scene.budgets.reserve(&identity(), &rule, &[terms], spent);
    reserved.unwrap().settle(spent);
    let scraped = scene.scraped();
    for sample in [
        "ringfence_budget_spent_tokens{budget=\"agent coder\",per=\"day\"} 40.0\n",
        "ringfence_budget_limit_tokens{budget=\"agent coder\",per=\"day\"} 1000.0\n",
        "ringfence_budget_spent_usd{budget=\"agent coder\",per=\"day\"} 0.5\n",
        "ringfence_budget_limit_usd{budget=\"agent coder\",per=\"day\"} 2.0\n",
    ] {
        assert!(scraped.contains(sample), "{sample}{scraped}");
    }
}

#[test]
fn a_port_that_is_taken_is_an_error_and_one_that_was_left_is_free() {
    let scene = Scene::new();
    let address = scene.endpoint.address();
    let error = Endpoint::start(Listen(address), scene.metrics.clone()).unwrap_err();
    let said = error.to_string();
    assert!(
        said.starts_with(&format!("metrics cannot be served at {address}: ")),
        "{said}"
    );
    drop(scene.endpoint);
    assert!(ask(address, "GET /metrics", "Host: localhost\r\n").is_err());
    Endpoint::start(Listen(address), scene.metrics).unwrap();
}
