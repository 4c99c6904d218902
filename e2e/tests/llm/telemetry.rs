//! What agents tell of their own work: it is joined to what was seen, and never takes its place.

mod hostile;

use serde_json::Value;

use super::agents::{TASK, assert_done, run};
use super::collector::Collector;
use super::lab::Lab;

/// The newest trace, as JSON.
fn trace(lab: &Lab) -> Value {
    let shown = lab.host.ringfence(&["trace", "show", "--json"]);
    assert_eq!(shown.code, 0, "{shown}");
    serde_json::from_str(&shown.stdout).unwrap()
}

/// The node of this kind whose name, or tool, is this.
fn node<'a>(trace: &'a Value, kind: &str, name: &str) -> &'a Value {
    let nodes = trace["nodes"].as_array().unwrap();
    let is_it = |node: &&Value| {
        node["kind"] == kind && (node["name"] == name || node["call"]["name"] == name)
    };
    nodes
        .iter()
        .find(is_it)
        .unwrap_or_else(|| panic!("{name}: {trace:#}"))
}

fn claude(lab: &Lab) -> ringfence_e2e::Ended {
    let arguments = ["-p", TASK, "--allowedTools", "Bash"];
    run(lab, "claude-code", "claude", &arguments)
}

#[test]
fn the_spans_of_claude_code_nest_with_what_was_seen() {
    let lab = Lab::new();
    let ended = claude(&lab);
    assert_done(&lab, &ended, "/v1/messages");
    let trace = trace(&lab);
    let turn = node(&trace, "told", "claude_code.interaction");
    assert_eq!(turn["parent"], trace["root"], "{trace:#}");
    let requests = trace["nodes"].as_array().unwrap().iter();
    let requests: Vec<&Value> = requests
        .filter(|it| it["name"] == "claude_code.llm_request")
        .collect();
    let steps = trace["nodes"].as_array().unwrap().iter();
    let steps: Vec<&Value> = steps
        .filter(|it| it["kind"] == "llm" && it["step"].is_number())
        .collect();
    assert_eq!((requests.len(), steps.len()), (2, 2), "{trace:#}");
    for (request, step) in requests.iter().zip(&steps) {
        assert_eq!(request["parent"], turn["id"], "{trace:#}");
        assert_eq!(step["parent"], request["id"], "{trace:#}");
    }
    // One tool, in the client's place and by its clock, with our digests.
    let tool = node(&trace, "tool", "Bash");
    assert_eq!(tool["parent"], turn["id"], "{trace:#}");
    assert!(
        tool["told"].is_string() && tool["ended"]["item"]["digest"].is_string(),
        "{trace:#}"
    );
    let execution = node(&trace, "told", "claude_code.tool.execution");
    assert_eq!(execution["parent"], tool["id"], "{trace:#}");
    assert!(
        !trace.to_string().contains(r#""name":"claude_code.tool""#),
        "{trace:#}"
    );
    assert_eq!(trace["run"]["told"]["refused"], 0, "{trace:#}");
    let story = lab.host.ringfence(&["trace", "show"]);
    assert!(
        story
            .stdout
            .contains("the agent says: claude_code.interaction"),
        "{story}"
    );
    assert!(!story.stdout.contains("otel.ringfence.internal"), "{story}");
}

#[test]
fn nothing_of_what_an_agent_tells_reaches_a_provider_or_the_record_but_a_few_words() {
    let lab = Lab::new();
    let ended = claude(&lab);
    assert_done(&lab, &ended, "/v1/messages");
    for request in lab.requests() {
        let heads = request["headers"].to_string().to_ascii_lowercase();
        assert!(!heads.contains("traceparent"), "{request}");
        assert!(!request["path"].to_string().contains("traces"), "{request}");
    }
    let told: Vec<Value> = lab.host.records();
    let told: Vec<Value> = told
        .into_iter()
        .filter(|it| it["kind"]["notice"] == "told")
        .collect();
    assert!(!told.is_empty());
    for notice in &told {
        let text = notice.to_string();
        for content in [
            "user.id",
            "session",
            "made-by-the-agent",
            "user_prompt",
            "service",
        ] {
            assert!(!text.contains(content), "{text}");
        }
    }
}

#[test]
fn a_collector_gets_what_the_agent_tells_in_the_same_trace() {
    let mut lab = Lab::new();
    let collector = Collector::start(&lab);
    let endpoint = collector.endpoint();
    lab.host
        .config(&format!("[traces]\nendpoint = {endpoint:?}\n"));
    let ended = claude(&lab);
    assert_done(&lab, &ended, "/v1/messages");
    let spans = collector.spans();
    let shown = || serde_json::to_string_pretty(&spans).unwrap();
    let named = |name: &str| -> &Value {
        let found = spans.iter().find(|span| span["name"] == name);
        found.unwrap_or_else(|| panic!("{name}: {}", shown()))
    };
    let is_run = |span: &&Value| span["parent"] == "";
    let run = spans
        .iter()
        .find(is_run)
        .unwrap_or_else(|| panic!("{}", shown()));
    let turn = named("claude_code.interaction");
    assert_eq!(turn["parent"], run["id"], "{}", shown());
    assert_eq!(turn["attributes"]["ringfence.told_by"], "agent");
    let tool = named("execute_tool Bash");
    assert_eq!(tool["parent"], turn["id"], "{}", shown());
    assert_eq!(tool["attributes"]["ringfence.tool.timed_by"], "agent");
    assert_eq!(
        named("claude_code.tool.execution")["parent"],
        tool["id"],
        "{}",
        shown()
    );
    let chats = spans
        .iter()
        .filter(|it| it["attributes"]["gen_ai.operation.name"] == "chat");
    let mut count = 0;
    for chat in chats {
        let above = spans.iter().find(|span| span["id"] == chat["parent"]);
        let above = above.unwrap_or_else(|| panic!("{}", shown()));
        assert_eq!(above["name"], "claude_code.llm_request", "{}", shown());
        // Tokens are counted once, where they were seen.
        assert!(
            above["attributes"]["gen_ai.operation.name"].is_null(),
            "{}",
            shown()
        );
        count += 1;
    }
    assert_eq!(count, 2, "{}", shown());
    let whole = spans.iter().all(|span| span["trace"] == run["trace"]);
    assert!(whole, "{}", shown());
}

#[test]
fn an_agent_works_as_well_where_it_is_not_heard() {
    let mut lab = Lab::new();
    lab.host.config("[traces]\nagents = false\n");
    let ended = claude(&lab);
    assert_done(&lab, &ended, "/v1/messages");
    assert!(trace(&lab)["run"]["told"].is_null());
    let script = "env | grep -c -e OTEL_ -e ENABLE_TELEMETRY; curl -sS -o /dev/null -w '%{http_code}' -d '{}' http://otel.ringfence.internal/v1/traces";
    let ended = lab.host.run().profile("claude-code").sh(script);
    assert_eq!(ended.stdout, "0\n404", "{ended}");
}

/// One that is asked to tell, and told no.
#[test]
fn an_agent_works_as_well_where_it_is_refused() {
    let mut lab = Lab::new();
    lab.host.config("[traces]\nagents = false\n");
    let directory = super::agents::installed();
    let program = directory.join("bin/claude");
    let mut run = lab.host.run().profile("claude-code");
    for assignment in [
        "CLAUDE_CODE_ENABLE_TELEMETRY=1",
        "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA=1",
        "OTEL_TRACES_EXPORTER=otlp",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://otel.ringfence.internal/v1/traces",
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf",
    ] {
        run = run.env(assignment);
    }
    let ended = run.option("--read", &directory.to_string_lossy()).exec(&[
        &program.to_string_lossy(),
        "-p",
        TASK,
        "--allowedTools",
        "Bash",
    ]);
    assert_done(&lab, &ended, "/v1/messages");
    let trace = trace(&lab);
    let refused = trace["nodes"].to_string();
    assert!(refused.contains("agents are not heard here"), "{trace:#}");
    assert!(trace["run"]["told"].is_null());
}
