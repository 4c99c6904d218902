//! What belongs to one agent is worth nothing to another.

use ringfence_testkit::poll;
use serde_json::json;

use super::lab::{ALL, ALL_FEATURES, KEY, Lab, Told, text};

/// T4: sessions, cursors, tasks and states of one sandbox, used in another.
#[test]
fn what_a_server_gave_one_agent_is_refused_from_another() {
    let lab = Lab::hostile(ALL_FEATURES);
    let tools = json!([
        {"name": "do", "inputSchema": {"type": "object"}},
        {"name": "more", "inputSchema": {"type": "object"}},
    ]);
    lab.server
        .control(&json!({"tools": tools, "page": 1}))
        .unwrap();
    let first = lab.start(
        "first.py",
        r#"
a, b = connect("lab"), connect("lab", STATELESS)
given = {
    "session": a.session,
    "cursor": b.ask("tools/list")["result"].get("nextCursor"),
    "task": b.do("leak-task")["result"].get("taskId"),
    "state": b.do("leak-elicitation")["result"].get("requestState"),
}
open("given.new", "w").write(json.dumps(given))
os.rename("given.new", "given")
wait_for("over")
show([given, a.do("echo"), b.ask("tools/list", {"cursor": given["cursor"]})])
"#,
    );
    let given = lab.host.project().join("given");
    poll::until_true("what the first agent was given", || given.exists()).unwrap();
    let reached = lab.requests().len();
    let second = lab.agent(
        r#"
given = json.load(open("given"))
c = Client("lab")
c.session = given["session"]
show([c.http("POST", json.dumps(c.body("tools/list", {}))).status, c.http("GET", None).status, c.http("DELETE", None).status])
s = Client("lab", STATELESS)
show([
    s.ask("tools/list", {"cursor": given["cursor"]}),
    s.ask("tasks/get", {"taskId": given["task"]}, {"Mcp-Name": None}),
    s.ask("tools/call", {"name": "do", "arguments": {"what": "echo"}, "inputResponses": {"it": {"action": "decline"}}, "requestState": given["state"]}),
])
"#,
    );
    let over = lab.requests();
    lab.host.file("over", "");
    let first = Told::of(first.wait());
    for part in ["session", "cursor", "task", "state"] {
        assert!(
            first.shown[0][0][part].is_string(),
            "{part}: {}",
            first.ended
        );
    }
    assert!(first.shown[0][1]["result"].is_object(), "{}", first.ended);
    assert!(first.shown[0][2]["result"].is_object(), "{}", first.ended);
    assert_eq!(second.shown[0], json!([404, 404, 404]), "{}", second.ended);
    for answer in second.shown[1].as_array().unwrap() {
        assert!(answer["error"].is_object(), "{answer}");
    }
    // The server may have been asked for its definitions, but for nothing of the first agent's.
    let used = over.iter().skip(reached).any(|request| {
        let request = request.to_string();
        request.contains("task-1")
            || request.contains("page-1")
            || request.contains(KEY) && request.contains("\"DELETE\"")
    });
    assert!(!used, "{over:?}");
}

/// T5: the same ids at the same time, a thousand rounds each.
#[test]
fn two_agents_with_the_same_ids_never_get_each_others_answers() {
    let lab = Lab::hostile(ALL);
    let source = |mine: &str| {
        format!(
            r#"
c = connect("lab", {era})
wrong, heard = 0, 0
for round in range(1000):
    said = "{mine}-%d" % round
    if round % 4:
        answer = c.do("echo", text=said)
        wrong += json.loads(answer["result"]["content"][0]["text"]).get("text") != said
    else:
        c.notes.clear()
        c.do("narrate", text=said)
        heard += len(c.notes)
        wrong += any(it["params"]["message"] != said for it in c.notes)
show([wrong, heard])
SEEN.clear()
"#,
            era = if mine == "one" {
                "SESSIONS"
            } else {
                "STATELESS"
            }
        )
    };
    let one = lab.start("one.py", &source("one"));
    let two = lab.start("two.py", &source("two"));
    for running in [one, two] {
        let told = Told::of(running.wait());
        assert_eq!(told.shown, [json!([0, 250])], "{}", told.ended);
    }
}

