//! What is not plainly one message is refused, and does not reach the server.

use serde_json::json;

use super::lab::{ALL, ERAS, Lab};

/// T1: two readers could take these for different messages.
#[test]
fn a_message_that_can_be_read_in_two_ways_goes_nowhere() {
    let lab = Lab::hostile(ALL);
    let told = lab.agent(
        r#"
c = connect("lab")
CALL = '"jsonrpc":"2.0","id":7,"method":"tools/call"'
SAFE = '{"name":"do","arguments":{"what":"STRAY"}}'
for body in [
    '{%s,"params":{"name":"do","name":"evil","arguments":{}}}' % CALL,
    '{%s,"params":{"name":"do","Name":"evil","arguments":{}}}' % CALL,
    '{%s,"params":{"name":"do","n\\u0061me":"evil","arguments":{}}}' % CALL,
    '{%s,"params":%s,"params":%s}' % (CALL, SAFE, SAFE),
    '{%s,"Params":%s,"params":%s}' % (CALL, SAFE, SAFE),
    '{%s,"method":"ping","params":%s}' % (CALL, SAFE),
    '{%s,"METHOD":"ping","params":%s}' % (CALL, SAFE),
    '{%s,"id":8,"params":%s}' % (CALL, SAFE),
    '{%s,"params":{"name":"do","arguments":{"what":"STRAY","what":"STRAY"}}}' % CALL,
    '{%s,"params":{"name":"do","arguments":"STRAY"}}' % CALL,
    '{%s,"params":["do","STRAY"]}' % CALL,
    '{%s,"params":{"name":["do"],"arguments":{"what":"STRAY"}}}' % CALL,
    '[{%s,"params":%s}]' % (CALL, SAFE),
    '{%s,"params":%s} {}' % (CALL, SAFE),
    '\ufeff{%s,"params":%s}' % (CALL, SAFE),
    '{"jsonrpc":"2.0","id":null,"method":"tools/call","params":%s}' % SAFE,
    '{"jsonrpc":"2.0","id":1.5,"method":"tools/call","params":%s}' % SAFE,
    '{"jsonrpc":"1.0","id":7,"method":"tools/call","params":%s}' % SAFE,
    '{"id":7,"method":"tools/call","params":%s}' % SAFE,
    '{%s,"params":%s,"result":{}}' % (CALL, SAFE),
    '{%s,"params":{"name":"do","arguments":{"what":"STRAY","deep":%s}}}' % (CALL, "[" * 5000 + "]" * 5000),
]:
    reply = c.http("POST", body.encode())
    error = reply.messages[0].get("error", {}) if reply.messages else {}
    show([reply.status, error.get("code"), body[:90]])
show(c.do("echo"))
"#,
    );
    let (last, refused) = told.shown.split_last().unwrap();
    assert_eq!(refused.len(), 21);
    for reply in refused {
        let code = reply[1].as_i64().unwrap_or_default();
        assert!(
            [-32700, -32600, -32602].contains(&code),
            "{reply}: {}",
            told.ended
        );
    }
    assert!(last["result"].is_object(), "the session goes on: {last}");
    assert_eq!(lab.calls().len(), 1, "{:?}", lab.calls());
}

/// T1: the server reads what was decided on, not what the agent wrote.
#[test]
fn what_reaches_the_server_is_written_anew() {
    let lab = Lab::hostile(ALL);
    let told = lab.agent(
        r#"
c = connect("lab")
body = '{ "id":7,  "jsonrpc":"2.0", "params":{"arguments":{"n":1.00000000000000000001e+2,"what":"ech\\u006f"},"name":"do"},\n"method":"tools/call"}'
show(c.http("POST", body).status)
"#,
    );
    assert_eq!(told.shown, [json!(200)]);
    let calls = lab.calls();
    let body = calls[0]["body"].as_str().unwrap();
    assert!(!body.contains('\n') && !body.contains(": "), "{body}");
    assert!(body.contains("1.00000000000000000001e+2"), "{body}");
}

