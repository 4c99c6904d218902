use ringfence_model::llm::LlmFailure;
use ringfence_model::{Generation, ReasonCode};
use tempfile::{TempDir, tempdir};

use super::super::testing::{ask, closed, connect, facts, identity, noted, opened};
use super::*;

/// Metrics of a run, and the samples that they are written as.
struct Scene {
    metrics: Metrics,
    _data: TempDir,
}

impl Scene {
    fn new() -> Self {
        let data = tempdir().unwrap();
        let budgets = Arc::new(LocalBudgets::new(data.path()));
        Self {
            metrics: Metrics::new(&identity(), budgets),
            _data: data,
        }
    }

    fn open(&self, action: Action, code: ReasonCode) -> Event {
        let event = opened(action, code);
        self.metrics.feed(&Record::Opened(event.clone()));
        event
    }

    /// A request to a model from its begin to its end.
    fn asked(&self, model: &str, outcome: Outcome, facts: LlmFacts) {
        let event = self.open(ask(model), ReasonCode::Allowed);
        self.metrics.feed(&closed(&event, outcome, facts));
    }

    fn samples(&self) -> Vec<String> {
        let written = self.metrics.written().unwrap();
        let lines = written.lines().filter(|line| !line.starts_with('#'));
        lines.map(str::to_owned).collect()
    }

    fn assert_has(&self, sample: &str) {
        let samples = self.samples();
        assert!(
            samples.iter().any(|it| it == sample),
            "{sample}: {samples:#?}"
        );
    }

    /// Samples of a metric.
    fn count(&self, name: &str) -> usize {
        let with = format!("{name}{{");
        let samples = self.samples();
        samples.iter().filter(|it| it.starts_with(&with)).count()
    }
}

#[test]
fn a_run_says_what_it_is_before_anything_happens() {
    let scene = Scene::new();
    scene.assert_has(&format!(
        "ringfence_build_info{{version=\"{}\"}} 1",
        env!("CARGO_PKG_VERSION")
    ));
    scene.assert_has(
        "ringfence_run_info{agent=\"coder\",run=\"0192f0c1-0000-7000-8000-000000000001\"} 1",
    );
    scene.assert_has("ringfence_policy_generation 1");
    let written = scene.metrics.written().unwrap();
    assert!(written.ends_with("# EOF\n"), "{written}");
}

#[test]
fn decisions_are_counted_by_what_was_decided() {
    let scene = Scene::new();
    scene.open(connect(), ReasonCode::NoRule);
    scene.open(connect(), ReasonCode::NoRule);
    let allowed = scene.open(connect(), ReasonCode::Allowed);
    scene.assert_has(
        "ringfence_decisions_total{protocol=\"connect\",effect=\"deny\",code=\"no-rule\"} 2",
    );
    scene.assert_has(
        "ringfence_decisions_total{protocol=\"connect\",effect=\"allow\",code=\"allowed\"} 1",
    );
    scene.assert_has("ringfence_open_actions{protocol=\"connect\"} 1");
    let refused = Outcome::Refused(ReasonCode::ProtocolMismatch);
    let nothing = LlmFacts::default();
    scene.metrics.feed(&closed(&allowed, refused, nothing));
    scene.assert_has("ringfence_open_actions{protocol=\"connect\"} 0");
    scene.assert_has(
        "ringfence_late_refusals_total{protocol=\"connect\",code=\"protocol-mismatch\"} 1",
    );
    scene.assert_has("ringfence_scrubbed_values_total 3");
}

#[test]
fn a_request_to_a_model_is_counted_by_what_it_took() {
    let scene = Scene::new();
    let event = scene.open(ask("claude-haiku-4-5"), ReasonCode::Allowed);
    scene.assert_has("ringfence_llm_open_streams{provider=\"anthropic\"} 1");
    let done = closed(&event, Outcome::Status(200), facts());
    scene.metrics.feed(&done);
    // Only the first end of an action is one.
    scene.metrics.feed(&done);
    let of = "provider=\"anthropic\",model=\"claude-haiku-4-5\"";
    for sample in [
        "ringfence_llm_open_streams{provider=\"anthropic\"} 0".to_owned(),
        "ringfence_llm_redacted_texts_total{provider=\"anthropic\"} 2".to_owned(),
        format!("ringfence_llm_tokens_total{{{of},type=\"input\"}} 1000"),
        format!("ringfence_llm_tokens_total{{{of},type=\"output\"}} 50"),
        format!("ringfence_llm_cached_tokens_total{{{of},type=\"read\"}} 900"),
        format!("ringfence_llm_reasoning_tokens_total{{{of}}} 20"),
        format!("ringfence_llm_cost_usd_total{{{of}}} 0.25"),
        format!("ringfence_llm_request_duration_seconds_sum{{{of}}} 2.0"),
        format!("ringfence_llm_request_duration_seconds_count{{{of}}} 1"),
        format!("ringfence_llm_request_duration_seconds_bucket{{le=\"1.28\",{of}}} 0"),
        format!("ringfence_llm_request_duration_seconds_bucket{{le=\"2.56\",{of}}} 1"),
        format!("ringfence_llm_time_to_first_chunk_seconds_sum{{{of}}} 0.3"),
    ] {
        scene.assert_has(&sample);
    }
    assert_eq!(scene.count("ringfence_llm_errors_total"), 0);
}

