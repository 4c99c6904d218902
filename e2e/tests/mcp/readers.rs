//! What one reader takes for something else than another does: names of arguments, URIs, headers, ids, members of answers.

use std::time::Instant;

use serde_json::{Value, json};

use super::lab::{ALL, ALL_FEATURES, Lab, text};

/// T1: a reader that folds case, or passes over underscores, reads an argument that no rule looked at.
#[test]
fn an_argument_in_another_spelling_is_not_past_the_rule_about_it() {
    let lab = Lab::hostile(ALL);
    let allowed = "{properties: {what: {const: echo}, repo: {const: acme/web}}, required: [what]}";
    let forbidden = "{properties: {user_id: {const: root}}, required: [user_id]}";
    lab.rules(&[
        &format!("allow: {{id: lab, server: lab, tools: [{{name: do, arguments: {allowed}}}]}}"),
        &format!("forbid: {{id: no, server: lab, tools: [{{name: do, arguments: {forbidden}}}]}}"),
    ]);
    let told = lab.agent(
        r#"
c = connect("lab")
show([c.do("echo", **more) for more in ({"Repo": "evil"}, {"re_po": "evil"}, {"REPO": "evil"}, {"deep": [{"rePo": "evil"}]},
    {"user_id": "root"}, {"userId": "root"}, {"User_ID": "root"}, {"WHAT": "leak-text"})])
show([c.do("echo", **more) for more in ({}, {"repo": "acme/web"}, {"user_id": "me"}, {"text": "Repo"})])
"#,
    );
    for answer in told.shown[0].as_array().unwrap() {
        let reason = &answer["error"]["data"]["reason"];
        assert!(answer["error"].is_object(), "{answer}");
        assert!(
            reason == "arguments-not-allowed" || reason == "tool-not-allowed",
            "{answer}"
        );
    }
    for answer in told.shown[1].as_array().unwrap() {
        assert!(answer["result"].is_object(), "{answer}");
    }
    assert_eq!(lab.calls().len(), 4);
}

/// T3: what is forbidden is so in whatever way it is written; what is not stays allowed.
#[test]
fn a_forbidden_resource_is_forbidden_in_every_spelling() {
    let lab = Lab::hostile(ALL);
    lab.rules(&[
        &format!("allow: {{id: lab, server: lab, {ALL}}}"),
        r#"forbid: {id: no, server: lab, resources: ["file:///secret/**", "https://a.test/keys/one"]}"#,
    ]);
    let told = lab.agent(
        r#"
c = connect("lab")
EVIL = """file:///secret/a file:///%73ecret/a file:///Secret/a file:/secret/a file://localhost/secret/a file:////secret/a file:///secret//a
file:///docs/../secret/a file:///docs/%2e%2e/secret/a file:///secret%2Fa https://a.test:443/keys/one https://me@a.test/keys/one
https://a.test./keys/one https://a.test/keys/one?x=1 https://a.test/keys/one#x https://a.test/keys/%6Fne HTTPS://A.TEST/keys/one""".split()
show([[uri, c.ask("resources/read", {"uri": uri})] for uri in EVIL])
show([[uri, c.ask("resources/subscribe", {"uri": uri})] for uri in EVIL])
show([c.ask("resources/read", {"uri": uri}) for uri in ("file:///docs/a%20b", "https://a.test/keys/two?a=b%3Dc", "test://plain", "file:///secrets")])
"#,
    );
    for list in &told.shown[..2] {
        for pair in list.as_array().unwrap() {
            assert!(pair[1]["error"].is_object(), "{pair}");
        }
    }
    for answer in told.shown[2].as_array().unwrap() {
        assert!(answer["result"].is_object(), "{answer}");
    }
    let reached = json!(lab.requests()).to_string();
    assert!(!reached.contains("secret/") && !reached.contains("keys/one"));
}