/// T2: headers that say something else than the body.
#[test]
fn headers_that_differ_from_the_body_are_refused() {
    let lab = Lab::hostile(ALL);
    let told = lab.agent(
        r#"
c = connect("lab", STATELESS)
call = {"name": "do", "arguments": {"what": "echo"}}
for headers in [
    {"Mcp-Name": "other"},
    {"Mcp-Name": None},
    {"Mcp-Name": "=?base64?b3RoZXI=?="},
    {"Mcp-Name": "=?base64?!!?="},
    {"Mcp-Name": "DO"},
    {"Mcp-Method": "tools/list"},
    {"Mcp-Method": None},
    {"Mcp-Method": "Tools/Call"},
    {"MCP-Protocol-Version": "2025-11-25"},
]:
    reply = c.post("tools/call", call, headers)
    error = reply.messages[0].get("error", {}) if reply.messages else {}
    show([reply.status, error.get("code"), headers])
show(c.post("tools/call", call, {"Mcp-Name": "=?base64?ZG8=?="}).status)
"#,
    );
    let (last, refused) = told.shown.split_last().unwrap();
    for reply in refused {
        assert_eq!(
            (&reply[0], &reply[1]),
            (&json!(400), &json!(-32020)),
            "{reply}"
        );
    }
    assert_eq!(last, &json!(200), "the same name in its other form");
    assert_eq!(lab.calls().len(), 1);
}

/// T8: a page in a browser, and a name that was made to lead here.
#[test]
fn another_host_or_origin_is_refused_before_anything_is_read() {
    let lab = Lab::hostile(ALL);
    let told = lab.agent(
        r#"
import socket
c = connect("lab")
for headers in [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}]:
    show(c.http("POST", "not json", headers, fresh=True).status)
body = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
for lines in [b"Origin: http://mcp.ringfence.internal\r\nOrigin: https://evil.example\r\n", b"Host: evil.example\r\n"]:
    s = socket.create_connection(("mcp.ringfence.internal", 80), 10)
    s.sendall(b"POST /lab HTTP/1.1\r\nHost: mcp.ringfence.internal\r\nContent-Type: application/json\r\n" + lines)
    s.sendall(b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    show(int(s.makefile("rb").readline().split()[1]))
show(c.http("POST", json.dumps(c.body("ping", {})), {"Origin": "http://mcp.ringfence.internal"}).status)
"#,
    );
    let (last, refused) = told.shown.split_last().unwrap();
    for status in refused {
        let status = status.as_u64().unwrap_or_default();
        assert!(
            [400, 403, 421].contains(&status),
            "{status}: {}",
            told.ended
        );
    }
    assert_eq!(last, &json!(200), "{}", told.ended);
    let evil = lab.requests();
    assert!(!evil.iter().any(|it| it.to_string().contains("evil")));
}

/// T29: what a page can send without asking.
#[test]
fn a_form_is_no_message() {
    let lab = Lab::hostile(ALL);
    let told = lab.agent(
        r#"
c = connect("lab")
body = json.dumps(c.body("tools/call", {"name": "do", "arguments": {}}))
for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=a", None]:
    show(c.http("POST", body.encode(), {"Content-Type": kind}, fresh=True).status)
"#,
    );
    assert_eq!(told.shown, [json!(415), json!(415), json!(415), json!(415)]);
    assert_eq!(lab.calls().len(), 0);
}

/// T30: there are no sessions in the stateless era.
#[test]
fn the_stateless_era_has_neither_streams_of_its_own_nor_sessions() {
    let lab = Lab::hostile(ALL);
    let told = lab.agent(
        r#"
c = connect("lab", STATELESS)
version = {"MCP-Protocol-Version": STATELESS}
show([c.http("GET", None, version).status, c.http("DELETE", None, version).status])
show(c.ask("tools/call", {"name": "do", "arguments": {"what": "echo"}}, {"Mcp-Session-Id": "another-agents"}))
show([c.ask(it) for it in ("initialize", "ping", "logging/setLevel", "resources/subscribe")])
"#,
    );
    assert_eq!(told.shown[0], json!([405, 405]));
    assert!(told.shown[1]["result"].is_object(), "{}", told.shown[1]);
    for answer in told.shown[2].as_array().unwrap() {
        assert_eq!(answer["error"]["code"], -32601, "{answer}");
    }
    let asked = lab.requests();
    assert!(
        !asked
            .iter()
            .any(|it| it.to_string().contains("another-agents"))
    );
}

#[test]
fn a_method_that_nobody_knows_is_an_error_of_json_rpc() {
    let lab = Lab::hostile(ALL);
    for era in ERAS {
        let told = lab.agent(&format!(
            r#"c = connect("lab", {era}); show([c.ask(it) for it in ("tools/evil", "Tools/Call", "rpc.discover", "")])"#
        ));
        for answer in told.shown[0].as_array().unwrap() {
            let code = answer["error"]["code"].as_i64();
            assert!([Some(-32601), Some(-32600)].contains(&code), "{answer}");
        }
    }
    let asked = lab.requests();
    assert!(
        !asked
            .iter()
            .any(|it| it["body"].to_string().contains("evil"))
    );
}
