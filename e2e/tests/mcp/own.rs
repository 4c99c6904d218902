//! The gateway's own server: an agent asks why, and asks a person. It gets nothing by that.

use serde_json::Value;

use super::lab::{Lab, Told, text};

const BOTH: &str =
    "allow: {id: own, server: ringfence, tools: [ringfence_why_denied, ringfence_request_access]}";
const WHY: &str = "allow: {id: own, server: ringfence, tools: [ringfence_why_denied]}";

/// A lab whose one rule is about the gateway's own server.
fn lab(rule: &str) -> Lab {
    let lab = Lab::hostile("tools: [allowed]");
    lab.rules(&[rule]);
    lab
}

/// Is denied a host, and calls `then` with the id of that event.
fn agent(lab: &Lab, then: &str) -> Told {
    lab.agent(&format!(
        r#"
import json, re, subprocess
def denied(host):
    said = subprocess.run(["curl", "-sS", f"http://{{host}}/"], capture_output=True, text=True).stdout
    return re.search(r"[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}", said).group(0)
{then}
"#
    ))
}

#[test]
fn an_agent_learns_why_and_asks_a_person_and_gets_nothing_by_it() {
    let lab = lab(BOTH);
    let told = agent(
        &lab,
        r#"
event = denied("evil.test")
for era in (SESSIONS, STATELESS):
    c = connect("ringfence", era)
    show([[it["name"] for it in c.tools()], c.tool("ringfence_why_denied"), c.tool("ringfence_why_denied", event=event)])
show(c.tool("ringfence_request_access", event=event, reason="the task\nneeds \x1b[31mit"))
show(c.tool("ringfence_request_access", event=event, reason="again"))
show(denied("evil.test"))
"#,
    );
    for shown in &told.shown[..2] {
        assert_eq!(
            shown[0].to_string(),
            r#"["ringfence_request_access","ringfence_why_denied"]"#
        );
        for answer in [&shown[1], &shown[2]] {
            assert!(text(answer).contains("evil.test"), "{answer}");
            assert!(text(answer).contains("no rule allows"), "{answer}");
            assert!(
                text(answer).contains("ringfence allow evil.test"),
                "{answer}"
            );
        }
    }
    assert!(
        text(&told.shown[2]).contains("A person will see this"),
        "{}",
        told.ended
    );
    assert!(
        text(&told.shown[3]).contains("asked for already"),
        "{}",
        told.ended
    );
    assert!(told.shown[4].is_string(), "{}", told.ended);
    let ended = lab.host.ringfence(&["proposals"]);
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert!(
        lines[0].contains("local wants connect evil.test:80"),
        "{ended}"
    );
    assert_eq!(
        lines[2], r#"  the agent says: "the task\nneeds \u{1b}[31mit""#,
        "{ended}"
    );
    assert!(
        lines[3].contains(r#"narrowest rule: - allow: {host: "evil.test", ports: [80]}"#),
        "{ended}"
    );
    let ended = lab.host.ringfence(&["proposals", "--json"]);
    let proposals: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(proposals.as_array().unwrap().len(), 1, "{ended}");
}

#[test]
fn a_tool_that_no_rule_allows_is_not_there() {
    let lab = lab(WHY);
    let told = agent(
        &lab,
        r#"
event = denied("evil.test")
c = connect("ringfence")
show([it["name"] for it in c.tools()])
show(c.tool("ringfence_request_access", event=event, reason="please"))
"#,
    );
    assert_eq!(told.shown[0].to_string(), r#"["ringfence_why_denied"]"#);
    assert!(
        told.shown[1].to_string().contains("Unknown tool"),
        "{}",
        told.ended
    );
    let ended = lab.host.ringfence(&["proposals", "--json"]);
    assert_eq!(ended.stdout.trim(), "[]", "{ended}");
}

#[test]
fn without_a_rule_it_is_not_there() {
    let lab = Lab::hostile("tools: [allowed]");
    let told = lab.agent(
        r#"
show(connect("lab").ask("ping"))
show(Client("ringfence").post("initialize", {}).text)
"#,
    );
    assert!(
        told.shown[1]
            .to_string()
            .contains("no rule is about a server of this name"),
        "{}",
        told.ended
    );
}

#[test]
fn another_sandboxs_denials_are_nobody_elses() {
    let lab = lab(BOTH);
    let first = agent(&lab, "show(denied('secret-project.test'))");
    let event = first.shown[0].as_str().unwrap();
    let told = agent(
        &lab,
        &format!(
            r#"
c = connect("ringfence")
show(c.tool("ringfence_why_denied"))
show(c.tool("ringfence_why_denied", event="{event}"))
show(c.tool("ringfence_request_access", event="{event}", reason="please"))
"#
        ),
    );
    told.assert_never_saw("secret-project");
    assert!(
        text(&told.shown[2]).contains("no denial of this agent"),
        "{}",
        told.ended
    );
}

#[test]
fn what_a_run_may_ask_for_is_bounded() {
    let lab = lab(BOTH);
    let told = agent(
        &lab,
        r#"
c = connect("ringfence")
answers = [c.tool("ringfence_request_access", event=denied(f"host-{n}.test"), reason="please") for n in range(18)]
show(answers[15])
show(answers[16])
show(c.tool("ringfence_request_access", event=denied("long.test"), reason="x" * 501))
"#,
    );
    assert!(
        text(&told.shown[0]).contains("A person will see this"),
        "{}",
        told.ended
    );
    assert!(
        text(&told.shown[1]).contains("may ask for no more"),
        "{}",
        told.ended
    );
    assert!(
        text(&told.shown[2]).contains("at most 500 octets"),
        "{}",
        told.ended
    );
    let ended = lab.host.ringfence(&["proposals", "--json"]);
    let proposals: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(proposals.as_array().unwrap().len(), 16, "{ended}");
}

#[test]
fn what_a_person_forbids_is_not_asked_for() {
    let lab = lab(BOTH);
    lab.rules(&[
        BOTH,
        "forbid: {server: ringfence, tools: [\"*x\"], reason: a person says so}",
    ]);
    let told = agent(
        &lab,
        r#"
c = connect("ringfence")
said = c.tool("ringfence_x")
event = re.search(r"event ([0-9a-f-]{36})", json.dumps(said)).group(1)
show(c.tool("ringfence_request_access", event=event, reason="please"))
"#,
    );
    assert!(
        text(&told.shown[0]).contains("no new rule would allow this"),
        "{}",
        told.ended
    );
}
