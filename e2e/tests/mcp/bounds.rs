//! A server without end costs bounded memory and time, and no other agent anything.

use std::fs;
use std::time::Duration;

use ringfence_e2e::Running;
use serde_json::json;

use super::lab::{ALL, ERAS, Lab, Told};

/// The most memory that one run may have had, in a debug build: far from a gigabyte.
const MOST_KIB: u64 = 400 << 10;

/// The peak of the launcher's memory, in KiB.
fn peak(running: &Running) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", running.pid())).unwrap();
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"));
    let digits = line.unwrap_or_default().trim().trim_end_matches(" kB");
    digits.parse().unwrap()
}

/// T22: bodies, lines and depths without end.
#[test]
fn an_answer_without_end_is_cut_and_memory_stays_bounded() {
    let lab = Lab::hostile(ALL);
    let running = lab.start(
        "endless.py",
        r#"
for what in ("endless-line", "endless-json", "deep", "bomb"):
    c = connect("lab", timeout=50)
    answer = c.do(what)
    show([what, "result" in answer])
show(["after", "result" in connect("lab").do("echo")])
open("done", "w").close()
wait_for("over")
"#,
    );
    let done = lab.host.project().join("done");
    let waited =
        ringfence_testkit::poll::until_within(Duration::from_secs(55), "the attacks", || {
            Ok(done.exists().then_some(()))
        });
    let most = waited.is_ok().then(|| peak(&running));
    lab.host.file("over", "");
    let told = Told::of(running.wait());
    let expected = [
        json!(["endless-line", false]),
        json!(["endless-json", false]),
        json!(["deep", false]),
        json!(["bomb", false]),
        json!(["after", true]),
    ];
    assert_eq!(told.shown, expected, "{}", told.ended);
    let most = most.unwrap();
    assert!(most < MOST_KIB, "{most} KiB");
}

/// T22: an agent that waits for ever keeps nobody else waiting.
#[test]
fn a_stream_without_end_and_a_slow_one_keep_no_other_agent_waiting() {
    let lab = Lab::hostile(ALL);
    let mut attacked = Vec::new();
    for what in ["drip", "silent-stream", "endless-stream"] {
        let source = format!("connect('lab', timeout=60).do('{what}')");
        attacked.push(lab.start(&format!("{what}.py"), &source));
        lab.server
            .wait_for("the attack", |line| {
                line["body"].as_str().unwrap_or_default().contains(what)
            })
            .unwrap();
    }
    let told =
        lab.agent(r#"c = connect("lab"); show([("result" in c.do("echo")) for _ in range(20)])"#);
    assert_eq!(told.shown[0], json!(vec![true; 20]), "{}", told.ended);
    // The others wait still.
    for running in &mut attacked {
        assert!(running.is_running());
    }
    drop(attacked);
    // The server sees that the agents have gone.
    lab.server
        .wait_for("the end of the stream", |line| {
            line["closed"] == "endless-stream"
        })
        .unwrap();
}

/// T22: a list that never ends.
#[test]
fn a_list_without_end_is_given_up() {
    for era in ERAS {
        let lab = Lab::hostile(ALL);
        lab.server.control(&json!({"cursors": "endless"})).unwrap();
        let told = lab.agent(&format!(
            r#"
c = connect("lab", {era}, timeout=40)
show([c.ask("tools/list"), c.do("echo")])
"#
        ));
        for answer in told.shown[0].as_array().unwrap() {
            assert!(answer["result"].is_null(), "{answer}");
        }
        let pages = lab.server.requests().unwrap();
        let pages = pages.iter().filter(|it| it.get("page").is_some()).count();
        assert!((2..=300).contains(&pages), "{pages}");
        assert_eq!(lab.calls().len(), 0);
    }
}

/// An agent's own message has a limit as well.
#[test]
fn a_message_that_is_too_long_goes_nowhere() {
    let lab = Lab::hostile(ALL);
    let told = lab.agent(
        r#"
c = connect("lab")
show(c.post("tools/call", {"name": "do", "arguments": {"text": "x" * (9 << 20)}}).status)
show("result" in connect("lab").do("echo"))
"#,
    );
    assert_eq!(told.shown, [json!(413), json!(true)], "{}", told.ended);
    assert_eq!(lab.calls().len(), 1);
}
