//! Clients and servers that others have written.

use ringfence_e2e::Host;
use ringfence_testkit::Ca;
use ringfence_testkit::llm::{HOSTS, Provider};
use ringfence_testkit::mcp::{Everything, McpServer};
use serde_json::{Value, json};

use crate::llm::agents;

use super::lab::{KEY, Lab, Told, programs};

/// Of the fixture, what both official clients use, and one tool that they may not.
const SOME: &str = r#"tools: [echo, test_image_content], resources: ["test://static-text"], prompts: [test_simple_prompt]"#;

fn run(lab: &Lab, program: &[&str]) -> Told {
    let directory = programs().display().to_string();
    let ended = lab.run().option("--read", &directory).exec(program);
    let told = Told::of(ended);
    told.assert_never_saw(KEY);
    told
}

fn assert_used(told: &Told, who: &str, times: usize) {
    assert_eq!(told.shown.len(), times, "{}", told.ended);
    for shown in &told.shown {
        assert_eq!(shown[0], json!(["echo", "test_image_content"]), "{shown}");
        assert!(shown[1][0].as_str().unwrap().contains(who), "{shown}");
        assert!(
            shown[1][1]
                .as_str()
                .unwrap()
                .starts_with("This is the content"),
            "{shown}"
        );
        let refused = shown[2].as_str().unwrap();
        assert!(
            refused.contains("error") || refused.contains("nknown"),
            "{shown}"
        );
        assert!(!refused.contains("simple text response"), "{shown}");
    }
}

#[test]
fn the_official_python_client_uses_what_is_allowed() {
    let lab = Lab::fixture(SOME);
    let script = lab.host.file("sdk.py", include_str!("sdk.py"));
    let python = programs().join("bin/python");
    let told = run(
        &lab,
        &[&python.display().to_string(), &script.display().to_string()],
    );
    assert_used(&told, "from python", 2);
}

#[test]
fn the_official_typescript_clients_use_what_is_allowed() {
    let lab = Lab::fixture(SOME);
    let script = lab.host.file("sdk.mjs", include_str!("sdk.mjs"));
    let (node, modules) = (programs().join("bin/node"), programs().join("node_modules"));
    let program = [node, script, modules].map(|it| it.display().to_string());
    let told = run(&lab, &program.each_ref().map(|it| &**it));
    assert_used(&told, "from typescript", 3);
}

/// A profile for a server that asks for no credential.
fn profile(host: &Host, url: &str, rule: &str) {
    host.profile(
        "mcp",
        &format!(
            "apiVersion: ringfence/v1\nkind: Profile\nname: mcp\nmcpServers:\n  - {{name: lab, url: \"{url}\"}}\nmcp:\n  - allow: {{server: lab, {rule}}}\n"
        ),
    );
    host.file("agent.py", include_str!("agent.py"));
}

fn names(list: &Value) -> Vec<&str> {
    let list = list.as_array().unwrap().iter();
    list.filter_map(|it| it["name"].as_str()).collect()
}

#[test]
fn a_server_built_with_fastmcp_is_used_as_far_as_allowed() {
    let mut host = Host::new();
    let ca = Ca::new(host.workdir()).unwrap();
    host.trust(&ca);
    let server = McpServer::fastmcp(host.workdir(), &ca, "fastmcp.acme.test").unwrap();
    host.name("fastmcp.acme.test", server.address());
    profile(
        &host,
        "https://fastmcp.acme.test/mcp",
        "tools: [add], prompts: [review]",
    );
    let ended = host.run().profile("mcp").python(
        r#"
from agent import *
c = connect("lab")
show([c.tools(), c.tool("add", a=2, b=3), c.tool("delete_everything", name="all"), c.ask("resources/list"), c.ask("prompts/list")])
"#,
    );
    let told = Told::of(ended);
    let shown = &told.shown[0];
    assert_eq!(names(&shown[0]), ["add"], "{}", told.ended);
    assert_eq!(
        shown[1]["result"]["structuredContent"]["result"], 5,
        "{}",
        told.ended
    );
    assert!(shown[2]["error"].is_object(), "{}", told.ended);
    assert_eq!(shown[3]["result"]["resources"], json!([]), "{}", told.ended);
    assert_eq!(names(&shown[4]["result"]["prompts"]), ["review"]);
}

