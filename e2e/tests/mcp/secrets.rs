//! What the server is given never comes back, whatever it wraps it in, and what looks like a secret does not either.

use serde_json::{Value, json};

use super::lab::{ALL, ALL_FEATURES, ERAS, KEY, Lab, Told, text};

/// T15, T6: the credential in every place of an answer, in both eras.
#[test]
fn the_credential_comes_back_in_no_place_of_any_answer() {
    for era in ERAS {
        let lab = Lab::hostile(ALL_FEATURES);
        let told = lab.agent(&format!(
            r#"
c = connect("lab", {era})
c.answers = {{"elicitation/create": {{"action": "accept", "content": {{"name": "n"}}}}}}
PLACES = """text structured resource blob base64 link annotations error error-data progress log key meta split escaped image unknown
401 403 500 redirect session sampling elicitation task""".split()
for place in PLACES:
    show([place, c.do("leak-" + place)])
show(["resource", c.ask("resources/read", {{"uri": "test://leak"}})])
show(["prompt", c.ask("prompts/get", {{"name": "leak"}})])
show(["completion", c.ask("completion/complete", {{"ref": {{"type": "ref/prompt", "name": "plain"}}, "argument": {{"name": "a", "value": "b"}}}})])
show(["late", c.ask("tasks/get", {{"taskId": c.do("leak-task").get("result", {{}}).get("taskId", "none")}})])
show(["after", c.do("echo", text="still here")])
"#
        ));
        assert_eq!(told.shown.len(), 30, "{}", told.ended);
        told.assert_never_saw(KEY);
        told.assert_never_saw(&KEY[9..]);
        for encoded in [
            "bWNwLXJlYWwtWnE4bUx3M1R4VjdwUmIyTmNLZDU",
            "aXQgaXMgbWNwLXJlYWwt",
        ] {
            told.assert_never_saw(encoded);
        }
        let calls = lab.calls();
        assert!(calls.len() >= 25, "{}", calls.len());
        assert!(text(&told.shown[29][1]).contains("still here"));
        let record = json!(lab.events()).to_string();
        assert!(!record.contains(KEY), "{record}");
    }
}

/// T15: also in what a server says of itself and of what it has.
#[test]
fn the_credential_is_in_no_definition_either() {
    for era in ERAS {
        let lab = Lab::hostile(ALL);
        let tool = json!({
            "name": "do", "description": "SECRET", "inputSchema": {"type": "object", "properties": {"SECRET": {"const": "SECRET"}}},
            "_meta": {"acme.test/a": "SECRET"},
        });
        let said = json!({
            "tools": [tool], "instructions": "Use SECRET", "identity": {"title": "hostile"},
            "prompts": [{"name": "plain", "description": "SECRET"}],
            "resources": [{"uri": "test://SECRET", "name": "SECRET"}],
        });
        lab.server.control(&said).unwrap();
        let told = lab.agent(&format!(
            r#"
c = connect("lab", {era})
show(c.hello)
show([c.ask(it) for it in ("tools/list", "prompts/list", "resources/list")])
"#
        ));
        told.assert_never_saw(KEY);
        assert!(lab.requests().len() >= 3);
        let kept = lab.mcp(&["tools", "lab"]);
        assert!(!kept.to_string().contains(KEY), "{kept}");
    }
}

fn found(told: &Told, at: usize) -> String {
    told.shown[at].to_string()
}

#[test]
fn what_looks_like_a_secret_is_put_out_of_results_or_stops_them() {
    let lab = Lab::hostile(ALL);
    let script = r#"c = connect("lab"); show(c.do("found-secret"))"#;
    let told = lab.agent(script);
    assert!(told.shown[0]["result"].is_object(), "{}", told.ended);
    told.assert_never_saw("ghp_");
    // T17: one answer in two forms has the same word in both.
    let structured = &told.shown[0]["result"]["structuredContent"]["key"];
    assert_eq!(Some(text(&told.shown[0])), structured.as_str());
    let with = |word: &str| {
        lab.rules(&[&format!(
            "allow: {{id: lab, server: lab, secrets: {word}, {ALL}}}"
        )]);
        lab.agent(script)
    };
    let blocked = with("block");
    blocked.assert_never_saw("ghp_");
    assert!(blocked.shown[0]["result"].is_null(), "{}", blocked.ended);
    assert!(found(&with("observe"), 0).contains("ghp_"));
    let findings = json!(lab.events()).to_string();
    assert!(findings.contains("github"), "{findings}");
}

/// T16: what was put in the place of a secret is no argument.
#[test]
fn secrets_and_what_stands_for_them_are_no_arguments() {
    let lab = Lab::hostile(ALL);
    let told = lab.agent(
        r#"
import zlib

def secret():
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    body, check = "Zq8mLw3TxV7pRb2NcKd5HsPd8JcYfT", ""
    rest = zlib.crc32(body.encode())
    while rest:
        check, rest = digits[rest % 62] + check, rest // 62
    return "ghp_" + body + check.rjust(6, "0")

c = connect("lab")
marker = c.do("found-secret")["result"]["content"][0]["text"]
before = c.count
show([c.do("echo", text=marker), c.do("echo", text=secret()), c.do("echo", deep=[{"a" + marker: 1}])])
show(c.do("echo", text="plain"))
"#,
    );
    for answer in told.shown[0].as_array().unwrap() {
        assert!(answer["error"].is_object(), "{answer}");
    }
    assert!(told.shown[1]["result"].is_object(), "{}", told.ended);
    let echoed = lab.calls();
    let echoed = echoed.iter().filter(|it| it.to_string().contains("echo"));
    assert_eq!(echoed.count(), 1);
}

/// T17: what has no secret in it is not touched.
#[test]
fn pictures_and_signed_addresses_arrive_as_they_were() {
    let lab = Lab::hostile(ALL);
    for era in ERAS {
        let told = lab.agent(&format!(
            r#"
import base64
c = connect("lab", {era})
picture = c.do("picture")["result"]["content"][0]["data"]
show(picture == base64.b64encode(bytes(range(256)) * 8).decode())
show(c.do("signed-url")["result"]["content"][0]["uri"])
"#
        ));
        assert_eq!(told.shown[0], true, "{}", told.ended);
        let signed = told.shown[1].as_str().unwrap();
        assert!(signed.ends_with(&"ab12".repeat(16)), "{signed}");
        assert!(signed.contains("AKIDEXAMPLE%2F20260101"), "{signed}");
    }
}

/// T19: kinds of content that nobody knows yet are searched like the others, or do not pass.
#[test]
fn content_of_an_unknown_kind_is_no_way_around() {
    let lab = Lab::hostile(ALL);
    let told =
        lab.agent(r#"c = connect("lab"); show([c.do("unknown-type"), c.do("leak-unknown")])"#);
    told.assert_never_saw(KEY);
    let [plain, leaking]: [Value; 2] = serde_json::from_value(told.shown[0].clone()).unwrap();
    assert_eq!(plain["result"].is_null(), leaking["result"].is_null());
}
