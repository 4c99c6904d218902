//! What a server says that nobody asked it for.

use serde_json::{Value, json};

use super::lab::{ALL, ALL_FEATURES, ERAS, Lab, Told, text};

/// T20: answers to nothing, second answers, and streams that say more than they may.
#[test]
fn what_was_not_asked_for_is_dropped_and_recorded() {
    for era in ERAS {
        let lab = Lab::hostile(ALL);
        let told = lab.agent(&format!(
            r#"
c = connect("lab", {era})
for what in ("other-id", "text-id", "null-id", "stray-first", "second-answer", "stray-request", "stray-unknown", "stray-progress", "batch",
        "duplicate-key", "other-case", "twice-result", "result-and-error", "not-utf8", "html"):
    show([what, c.do(what)])
show(["asked", [it["method"] for it in c.asked]])
show(["after", c.do("echo", text="fine")])
"#
        ));
        told.assert_never_saw("STRAY");
        let about = |what: &str| -> &Value {
            let found = told.shown.iter().find(|it| it[0] == what);
            &found.unwrap()[1]
        };
        assert_eq!(text(about("stray-first")), "done", "{}", told.ended);
        assert_eq!(text(about("second-answer")), "first", "{}", told.ended);
        assert_eq!(text(about("stray-request")), "done", "{}", told.ended);
        assert_eq!(about("asked"), &json!([]));
        assert!(text(about("after")).contains("fine"), "{}", told.ended);
        let dropped: u64 = lab
            .events()
            .iter()
            .filter_map(|event| event["closing"]["mcp"]["dropped"].as_u64())
            .sum();
        assert!(dropped >= 4, "{dropped}: {:?}", lab.events());
    }
}

/// T20: on the stream that a server has for itself.
#[test]
fn a_stream_of_the_servers_own_carries_no_answers() {
    let lab = Lab::hostile(ALL);
    lab.server.control(&json!({"stray": true})).unwrap();
    let running = lab.start(
        "listen.py",
        r#"
c = connect("lab", timeout=9)
reply = c.http("GET", None, {"Content-Type": None}, fresh=True)
show([reply.status, [it.get("method") for it in reply.messages]])
"#,
    );
    let ended = running.wait();
    let told = Told::of(ended);
    told.assert_never_saw("STRAY");
    let expected = json!([200, ["notifications/tools/list_changed"]]);
    assert_eq!(told.shown[0], expected, "{}", told.ended);
}

/// T21: what a server asks of the agent is asked only where a rule lets it.
#[test]
fn a_server_asks_nothing_of_an_agent_unless_a_rule_says_so() {
    let script = |era: &str| {
        format!(
            r#"
c = connect("lab", {era})
c.answers = {{"elicitation/create": {{"action": "accept"}}, "sampling/createMessage": {{"role": "assistant", "content": {{"type": "text", "text": "MINE"}}, "model": "m"}}, "roots/list": {{"roots": []}}}}
for what in ("elicit-form", "elicit-listed", "elicit-unlisted", "elicit-plain", "sample", "sample-all", "roots"):
    c.asked.clear()
    answer = c.do(what)
    asked = [it["method"] for it in c.asked] or list((answer.get("result") or {{}}).get("inputRequests") or [])
    show([what, len(asked)])
    assert "evil.test" not in json.dumps(c.asked)
"#
        )
    };
    for era in ERAS {
        let lab = Lab::hostile(ALL);
        let told = lab.agent(&script(era));
        for row in &told.shown {
            assert_eq!(row[1], 0, "{row}: {}", told.ended);
        }
        told.assert_never_saw("evil.test");
        let lab = Lab::hostile(ALL_FEATURES);
        let told = lab.agent(&script(era));
        let expected = json!([
            ["elicit-form", 1],
            ["elicit-listed", 1],
            ["elicit-unlisted", 0],
            ["elicit-plain", 0],
            ["sample", 1],
            ["sample-all", 0],
            ["roots", 1],
        ]);
        assert_eq!(json!(told.shown), expected, "{era}: {}", told.ended);
    }
}