#[test]
fn the_everything_server_is_used_over_plain_http() {
    let mut host = Host::new();
    let server = Everything::start(host.workdir()).unwrap();
    host.name("everything.acme.test", server.address());
    profile(
        &host,
        "http://everything.acme.test/mcp",
        r#"tools: [echo, "get-*"], resources: ["**"]"#,
    );
    let ended = host.run().profile("mcp").python(
        r#"
from agent import *
c = connect("lab")
show([[it["name"] for it in c.tools()], c.tool("echo", message="hello"), c.ask("resources/list")])
"#,
    );
    let told = Told::of(ended);
    let listed = told.shown[0][0].to_string();
    assert!(
        listed.contains("echo") && listed.contains("get-sum"),
        "{listed}"
    );
    assert!(!listed.contains("toggle"), "{listed}");
    assert!(
        told.shown[0][1].to_string().contains("hello"),
        "{}",
        told.ended
    );
    assert!(
        told.shown[0][2]["result"]["resources"].is_array(),
        "{}",
        told.ended
    );
}

/// What Claude Code asked the model, and offered it as tools.
fn offered(provider: &Provider) -> String {
    let requests = provider.requests().unwrap();
    let tools = requests.iter().flat_map(|request| {
        let tools = request["body"]["tools"].as_array().cloned();
        tools.unwrap_or_default()
    });
    let names = tools.filter_map(|tool| tool["name"].as_str().map(str::to_owned));
    names.collect::<Vec<_>>().join(" ")
}

#[test]
fn claude_code_calls_a_tool_and_sees_no_other() {
    let mut lab = Lab::fixture("tools: [echo]");
    let provider = Provider::start(lab.host.workdir(), &lab.ca, "sk-real-model").unwrap();
    lab.host.name(HOSTS[0], provider.address());
    let add = [
        "credential",
        "add",
        "anthropic",
        "--kind",
        "header",
        "--host",
        HOSTS[0],
        "--set",
        "name=x-api-key",
    ];
    let ended = lab.host.ringfence_reading(&add, "sk-real-model");
    assert_eq!(ended.code, 0, "{ended}");
    let servers = json!({"mcpServers": {"lab": {"type": "http", "url": "http://mcp.ringfence.internal/lab"}}});
    lab.host.file("mcp.json", servers.to_string());
    let installed = agents::installed();
    let claude = installed.join("bin/claude").display().to_string();
    let task = r#"CALL: mcp__lab__echo {"text": "from the agent"}"#;
    let arguments = [
        &*claude,
        "-p",
        task,
        "--mcp-config",
        "mcp.json",
        "--strict-mcp-config",
        "--allowedTools",
        "mcp__lab__echo",
    ];
    let run = lab.run().profile("claude-code");
    let ended = run
        .option("--read", &installed.display().to_string())
        .env("TERM=xterm-256color")
        .env("ENABLE_TOOL_SEARCH=false")
        .exec(&arguments);
    assert_eq!(ended.code, 0, "{ended}\n{}", provider.log());
    assert!(ended.stdout.contains("FINAL-OK"), "{ended}");
    assert!(ended.stdout.contains("from the agent"), "{ended}");
    assert!(!ended.to_string().contains(KEY), "{ended}");
    let offered = offered(&provider);
    assert!(offered.contains("mcp__lab__echo"), "{offered}");
    assert!(!offered.contains("mcp__lab__test"), "{offered}");
    for request in lab.requests() {
        assert!(request.to_string().contains(KEY), "{request}");
    }
    let events = lab.events();
    assert!(
        events
            .iter()
            .any(|event| event["action"]["target"] == "echo"),
        "{events:?}"
    );
    // What the model asked for, and within it what came of that.
    let shown = lab.host.ringfence(&["trace", "show"]).stdout;
    let (_, after) = shown.split_once("tool mcp__lab__echo").unwrap_or_default();
    assert!(after.contains("│  └─ mcp lab call-tool echo"), "{shown}");
}
