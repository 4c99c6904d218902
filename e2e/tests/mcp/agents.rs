//! The real coding agents as clients: they find the servers that rules name without being told, see what they may use and nothing else, and
//! have no key.

use std::collections::BTreeSet;

use ringfence_e2e::Ended;
use ringfence_testkit::llm::{HOSTS, Provider};
use serde_json::Value;

use crate::llm::agents;

use super::lab::{KEY, Lab};

/// The key of the models.
const MODELS: &str = "sk-real-model-Zq8mLw3TxV7pRb2N";

/// What the gateway says of the second call.
const REFUSED: &str =
    "Ringfence refused this: rule mcp/mcp/lab allows echo with other arguments: see `/text`";

/// One tool, with one argument, and one resource that no agent asks for by itself.
const ECHO: &str = r#"tools: [{name: echo, arguments: {type: object, properties: {text: {const: "from the agent"}}, required: [text]}}]"#;

/// A lab with models.
fn lab() -> (Lab, Provider) {
    let mut lab = Lab::fixture(ECHO);
    let provider = Provider::start(lab.host.workdir(), &lab.ca, MODELS).unwrap();
    for (name, kind, host, field) in [
        ("anthropic", "header", HOSTS[0], Some("name=x-api-key")),
        ("openai", "bearer", HOSTS[1], None),
        ("gemini", "header", HOSTS[2], Some("name=x-goog-api-key")),
    ] {
        lab.host.name(host, provider.address());
        let mut arguments = vec!["credential", "add", name, "--kind", kind, "--host", host];
        arguments.extend(field.iter().flat_map(|field| ["--set", *field]));
        let ended = lab.host.ringfence_reading(&arguments, MODELS);
        assert_eq!(ended.code, 0, "{ended}");
    }
    (lab, provider)
}

/// Runs an agent that calls the tool as it may, and then as it may not.
fn run(lab: &Lab, profile: &str, program: &[&str], tool: &str) -> Ended {
    let installed = agents::installed();
    let executable = installed.join("bin").join(program[0]).display().to_string();
    let task = format!(
        "CALL: {tool} {{\"text\": \"from the agent\"}}\nCALL: {tool} {{\"text\": \"what no rule allows\"}}"
    );
    let command: Vec<&str> = program
        .iter()
        .skip(1)
        .map(|it| if *it == "TASK" { &*task } else { it })
        .collect();
    let command = [&[&*executable][..], &command].concat();
    lab.run()
        .profile(profile)
        .option("--read", &installed.display().to_string())
        .env("TERM=xterm-256color")
        .env("ENABLE_TOOL_SEARCH=false")
        .exec(&command)
}

/// The names of the tools that the model was offered, those in groups with the name of their group.
fn offered(provider: &Provider) -> BTreeSet<String> {
    let requests = provider.requests().unwrap();
    let tools = requests.iter().flat_map(|it| list(&it["body"]["tools"]));
    let names = tools.flat_map(|tool| {
        let group = match tool["type"] == "namespace" {
            true => format!("{}__", tool["name"].as_str().unwrap()),
            false => String::new(),
        };
        let mut inner = [list(&tool["tools"]), list(&tool["functionDeclarations"])].concat();
        if inner.is_empty() {
            inner.push(tool);
        }
        let names = inner
            .into_iter()
            .map(move |it| format!("{group}{}", it["name"].as_str().unwrap_or_default()));
        names.collect::<Vec<_>>()
    });
    names.collect()
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

/// `refused` is what the model was told of the second call, and `decided` how often the gateway was asked.
fn assert_used(
    lab: &Lab,
    provider: &Provider,
    ended: &Ended,
    tool: &str,
    (refused, decided): (&str, &[&str]),
) {
    assert_eq!(ended.code, 0, "{ended}\n{}", provider.log());
    assert!(ended.stdout.contains("FINAL-OK"), "{ended}");
    // The last result is the refusal, in the agent's own words.
    let asked = provider.requests().unwrap();
    let last = asked.last().unwrap()["body"].to_string();
    let at = last.len().saturating_sub(4000);
    assert!(last.contains(refused), "{}", &last[at..]);
    for secret in [KEY, MODELS] {
        assert!(!ended.to_string().contains(secret), "{ended}");
        assert!(!last.contains(secret), "{last}");
    }
    let offered = offered(provider);
    let of_server: Vec<&String> = offered.iter().filter(|it| it.contains("lab")).collect();
    assert_eq!(of_server, [tool], "{offered:?}");
    let calls = lab.calls();
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert!(calls[0].to_string().contains("from the agent"), "{calls:?}");
    for request in lab.requests() {
        assert!(request.to_string().contains(KEY), "{request}");
    }
    let events = lab.events();
    let calls: Vec<&str> = events
        .iter()
        .filter(|event| event["action"]["target"] == "echo")
        .filter_map(|event| event["decision"]["effect"].as_str())
        .collect();
    assert_eq!(calls, decided, "{events:?}");
}

#[test]
fn claude_code_finds_its_servers_and_is_refused_what_no_rule_allows() {
    let (lab, provider) = lab();
    let tool = "mcp__lab__echo";
    let program = ["claude", "-p", "TASK", "--allowedTools", tool];
    let ended = run(&lab, "claude-code", &program, tool);
    assert_used(&lab, &provider, &ended, tool, (REFUSED, &["allow", "deny"]));
}

#[test]
fn codex_finds_its_servers_and_is_refused_what_no_rule_allows() {
    let (lab, provider) = lab();
    let program = [
        "codex",
        "exec",
        "-m",
        "gpt-5-codex",
        "--skip-git-repo-check",
        "--dangerously-bypass-approvals-and-sandbox",
        "TASK",
    ];
    let tool = "mcp__lab__echo";
    let ended = run(&lab, "codex", &program, tool);
    assert_used(&lab, &provider, &ended, tool, (REFUSED, &["allow", "deny"]));
}

#[test]
fn gemini_cli_finds_its_servers_and_is_refused_what_no_rule_allows() {
    let (lab, provider) = lab();
    let program = [
        "gemini",
        "--skip-trust",
        "--yolo",
        "-m",
        "gemini-2.5-flash",
        "-p",
        "TASK",
    ];
    let tool = "mcp_lab_echo";
    let ended = run(&lab, "gemini-cli", &program, tool);
    assert_used(
        &lab,
        &provider,
        &ended,
        tool,
        ("must be equal to constant", &["allow"]),
    );
}

#[test]
fn opencode_finds_its_servers_and_is_refused_what_no_rule_allows() {
    let (lab, provider) = lab();
    let program = [
        "opencode",
        "run",
        "-m",
        "anthropic/claude-haiku-4-5",
        "TASK",
    ];
    let tool = "lab_echo";
    let ended = run(&lab, "opencode", &program, tool);
    assert_used(&lab, &provider, &ended, tool, (REFUSED, &["allow", "deny"]));
}