#[test]
fn what_failed_is_counted_by_how() {
    let scene = Scene::new();
    let overloaded = LlmFacts {
        failure: Some(LlmFailure {
            kind: "overloaded_error".to_owned(),
            message: String::new(),
            retry_after: None,
        }),
        ..LlmFacts::default()
    };
    scene.asked("m", Outcome::Status(200), facts());
    scene.asked("m", Outcome::Status(529), overloaded);
    for (outcome, kind) in [
        (Outcome::Status(500), "500"),
        (Outcome::TimedOut, "timeout"),
        (Outcome::UpstreamFailed, "upstream_failed"),
        (Outcome::Aborted, "aborted"),
        (Outcome::Status(529), "529"),
    ] {
        scene.asked("m", outcome, LlmFacts::default());
        scene.assert_has(&format!(
            "ringfence_llm_errors_total{{provider=\"anthropic\",model=\"m\",type=\"{kind}\"}} 1"
        ));
    }
    scene.assert_has(
        "ringfence_llm_errors_total{provider=\"anthropic\",model=\"m\",type=\"overloaded_error\"} 1",
    );
}

#[test]
fn a_model_that_was_denied_or_that_no_provider_has_makes_no_series() {
    let scene = Scene::new();
    for number in 0..200 {
        let name = format!("made-up-{number}");
        scene.open(ask(&name), ReasonCode::NoRule);
        scene.asked(&name, Outcome::Status(404), LlmFacts::default());
    }
    scene.asked("real", Outcome::Status(200), facts());
    scene.asked("real", Outcome::Status(500), LlmFacts::default());
    let written = scene.metrics.written().unwrap();
    assert!(!written.contains("made-up"), "{written}");
    assert_eq!(
        scene.count("ringfence_llm_request_duration_seconds_count"),
        2
    );
    scene.assert_has(
        "ringfence_llm_errors_total{provider=\"anthropic\",model=\"other\",type=\"404\"} 200",
    );
    scene.assert_has(
        "ringfence_llm_errors_total{provider=\"anthropic\",model=\"real\",type=\"500\"} 1",
    );
}

#[test]
fn series_are_bounded_whatever_an_agent_says() {
    let scene = Scene::new();
    for number in 0..500 {
        let broken = LlmFacts {
            failure: Some(LlmFailure {
                kind: format!("kind-{number}"),
                message: String::new(),
                retry_after: None,
            }),
            ..LlmFacts::default()
        };
        scene.asked(&format!("model-{number}"), Outcome::Status(200), facts());
        scene.asked("model-0", Outcome::Status(500), broken);
        scene.metrics.feed(&noted(NoticeKind::Finding {
            code: format!("code-{number}"),
            detail: String::new(),
        }));
    }
    assert_eq!(scene.count("ringfence_llm_cost_usd_total"), MODELS + 1);
    assert_eq!(scene.count("ringfence_llm_errors_total"), ERRORS + 1);
    assert_eq!(scene.count("ringfence_findings_total"), FINDINGS + 1);
    scene.assert_has("ringfence_llm_cost_usd_total{provider=\"anthropic\",model=\"other\"} 109.0");
}

#[test]
fn a_name_cannot_break_out_of_its_label() {
    let scene = Scene::new();
    let hostile = "x\"} 1\nringfence_decisions_total{effect=\"allow\"} 99\n";
    scene.asked(hostile, Outcome::Status(200), facts());
    let samples = scene.samples();
    assert!(
        !samples.iter().any(|it| it.ends_with(" 99")),
        "{samples:#?}"
    );
    scene.assert_has("ringfence_llm_cost_usd_total{provider=\"anthropic\",model=\"other\"} 0.25");
}

#[test]
fn policies_and_findings_are_counted() {
    let scene = Scene::new();
    let generation = Generation(7);
    scene
        .metrics
        .feed(&noted(NoticeKind::PolicyLoaded { generation }));
    let error = "no".to_owned();
    scene
        .metrics
        .feed(&noted(NoticeKind::PolicyRejected { error }));
    scene.metrics.feed(&noted(NoticeKind::Finding {
        code: "denied-streak".to_owned(),
        detail: "the detail".to_owned(),
    }));
    scene.assert_has("ringfence_policy_generation 7");
    scene.assert_has("ringfence_policies_rejected_total 1");
    scene.assert_has("ringfence_findings_total{code=\"denied-streak\"} 1");
    assert!(!scene.metrics.written().unwrap().contains("the detail"));
}

#[test]
fn actions_that_are_not_seen_to_close_are_bounded() {
    let scene = Scene::new();
    for _ in 0..OPEN + 10 {
        scene.open(connect(), ReasonCode::Allowed);
    }
    scene.assert_has(&format!(
        "ringfence_open_actions{{protocol=\"connect\"}} {OPEN}"
    ));
    let decided = OPEN + 10;
    scene.assert_has(&format!(
        "ringfence_decisions_total{{protocol=\"connect\",effect=\"allow\",code=\"allowed\"}} {decided}"
    ));
}

#[test]
fn every_metric_is_in_the_reference() {
    const REFERENCE: &str = include_str!("../../../../../docs/reference/metrics.md");
    let sources = [
        include_str!("../families.rs"),
        include_str!("../budgets.rs"),
    ];
    let names = sources.iter().flat_map(|source| source.split('"'));
    let names: Vec<&str> = names.filter(|it| it.starts_with("ringfence_")).collect();
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        let is_there = ["", "_total", "_info", "_seconds"]
            .iter()
            .any(|suffix| REFERENCE.contains(&format!("`{name}{suffix}`")));
        assert!(is_there, "{name}");
    }
}
