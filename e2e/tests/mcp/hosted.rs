//! Servers over standard input and output that Ringfence starts, each in a sandbox of its own.

use std::fs;
use std::time::{Duration, Instant};

use ringfence_e2e::Host;
use serde_json::{Value, json};

use super::lab::{Told, programs, text};

/// What the caller keeps in the environment and the home, and no server may see.
const CANARY: &str = "canary-Qm7TzL4wXb91";

/// A profile whose one server has these fields, and the server's own profile.
fn profile(host: &Host, server: &str, own: &str) {
    host.profile(
        "mcp",
        &format!(
            "apiVersion: ringfence/v1\nkind: Profile\nname: mcp\nmcpServers:\n  - {{name: lab, profile: own, {server}}}\nmcp:\n  - allow: {{server: lab, tools: [\"*\"], resources: [\"**\"], prompts: [\"*\"]}}\n"
        ),
    );
    host.profile(
        "own",
        &format!("apiVersion: ringfence/v1\nkind: Profile\nname: own\n{own}"),
    );
    host.file("agent.py", include_str!("agent.py"));
}

/// A host with the server that tries what a server must not, given these arguments, and more fields.
fn trying(arguments: &str, more: &str, own: &str) -> Host {
    let host = Host::new();
    let program = host.home_file("servers/stdio.py", include_str!("stdio.py"));
    let (folder, program) = (
        program.parent().unwrap().display(),
        program.display().to_string(),
    );
    let words = format!("command: [python3, {program}{arguments}], read: [\"{folder}\"]{more}");
    profile(&host, &words, own);
    host
}

fn agent(host: &Host, source: &str) -> Told {
    let run = host.run().profile("mcp").outer_env("CALLERS", CANARY);
    Told::of(run.python(&format!("from agent import *\n{source}")))
}

fn said(answer: &Value) -> Value {
    serde_json::from_str(text(answer)).unwrap_or_else(|_| answer.clone())
}

/// Processes of this machine whose command line has this in it.
fn processes(word: &str) -> Vec<String> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(word)).collect()
}

