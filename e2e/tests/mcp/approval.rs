//! T26, `approval: required`: a call is held until a person outside has approved exactly it, for one time.

use std::fs;

use ringfence_e2e::Running;
use ringfence_testkit::poll;
use serde_json::{Value, json};

use super::lab::{ALL, ERAS, Lab, Told, text};

const APPROVED: &str = r#"tools: ["*"], approval: required"#;

/// What the agent is told before the id of the event.
const ASKED: &str = "a person has to approve this call: ringfence approve ";

/// The agent calls when a person, or what is at fault, has done something: `turn` files say so.
const TURNS: &str = r#"
c = connect("lab", ERA)
def turn(name, *calls):
    for call in calls:
        show(call())
    open(f"{name}.done", "w").close()
    wait_for(f"{name}.go")
"#;

/// A run of an agent that takes turns with a person.
struct Turns<'a> {
    lab: &'a Lab,
    running: Running,
}

impl<'a> Turns<'a> {
    fn start(lab: &'a Lab, name: &str, source: &str, era: &str) -> Self {
        let head = TURNS.replace("ERA", era);
        let running = lab.start(name, &format!("{head}\n{source}"));
        Self { lab, running }
    }

    /// Waits until the agent has done this turn.
    fn done(&self, name: &str) {
        let done = self.lab.host.project().join(format!("{name}.done"));
        poll::until_true(name, || done.exists()).unwrap();
    }

    fn go_on(&self, name: &str) {
        self.lab.host.file(format!("{name}.go"), "");
    }

    fn end(self) -> Told {
        Told::of(self.running.wait())
    }
}

impl Lab {
    /// What a person does; it must succeed.
    fn person(&self, arguments: &[&str]) -> String {
        let ended = self.host.ringfence(arguments);
        assert_eq!(ended.code, 0, "{ended}");
        ended.stdout
    }

    fn waiting(&self) -> Vec<Value> {
        let waiting: Value = serde_json::from_str(&self.person(&["approvals", "--json"])).unwrap();
        waiting["calls"].as_array().unwrap().clone()
    }

    /// The only call that waits, by its event.
    fn held(&self) -> String {
        let waiting = self.waiting();
        assert_eq!(waiting.len(), 1, "{waiting:?}");
        waiting[0]["event"].as_str().unwrap().to_owned()
    }

    fn called(&self) -> usize {
        self.calls().len()
    }
}

/// The event that a person is asked to approve, in what the agent is told.
fn asked(answer: &Value) -> &str {
    let message = answer["error"]["message"].as_str().unwrap_or_default();
    let (_, after) = message
        .split_once(ASKED)
        .unwrap_or_else(|| panic!("{answer}"));
    assert_eq!(answer["error"]["data"]["reason"], "approval-needed");
    let event = after.get(..36).unwrap();
    assert_eq!(answer["error"]["data"]["event"], event);
    event
}

#[test]
fn exactly_the_call_that_was_approved_passes_and_once() {
    for era in ERAS {
        let lab = Lab::hostile(APPROVED);
        let turns = Turns::start(
            &lab,
            "agent1.py",
            r#"
one = lambda: c.do("echo", text="pay 10")
show([it["name"] for it in c.tools()])
turn("first", one)
turn("others", lambda: c.do("echo", text="pay 11"), lambda: c.do("echo", text="pay 10", to="me"), lambda: c.ask("tools/call", {"name": "do", "arguments": {"what": "echo", "text": "pay 10"}, "task": {"ttl": 1000}}))
show(c.ask("tools/call", {"name": "do", "arguments": {"text": "pay 10", "what": "echo"}, "_meta": {"progressToken": "p", "acme/to": "somebody else"}}))
turn("again", one)
"#,
            era,
        );
        turns.done("first");
        assert_eq!(lab.called(), 0);
        let event = lab.held();
        let said = lab.person(&["approve", &event]);
        for word in [
            "approved until",
            "local calls do of lab",
            r#""text":"pay 10""#,
        ] {
            assert!(said.contains(word), "no {word:?} in: {said}");
        }
        turns.go_on("first");
        turns.done("others");
        assert_eq!(lab.called(), 0, "none of those was approved");
        turns.go_on("others");
        turns.done("again");
        turns.go_on("again");
        let told = turns.end();
        assert_eq!(told.shown[0], json!(["do"]), "listed as ever");
        assert_eq!(asked(&told.shown[1]), event);
        for other in &told.shown[2..5] {
            assert_ne!(asked(other), event);
        }
        assert!(told.shown[5]["result"].is_object(), "{}", told.ended);
        let used = &told.shown[6];
        assert_ne!(asked(used), event);
        assert!(
            used["error"]["message"]
                .as_str()
                .unwrap()
                .contains("was used")
        );
        let calls = lab.calls();
        assert_eq!(calls.len(), 1);
        let body = calls[0]["body"].as_str().unwrap();
        assert!(!body.contains("acme/to"), "what was not shown: {body}");
        assert!(body.contains("progressToken"), "{body}");
        // The same event cannot be approved for another time; a new one can.
        let again = lab.host.ringfence(&["approve", &event]);
        assert_eq!(again.code, 64, "{again}");
        assert_eq!(lab.waiting().len(), 4);
        recorded(&lab, &event);
    }
}

