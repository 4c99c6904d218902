//! An agent sees what its rules allow, and nothing else of a server is there for it.

use ringfence_testkit::poll;
use serde_json::{Value, json};

use super::lab::{ALL, ERAS, KEY, Lab, Told, text};

fn names(tools: &Value) -> Vec<String> {
    let tools = tools.as_array().unwrap().iter();
    tools
        .map(|tool| tool["name"].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// The message of an error, which may name its event at the end.
fn without_event(error: &Value) -> String {
    let message = error["message"].as_str().unwrap_or("none");
    let end = message.find(" (event ").unwrap_or(message.len());
    message[..end].to_owned()
}

/// T3: what is forbidden is not there, by any way to it.
#[test]
fn what_is_forbidden_is_as_if_it_were_not_there() {
    let lab = Lab::fixture(
        r#"tools: [echo, "test_*"], resources: ["test://static-*"], prompts: [test_simple_prompt]"#,
    );
    lab.rules(&[
        r#"allow: {id: lab, server: lab, tools: [echo, "test_*"], resources: ["test://static-*"], prompts: [test_simple_prompt]}"#,
        r#"forbid: {server: lab, tools: [test_simple_text]}"#,
    ]);
    for era in ERAS {
        let told = lab.agent(&format!(
            r#"
c = connect("lab", {era})
show(c.tools())
show([c.tool(it) for it in ("test_simple_text", "test_simple_texx")])
show([c.tool(it) for it in ("json_schema_2020_12_tool", "lab_echo", "ECHO", "echo ", "ech\u043e")])
show([it["uri"] for it in c.ask("resources/list")["result"]["resources"]])
show([c.ask("resources/read", {{"uri": it}}) for it in ("test://watched-resource", "test://static-nothing", "test://static-a/../watched-resource")])
show([it["name"] for it in c.ask("prompts/list")["result"]["prompts"]])
show([c.ask("prompts/get", {{"name": it}}) for it in ("test_prompt_with_image", "test_nothing")])
ref = {{"type": "ref/prompt", "name": "test_prompt_with_arguments"}}
show(c.ask("completion/complete", {{"ref": ref, "argument": {{"name": "arg1", "value": "p"}}}}))
show([c.tool("echo", text="a"), c.ask("resources/read", {{"uri": "test://static-text"}}), c.ask("prompts/get", {{"name": "test_simple_prompt"}})])
"#
        ));
        let shown = &told.shown;
        let listed = names(&shown[0]);
        assert!(listed.contains(&"echo".to_owned()), "{listed:?}");
        assert!(!listed.contains(&"test_simple_text".to_owned()));
        assert!(!listed.contains(&"json_schema_2020_12_tool".to_owned()));
        let [denied, unknown] = [&shown[1][0]["error"], &shown[1][1]["error"]];
        assert_eq!(denied["code"], unknown["code"], "{denied} {unknown}");
        let renamed = without_event(denied).replace("test_simple_text", "test_simple_texx");
        assert_eq!(renamed, without_event(unknown));
        for answer in [&shown[2], &shown[4], &shown[6], &json!([shown[7]])] {
            for answer in answer.as_array().unwrap() {
                assert!(answer["error"]["code"].is_i64(), "{answer}");
            }
        }
        assert_eq!(
            shown[3],
            json!(["test://static-text", "test://static-binary"])
        );
        assert_eq!(shown[5], json!(["test_simple_prompt"]));
        for answer in shown[8].as_array().unwrap() {
            assert!(answer["result"].is_object(), "{answer}");
        }
    }
    let calls = lab.calls();
    assert!(
        calls.iter().all(|it| it["body"]
            .as_str()
            .unwrap_or_default()
            .contains(r#""name":"echo""#)),
        "{calls:?}"
    );
}

#[test]
fn arguments_are_checked_and_the_agent_is_shown_what_is_left() {
    let lab = Lab::fixture(ALL);
    let schema = r#"{type: object, properties: {repo: {const: acme/web}, amount: {type: number, maximum: 500}}, required: [repo]}"#;
    lab.rules(&[&format!(
        "allow: {{id: lab, server: lab, tools: [{{name: echo, arguments: {schema}}}]}}"
    )]);
    let told = lab.agent(
        r#"
c = connect("lab")
show(c.tools())
show(c.tool("echo", repo="acme/web", amount=3, text="t"))
show([c.tool("echo", repo="acme/other"), c.tool("echo", repo="acme/web", amount=501), c.tool("echo"), c.tool("echo", Repo="acme/web")])
"#,
    );
    assert_eq!(names(&told.shown[0]), ["echo"]);
    let shown = &told.shown[0][0]["inputSchema"];
    assert_eq!(shown["type"], "object", "{shown}");
    assert_eq!(shown["required"], json!(["repo"]), "{shown}");
    let repo = shown["properties"]["repo"].to_string();
    assert!(repo.contains("acme/web"), "{shown}");
    assert!(
        shown["properties"]["amount"].to_string().contains("500"),
        "{shown}"
    );
    assert!(
        text(&told.shown[1]).contains("acme/web"),
        "{}",
        told.shown[1]
    );
    for answer in told.shown[2].as_array().unwrap() {
        assert!(answer["result"].is_null(), "{answer}");
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(!message.is_empty(), "{answer}");
    }
    assert_eq!(lab.calls().len(), 1);
}

/// T24: a new policy counts from the next call of a session that is open.
#[test]
fn a_rule_that_is_taken_away_takes_its_tool_with_it() {
    let lab = Lab::fixture("tools: [echo, test_simple_text]");
    let running = lab.start(
        "long.py",
        r#"
c = connect("lab")
show([len(c.tools()), "result" in c.tool("echo")])
open("first", "w").close()
for _ in range(300):
    answer = c.tool("echo")
    if "result" not in answer:
        break
    time.sleep(0.05)
show([answer, [it["name"] for it in c.tools()]])
"#,
    );
    let first = lab.host.project().join("first");
    poll::until_true("the first call", || first.exists()).unwrap();
    lab.rules(&["allow: {id: lab, server: lab, tools: [test_simple_text]}"]);
    let told = Told::of(running.wait());
    assert_eq!(told.shown[0], json!([2, true]));
    assert!(told.shown[1][0]["error"].is_object(), "{}", told.ended);
    assert_eq!(told.shown[1][1], json!(["test_simple_text"]));
}

/// T24: those who listen are told that something has changed.
#[test]
fn a_change_of_rules_is_told_to_an_agent_that_listens() {
    let lab = Lab::hostile(ALL);
    let running = lab.start(
        "listen.py",
        r#"
c = connect("lab", timeout=25)
c.tools()
open("ready", "w").close()
response = c.connect()
response.request("GET", c.url.path, None, {"Accept": "text/event-stream", "Mcp-Session-Id": c.session, "MCP-Protocol-Version": SESSIONS})
answer = response.getresponse()
line, end = b"-", time.time() + 15
while line and b"tools/list_changed" not in line and time.time() < end:
    line = answer.readline()
show([answer.status, b"tools/list_changed" in line])
"#,
    );
    let ready = lab.host.project().join("ready");
    poll::until_true("the first list", || ready.exists()).unwrap();
    lab.server
        .wait_for("the stream", |line| line["method"] == "GET")
        .unwrap();
    lab.rules(&["allow: {id: lab, server: lab, tools: [other]}"]);
    let told = Told::of(running.wait());
    assert_eq!(told.shown[0], json!([200, true]), "{}", told.ended);
}

#[test]
fn a_server_that_no_rule_is_about_is_not_there() {
    let lab = Lab::fixture(ALL);
    lab.rules(&[]);
    let told = lab.agent(
        r#"
for server in ("lab", "other", "lab/x", ""):
    c = Client(server)
    show(c.post("initialize", {"protocolVersion": SESSIONS, "capabilities": {}, "clientInfo": {"name": "a", "version": "1"}}).status)
"#,
    );
    for status in &told.shown {
        let status = status.as_u64().unwrap_or_default();
        assert!((400..500).contains(&status), "{}", told.ended);
    }
    assert_eq!(lab.requests().len(), 0);
}

#[test]
fn the_servers_own_name_leads_to_the_same_rules() {
    let lab = Lab::fixture("tools: [echo]");
    for era in ERAS {
        let told = lab.agent(&format!(
            r#"
c = connect("mcp", {era}, base="https://fixture.acme.test")
show([it["name"] for it in c.tools()])
show([c.tool("echo", text="a"), c.tool("test_simple_text")])
show(c.http("POST", json.dumps(c.body("ping", {{}})), path="/other").status)
"#
        ));
        assert_eq!(told.shown[0], json!(["echo"]), "{}", told.ended);
        assert!(told.shown[1][0]["result"].is_object(), "{}", told.ended);
        assert!(told.shown[1][1]["error"].is_object(), "{}", told.ended);
        let elsewhere = told.shown[2].as_u64().unwrap_or_default();
        assert!((400..500).contains(&elsewhere), "{}", told.ended);
        told.assert_never_saw(KEY);
    }
}

#[test]
fn the_record_says_what_was_called_and_never_with_what() {
    let lab = Lab::fixture("tools: [echo]");
    lab.agent(
        r#"
c = connect("lab")
c.tool("echo", text="words of the agent")
c.tool("test_simple_text")
"#,
    );
    let events = lab.events();
    let calls: Vec<&Value> = events
        .iter()
        .filter(|event| event["action"]["verb"] == "call-tool")
        .collect();
    assert_eq!(calls.len(), 2, "{events:?}");
    assert_eq!(calls[0]["action"]["target"], "echo");
    assert_eq!(calls[0]["decision"]["effect"], "allow");
    assert_eq!(calls[1]["decision"]["effect"], "deny");
    assert!(
        calls[0]["closing"]["mcp"]["result"].is_object(),
        "{events:?}"
    );
    let record = json!(events).to_string();
    assert!(!record.contains("words of the agent"), "{record}");
    assert!(!record.contains(KEY), "{record}");
}