/// T6: what the agent shows the gateway stays there.
#[test]
fn the_agents_token_stays_here_and_the_credential_there() {
    let lab = Lab::hostile(ALL);
    lab.rules_with_token(&[&format!(
        "allow: {{id: lab, server: lab, tokenRequired: true, {ALL}}}"
    )]);
    let told = lab.agent(
        r#"
token = os.environ["MCP_TOKEN"]
show(token)
c = connect("lab", headers={"Authorization": f"Bearer {token}"})
for what in ("echo", "leak-401", "leak-403", "leak-500", "leak-redirect", "leak-session"):
    show([what, c.do(what)])
"#,
    );
    let token = told.shown[0].as_str().unwrap();
    assert!(token.starts_with("rf_"), "{token}");
    assert!(told.shown[1][1]["result"].is_object(), "{}", told.ended);
    told.assert_never_saw(KEY);
    told.assert_never_saw("evil.test");
    let requests = lab.requests();
    assert!(requests.len() > 6, "{requests:?}");
    for request in requests {
        let text = request.to_string();
        assert!(text.contains(KEY) && !text.contains("rf_"), "{text}");
        assert!(!text.contains(token), "{text}");
    }
    let record = json!(lab.events()).to_string();
    assert!(!record.contains(KEY), "{record}");
}

/// T7: a token that is none of this sandbox's, and one where no token belongs.
#[test]
fn a_token_that_is_not_this_sandboxs_opens_nothing() {
    let lab = Lab::hostile(ALL);
    lab.rules_with_token(&[&format!(
        "allow: {{id: lab, server: lab, tokenRequired: true, {ALL}}}"
    )]);
    let other = lab.agent(r#"show(os.environ["MCP_TOKEN"])"#);
    let other = other.shown[0].as_str().unwrap();
    let told = lab.agent(&format!(
        r#"
def status(headers, path="lab"):
    c = Client(path, headers=headers)
    reply = c.post("initialize", {{"protocolVersion": SESSIONS, "capabilities": {{}}, "clientInfo": {{"name": "a", "version": "1"}}}})
    return reply.status
token = os.environ["MCP_TOKEN"]
show([status({{}}), status({{"Authorization": "Bearer {other}"}}), status({{"Authorization": "Bearer " + token[:-1] + "x"}})])
c = Client("lab")
c.url = c.url._replace(path="/lab?access_token=" + token)
show(c.post("initialize", {{"protocolVersion": SESSIONS, "capabilities": {{}}, "clientInfo": {{"name": "a", "version": "1"}}}}).status)
"#
    ));
    for status in told.shown[0].as_array().unwrap() {
        let status = status.as_u64().unwrap_or_default();
        assert!([401, 403].contains(&status), "{}", told.ended);
    }
    let status = told.shown[1].as_u64().unwrap_or_default();
    assert!((400..500).contains(&status), "{}", told.ended);
    assert_eq!(lab.requests().len(), 0);
}

#[test]
fn a_session_ends_where_its_agent_says_so() {
    let lab = Lab::hostile(ALL);
    let told = lab.agent(
        r#"
c = connect("lab")
show(c.do("echo", text="before"))
show([c.http("DELETE", None).status, c.http("POST", json.dumps(c.body("ping", {}))).status])
d = connect("lab")
show([d.session != c.session, "result" in d.do("echo")])
"#,
    );
    assert!(text(&told.shown[0]).contains("before"));
    assert_eq!(told.shown[1][1], 404, "{}", told.ended);
    assert_eq!(told.shown[2], json!([true, true]));
}