/// Who approved what, and which call that was.
fn recorded(lab: &Lab, event: &str) {
    let events = lab.events();
    let passed: Vec<&Value> = events
        .iter()
        .map(|it| &it["closing"]["mcp"]["approved"])
        .filter(|it| it.is_object())
        .collect();
    assert_eq!(passed.len(), 1);
    assert_eq!(passed[0]["event"], event);
    let notices = lab.host.records();
    let notice = notices
        .iter()
        .find(|it| it["kind"]["notice"] == "call-approved")
        .unwrap();
    assert_eq!(notice["kind"]["event"], event);
    assert_eq!(notice["kind"]["by"], passed[0]["by"]);
}

/// One approval, and many that want it at the same time.
#[test]
fn of_calls_at_the_same_time_one_uses_an_approval() {
    let lab = Lab::hostile(APPROVED);
    let turns = Turns::start(
        &lab,
        "many.py",
        r#"
import threading
one = lambda: c.do("echo", text="pay 10")
turn("first", one)
clients = [connect("lab", SESSIONS) for _ in range(8)]
barrier = threading.Barrier(len(clients))
def call(client):
    barrier.wait()
    show(client.do("echo", text="pay 10"))
threads = [threading.Thread(target=call, args=(it,)) for it in clients]
[it.start() for it in threads]
[it.join() for it in threads]
"#,
        "SESSIONS",
    );
    turns.done("first");
    lab.person(&["approve", &lab.held()]);
    turns.go_on("first");
    let told = turns.end();
    let passed = told.shown.iter().filter(|it| it["result"].is_object());
    assert_eq!((told.shown.len(), passed.count()), (9, 1), "{}", told.ended);
    assert_eq!(lab.called(), 1);
}