/// T2: a header that repeats an argument repeats the one that the tool says.
#[test]
fn a_header_repeats_the_argument_that_the_tool_says_it_does() {
    for more in ["", ", pin: off"] {
        let lab = Lab::hostile(&format!("{ALL}{more}"));
        let schema = json!({"type": "object", "properties": {
            "region": {"type": "string", "x-mcp-header": "Region"}, "other": {"type": "string"}, "what": {"type": "string"}}});
        let said = json!({"tools": [{"name": "do", "inputSchema": schema}]});
        lab.server.control(&said).unwrap();
        let told = lab.agent(
            r#"
c = connect("lab", STATELESS)
call = {"name": "do", "arguments": {"what": "echo", "region": "eu", "other": "us"}}
for headers in ({"Mcp-Param-Region": "us"}, {"Mcp-Param-Region": "=?base64?dXM=?="}, {"Mcp-Param-Other": "us"}, {"Mcp-Param-Tenant": "eu"}):
    reply = c.post("tools/call", call, headers)
    show([reply.status, reply.messages[0].get("error", {}).get("code")])
show(c.post("tools/call", call, {"Mcp-Param-Region": "eu"}).status)
"#,
        );
        let (last, refused) = told.shown.split_last().unwrap();
        for reply in refused {
            assert_eq!(reply, &json!([400, -32020]), "{}", told.ended);
        }
        assert_eq!(last, &json!(200), "{}", told.ended);
        let calls = lab.calls();
        assert_eq!(calls.len(), 1);
        assert!(
            calls[0]
                .to_string()
                .to_lowercase()
                .contains(r#"["mcp-param-region","eu"]"#)
        );
    }
}

/// T1: an answer in which some readers find what the gateway did not look at.
#[test]
fn an_answer_whose_names_are_spelled_oddly_is_not_passed_on() {
    let lab = Lab::hostile(ALL);
    let told = lab.agent(
        r#"
ASK = '{"it":{"method":"elicitation/create","params":{"mode":"url","message":"STRAY","url":"https://evil.test"}}}'
for era in (SESSIONS, STATELESS):
    c = connect("lab", era)
    for name in ("InputRequests", "input_requests", "Inputrequests"):
        said = '{"jsonrpc":"2.0","id":%%ID%%,"result":{"resultType":"input_required","%s":%s}}' % (name, ASK)
        show(c.do("made", **{"as": said}))
    for name in ("NextCursor", "next_cursor", "TaskId", "Instructions"):
        said = '{"jsonrpc":"2.0","id":%%ID%%,"result":{"content":[],"%s":"STRAY"}}' % name
        show(c.do("made", **{"as": said}))
    show(c.do("echo"))
"#,
    );
    told.assert_never_saw("STRAY");
    let answered = told.shown.iter().filter(|it| it["result"].is_object());
    assert_eq!(answered.count(), 2, "{}", told.ended);
}

/// T5: two clients in one sandbox count each for itself, as servers do for each session.
#[test]
fn questions_of_one_id_in_two_sessions_are_two_questions() {
    let lab = Lab::hostile(ALL);
    let told = lab.agent(
        r#"
import threading
a, b = connect("lab", timeout=30), connect("lab", timeout=30)
gate = threading.Barrier(2, timeout=20)
# Neither answers before the other was asked as well.
def answer_together(client):
    hear = client.hear
    def late(message):
        if "id" in message:
            try:
                gate.wait(2)
            except threading.BrokenBarrierError:
                pass
        hear(message)
    client.hear, client.answers = late, {"ping": {}}
found = {}
for name, client in (("a", a), ("b", b)):
    answer_together(client)
threads = [threading.Thread(target=lambda n=n, c=c: found.update({n: c.do("ask-zero")})) for n, c in (("a", a), ("b", b))]
[it.start() for it in threads]
[it.join() for it in threads]
show([found["a"], found["b"]])
"#,
    );
    for answer in told.shown[0].as_array().unwrap() {
        assert_eq!(text(answer), "heard", "{}", told.ended);
    }
}

/// T21: the host counts; what is encoded in the rest of an address is the page's own.
#[test]
fn a_person_is_sent_to_a_page_of_a_host_that_is_named() {
    let lab = Lab::hostile(ALL_FEATURES);
    let told = lab.agent(
        r#"
c = connect("lab")
c.answers = {"elicitation/create": {"action": "accept"}}
for what in ("elicit-encoded", "elicit-user"):
    c.asked.clear()
    c.do(what)
    show(len(c.asked))
"#,
    );
    assert_eq!(told.shown, [json!(1), json!(0)], "{}", told.ended);
    told.assert_never_saw("evil.test");
}

/// T22: what an agent sends to be remembered is short, and what looks like a thousand secrets costs no minutes.
#[test]
fn tokens_are_short_and_many_findings_are_found_quickly() {
    let lab = Lab::hostile(ALL);
    let told = lab.agent(
        r#"
import zlib
digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
body, check = "Zq8mLw3TxV7pRb2NcKd5HsPd8JcYfT", ""
rest = zlib.crc32(body.encode())
while rest:
    check, rest = digits[rest % 62] + check, rest // 62
c = connect("lab", timeout=60)
show(c.ask("tools/call", {"name": "do", "arguments": {"what": "echo"}, "_meta": {"progressToken": "x" * 100000}}))
show(c.ask("tools/call", {"name": "do", "arguments": {"what": "echo"}, "_meta": {"progressToken": "x" * 200}}))
began = time.monotonic()
show(c.do("echo", many=["ghp_" + body + check.rjust(6, "0")] * 100000))
show(time.monotonic() - began)
"#,
    );
    assert!(told.shown[0]["error"].is_object(), "{}", told.ended);
    assert!(told.shown[1]["result"].is_object(), "{}", told.ended);
    assert!(told.shown[2]["error"].is_object(), "{}", told.ended);
    assert!(told.shown[3].as_f64().unwrap() < 30.0, "{}", told.ended);
}

/// T22: definitions in page after page of the longest ones.
#[test]
fn a_list_of_the_longest_definitions_is_given_up() {
    let lab = Lab::hostile(ALL);
    let long = "x".repeat(200 << 10);
    let tools: Vec<Value> = (0..120)
        .map(|n| json!({"name": format!("t{n}"), "description": long, "inputSchema": {"type": "object"}}))
        .collect();
    let said = json!({"tools": tools, "page": 20});
    lab.server.control(&said).unwrap();
    let began = Instant::now();
    let told = lab.agent(r#"c = connect("lab", timeout=60); show(c.ask("tools/list"))"#);
    let error = &told.shown[0]["error"];
    assert!(error["message"].to_string().contains("too many"), "{error}");
    assert!(began.elapsed().as_secs() < 60);
}

/// More clients than are remembered: the newest work, the oldest begin anew.
#[test]
fn sessions_that_nobody_ends_do_not_lock_new_ones_out() {
    let lab = Lab::hostile(ALL);
    let told = lab.agent(
        r#"
first = connect("lab")
used = connect("lab")
for _ in range(260):
    c = connect("lab")
    used.ask("ping")
show([c.session is not None, c.ask("ping"), used.ask("ping"), first.http("POST", json.dumps(first.body("ping", {}))).status])
SEEN.clear()
"#,
    );
    assert_eq!(
        told.shown[0],
        json!([true, {"result": {}}, {"result": {}}, 404]),
        "{}",
        told.ended
    );
}