fn assert_gone(word: &str) {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(10) {
        if processes(word).is_empty() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{:?}", processes(word));
}

fn log(host: &Host) -> String {
    fs::read_to_string(host.data().join("servers/lab.log")).unwrap_or_default()
}

fn everything(host: &Host) {
    let directory = programs();
    let (node, program) = (
        directory.join("bin/node"),
        directory.join("node_modules/@modelcontextprotocol/server-everything/dist/index.js"),
    );
    let words = format!(
        "command: [\"{}\", \"{}\", stdio], read: [\"{}\"]",
        node.display(),
        program.display(),
        directory.display()
    );
    profile(host, &words, "");
}

#[test]
fn the_everything_server_is_hosted_over_its_standard_streams() {
    let host = Host::new();
    everything(&host);
    let told = agent(
        &host,
        r#"
c = connect("lab")
show([[it["name"] for it in c.tools()], c.tool("echo", message="hello"), c.ask("resources/list"), c.ask("prompts/list")])
"#,
    );
    let shown = &told.shown[0];
    let listed = shown[0].to_string();
    assert!(
        listed.contains("echo") && listed.contains("get-sum"),
        "{}\n{}",
        told.ended,
        log(&host)
    );
    assert!(shown[1].to_string().contains("hello"), "{}", told.ended);
    assert!(shown[2]["result"]["resources"].is_array(), "{}", told.ended);
    assert_gone("server-everything/dist/index.js");
}

#[test]
fn the_filesystem_server_works_in_a_directory_of_its_own() {
    let host = Host::new();
    let directory = programs();
    let (node, program) = (
        directory.join("bin/node"),
        directory.join("node_modules/@modelcontextprotocol/server-filesystem/dist/index.js"),
    );
    let words = format!(
        "command: [\"{}\", \"{}\", .], read: [\"{}\"]",
        node.display(),
        program.display(),
        directory.display()
    );
    profile(&host, &words, "");
    host.file("of-the-agent.txt", CANARY);
    let told = agent(
        &host,
        r#"
c = connect("lab")
folder = c.tool("list_allowed_directories")["result"]["content"][0]["text"].splitlines()[-1]
show([c.tool("write_file", path=folder + "/a.txt", content="kept"), c.tool("read_text_file", path=folder + "/a.txt"),
      c.tool("read_text_file", path=os.path.abspath("of-the-agent.txt"))])
try:
    show(os.listdir(folder))
except OSError as error:
    show(error.strerror)
"#,
    );
    let shown = &told.shown[0];
    assert_eq!(text(&shown[1]), "kept", "{}\n{}", told.ended, log(&host));
    assert!(!shown[2].to_string().contains(CANARY), "{shown}");
    assert_eq!(told.shown[1], "No such file or directory");
    let kept = host.home().join(".local/state/ringfence/servers/lab/a.txt");
    assert_eq!(fs::read_to_string(kept).unwrap(), "kept");
}

#[test]
fn a_server_sees_nothing_of_the_caller_the_agent_or_the_policy() {
    let host = trying("", ", environment: {SAID: \"to the server\"}", "");
    host.home_file("secret.txt", CANARY);
    host.file("of-the-agent.txt", CANARY);
    host.home_file(
        ".local/state/ringfence/servers/other/of-another.txt",
        CANARY,
    );
    let home = host.home().display().to_string();
    let told = agent(
        &host,
        &format!(
            r#"
home = "{home}"
c = connect("lab")
show(c.do("environment"))
show([c.do("read", path=path) for path in [
    "/proc/1/environ", "/proc/self/environ", home + "/secret.txt", home + "/project/of-the-agent.txt", home + "/.config/ringfence/profiles/mcp.yaml",
    home + "/.local/share/ringfence/servers/lab.log", home + "/.local/state/ringfence/servers/other/of-another.txt"]])
show(c.do("processes"))
show([open(f"/proc/{{pid}}/cmdline").read() for pid in os.listdir("/proc") if pid.isdigit() and pid != str(os.getpid())])
show(os.path.exists(home + "/.local/state/ringfence") or os.path.exists(home + "/servers"))
"#
        ),
    );
    let environment = said(&told.shown[0]);
    assert_eq!(environment["SAID"], "to the server", "{}", told.ended);
    told.assert_never_saw(CANARY);
    told.assert_never_saw("apiVersion");
    for read in told.shown[1].as_array().unwrap() {
        let read = said(read);
        let read = read.as_str().unwrap();
        let is_own = read.contains("SAID=to the server");
        assert!(
            is_own || read.starts_with("no: ") || !read.contains("CALLERS"),
            "{read}"
        );
    }
    let of_server = said(&told.shown[2]).to_string();
    assert!(of_server.contains("stdio.py"), "{of_server}");
    assert!(!of_server.contains("attack.py"), "{of_server}");
    assert!(
        !told.shown[3].to_string().contains("stdio.py"),
        "{}",
        told.ended
    );
    assert_eq!(told.shown[4], json!(false), "{}", told.ended);
}

#[test]
fn a_server_reaches_what_its_own_profile_allows_and_not_what_the_agents_does() {
    let workdir = ringfence_testkit::Workdir::new().unwrap();
    let everything = ringfence_testkit::mcp::Everything::start(&workdir).unwrap();
    let own = "network:\n  - allow: {host: of-server.acme.test, ports: [8000]}\n";
    let mut host = trying("", "", own);
    host.name("of-server.acme.test", everything.address());
    host.name("of-agent.acme.test", everything.address());
    let user = "apiVersion: ringfence/v1\nkind: Profile\nname: user\nnetwork:\n  - allow: {host: of-agent.acme.test, ports: [8000]}\n";
    host.profile("user", user);
    let told = agent(
        &host,
        r#"
c = connect("lab")
show([c.do("reach", host=host, port=port) for host, port in [
    ("of-server.acme.test", 8000), ("of-agent.acme.test", 8000), ("mcp.ringfence.internal", 80), ("lab.hosted.ringfence.internal", 80)]])
import socket
def reach(host, port):
    try:
        with socket.create_connection((host, port), timeout=5) as it:
            it.sendall(b"GET / HTTP/1.1\r\nHost: " + host.encode() + b"\r\nConnection: close\r\n\r\n")
            return it.recv(300).decode()
    except OSError as error:
        return f"no: {error}"
show(reach("lab.hosted.ringfence.internal", 80))
"#,
    );
    let shown: Vec<_> = told.shown[0].as_array().unwrap().iter().map(said).collect();
    let shown: Vec<_> = shown
        .iter()
        .map(|it| it.as_str().unwrap_or_default())
        .collect();
    let is_refused = |it: &str| it.starts_with("no: ") || it.contains("HTTP/1.1 403");
    assert!(
        shown[0].starts_with("HTTP/1.1 ") && !shown[0].contains("403"),
        "{shown:?}"
    );
    assert!(is_refused(shown[1]), "{shown:?}");
    assert!(is_refused(shown[2]), "{shown:?}");
    assert!(is_refused(shown[3]), "{shown:?}");
    assert!(
        is_refused(told.shown[1].as_str().unwrap()),
        "{}",
        told.ended
    );
    let records = host.records();
    let started: Vec<_> = records
        .iter()
        .filter(|it| it["kind"]["notice"] == "run-started" || it["notice"] == "run-started")
        .collect();
    let of = started
        .iter()
        .find(|it| it.to_string().contains("hosted_by"));
    let agents = started
        .iter()
        .find(|it| it.to_string().contains("attack.py"));
    let (of, agents) = (
        of.expect("the server's run"),
        agents.expect("the agent's run"),
    );
    assert!(
        of.to_string().contains(agents["run"].as_str().unwrap()),
        "{of} {agents}"
    );
    assert!(
        host.denied().iter().any(|it| it["agent"] == "mcp-lab"),
        "{:?}",
        host.denied()
    );
}

#[test]
fn what_a_server_says_twice_or_unasked_reaches_nobody() {
    let host = trying("", "", "");
    let told = agent(
        &host,
        r#"
import threading
clients = [connect("lab"), connect("lab")]
wrong = []
def use(number):
    for round in range(100):
        words = f"{number}-{round}"
        clients[number].count = round
        reply = clients[number].do("echo", text=words)
        if reply.get("result", {}).get("content", [{}])[0].get("text") != json.dumps(words):
            wrong.append(reply)
threads = [threading.Thread(target=use, args=(number,)) for number in range(2)]
[it.start() for it in threads]
[it.join() for it in threads]
show(wrong)
"#,
    );
    assert_eq!(told.shown[0], json!([]), "{}", told.ended);
    told.assert_never_saw("777777");
}

#[test]
fn a_server_that_ends_is_started_anew_and_not_at_once() {
    let host = trying("", "", "");
    let told = agent(
        &host,
        r#"
c = connect("lab")
show(c.do("crash"))
d = Client("lab")
show(d.open())
show(c.do("echo", text="again").get("status"))
time.sleep(1.2)
e = connect("lab")
show(e.do("echo", text="again"))
"#,
    );
    let first = told.shown[0]["error"]["message"]
        .as_str()
        .unwrap_or_default();
    assert!(
        first.contains("has ended") && first.contains("lab.log"),
        "{}",
        told.ended
    );
    let second = told.shown[1]["error"]["message"]
        .as_str()
        .unwrap_or_default();
    assert!(
        second.contains("not started again for 1 s"),
        "{}",
        told.ended
    );
    assert_eq!(said(&told.shown[3]), "again", "{}", told.ended);
    let looping = trying(", crash", "", "");
    let told = agent(
        &looping,
        r#"
for _ in range(30):
    show(Client("lab").open())
    time.sleep(0.1)
"#,
    );
    let starts = fs::read_dir(looping.data().join("runs")).map_or(0, Iterator::count);
    assert!(starts <= 4, "{starts}");
    // The pause grows.
    let waits = |it: &Value| it.to_string().contains("2 times in a row");
    assert!(told.shown.iter().any(waits), "{}", told.ended);
}

#[test]
fn no_more_processes_than_allowed_and_the_unused_one_goes_first() {
    let host = trying("", ", sessions: 2", "");
    let told = agent(
        &host,
        r#"
a, b = connect("lab"), connect("lab")
a.do("echo", text="used")
c = connect("lab")
show([a.do("echo", text="a"), b.do("echo", text="b"), c.do("echo", text="c")])
"#,
    );
    let shown = &told.shown[0];
    assert_eq!(said(&shown[0]), "a", "{}", told.ended);
    assert!(shown[1].get("result").is_none(), "{}", told.ended);
    assert_eq!(said(&shown[2]), "c", "{}", told.ended);
}

#[test]
fn a_server_that_does_not_want_to_end_ends_with_the_run() {
    let host = trying(", deaf, word-of-the-deaf", "", "");
    let told = agent(&host, "c = connect('lab')\nshow(c.do('echo', text='hear'))");
    assert_eq!(said(&told.shown[0]), "hear", "{}", told.ended);
    assert_gone("word-of-the-deaf");
}

#[test]
fn nothing_is_left_of_a_server_when_the_launcher_is_killed() {
    let host = trying(", deaf, word-of-the-orphan", "", "");
    let source = "from agent import *\nc = connect('lab')\nshow(c.do('echo', text='here'))\nopen('there', 'w').close()\ntime.sleep(60)\n";
    let program = host.file("stay.py", source);
    let running = host
        .run()
        .profile("mcp")
        .spawn(&["python3", &program.display().to_string()]);
    let there = host.project().join("there");
    let begun = Instant::now();
    while !there.exists() && begun.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(!processes("word-of-the-orphan").is_empty());
    running.signal(rustix::process::Signal::KILL);
    let _ = running.wait();
    assert_gone("word-of-the-orphan");
}

#[test]
fn a_profile_or_tools_that_the_agent_could_write_start_nothing() {
    let host = trying("", "", "");
    let own = "apiVersion: ringfence/v1\nkind: Profile\nname: own\n";
    let inside = host.file("own.yaml", own).display().to_string();
    let document = |fields: &str| {
        host.profile(
            "mcp",
            &format!("apiVersion: ringfence/v1\nkind: Profile\nname: mcp\nmcpServers:\n  - {{name: lab, {fields}}}\nmcp:\n  - allow: {{server: lab, tools: [\"*\"]}}\n"),
        );
    };
    for fields in [
        format!("command: [python3], profile: {inside}"),
        format!("tools: {inside}, profile: offline"),
    ] {
        document(&fields);
        let ended = host.run().profile("mcp").sh("true");
        assert_eq!(ended.code, 64, "{fields}: {ended}");
        assert!(ended.stderr.contains("own.yaml"), "{ended}");
    }
    document("command: [python3], profile: offline");
    assert_eq!(host.run().profile("mcp").sh("true").code, 0);
}