/// What makes an approval count no more: its name, and what is done about the event.
type Fault = (&'static str, fn(&Lab, &str));

/// Another policy, a rejection, a person who took it back, time that is over, and replies that cannot be read.
#[test]
fn an_approval_that_does_not_count_any_more_lets_nothing_pass() {
    let lab = Lab::hostile(APPROVED);
    let source = r#"
one = lambda: c.do("echo", text="pay 10")
turn("first", one)
turn("second", one)
"#;
    let faults: [Fault; 5] = [
        ("policy", |lab, event| {
            lab.person(&["approve", event]);
            lab.rules(&[&format!(
                "allow: {{id: lab, server: lab, {APPROVED}, reason: anew}}"
            )]);
            poll::until_true("the policy", || {
                let loaded = |it: &&Value| it["kind"]["notice"] == "policy-loaded";
                lab.host.records().iter().any(|it| loaded(&it))
            })
            .unwrap();
        }),
        ("rejected", |lab, event| {
            lab.person(&["reject", event]);
        }),
        ("revoked", |lab, event| {
            lab.person(&["approve", event]);
            lab.person(&["revoke", event]);
        }),
        ("expired", |lab, event| {
            lab.person(&["approve", event, "--for", "1s"]);
            let is_it = |it: &Value| it["event"] == event;
            poll::until_true("the end", || !lab.waiting().iter().any(is_it)).unwrap();
        }),
        ("damaged", |lab, event| {
            lab.person(&["approve", event]);
            for file in fs::read_dir(lab.host.data().join("approvals")).unwrap() {
                fs::write(file.unwrap().path(), "{").unwrap();
            }
        }),
    ];
    for (name, fault) in faults {
        for file in fs::read_dir(lab.host.project()).unwrap() {
            let path = file.unwrap().path();
            if path
                .extension()
                .is_some_and(|it| it == "go" || it == "done")
            {
                fs::remove_file(path).unwrap();
            }
        }
        let turns = Turns::start(&lab, &format!("{name}.py"), source, "STATELESS");
        turns.done("first");
        let newest = lab.waiting()[0]["event"].as_str().unwrap().to_owned();
        fault(&lab, &newest);
        turns.go_on("first");
        turns.done("second");
        turns.go_on("second");
        let told = turns.end();
        assert!(told.shown[1]["error"].is_object(), "{name}: {}", told.ended);
        assert_eq!(lab.called(), 0, "{name}");
        let _ = fs::remove_dir_all(lab.host.data().join("approvals"));
    }
}

#[test]
fn an_approval_counts_in_no_other_sandbox() {
    let lab = Lab::hostile(APPROVED);
    let told = lab.agent(r#"c = connect("lab"); show(c.do("echo", text="pay 10"))"#);
    let event = asked(&told.shown[0]).to_owned();
    lab.person(&["approve", &event]);
    let told = lab.agent(r#"c = connect("lab"); show(c.do("echo", text="pay 10"))"#);
    assert_ne!(asked(&told.shown[0]), event);
    assert_eq!(lab.called(), 0);
}

/// Of several rules for a call, one that wants approval counts, and nobody is asked about what would not pass.
#[test]
fn one_rule_that_wants_approval_is_enough_and_only_what_would_pass_waits() {
    let lab = Lab::hostile(ALL);
    lab.rules(&[
        &format!("allow: {{id: a, server: lab, {ALL}}}"),
        r#"allow: {id: b, server: lab, tools: [{name: do, arguments: {required: [text], properties: {text: {const: pay}}}, approval: required}]}"#,
        r#"forbid: {id: c, server: lab, tools: [{name: do, arguments: {required: [to]}}]}"#,
    ]);
    let told = lab.agent(
        r#"
c = connect("lab")
show(c.do("echo", text="pay"))
show(c.do("echo", text="look"))
show(c.do("echo", text="pay", to="me"))
show(c.do("echo", text="AKIAIOSFODNN7EXAMPLQ pay"))
show(c.ask("resources/list"))
"#,
    );
    asked(&told.shown[0]);
    assert!(text(&told.shown[1]).contains("look"), "{}", told.ended);
    assert!(told.shown[4]["result"].is_object(), "{}", told.ended);
    for refused in &told.shown[2..4] {
        let message = refused["error"]["message"].as_str().unwrap();
        assert!(!message.contains(ASKED), "{message}");
    }
    assert_eq!(lab.called(), 1);
    assert_eq!(lab.waiting().len(), 1);
}

/// A person sees the whole call on one line, and no call is longer than that.
#[test]
fn what_a_person_is_shown_is_the_whole_call_and_nothing_of_a_terminal() {
    let lab = Lab::hostile(APPROVED);
    let told = lab.agent(
        r#"
c = connect("lab")
show(c.do("echo", text="a\u001b[2Jb\u202ec\nd"))
show(c.do("echo", text="x" * 20000))
"#,
    );
    asked(&told.shown[0]);
    let message = told.shown[1]["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("longer than a person is shown"),
        "{message}"
    );
    let listed = lab.person(&["approvals"]);
    assert_eq!(listed.lines().count(), 2, "{listed}");
    assert!(
        !listed.contains('\u{1b}') && !listed.contains('\u{202e}'),
        "{listed}"
    );
    assert!(listed.contains("\\u{202e}"), "{listed}");
    assert_eq!(lab.called(), 0);
}
