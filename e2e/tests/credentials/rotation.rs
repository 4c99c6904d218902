//! Rotation and revocation: what the very next request does changes, without touching the sandbox.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ringfence_e2e::Running;
use ringfence_testkit::api::{ApiResponse, echo};
use ringfence_testkit::nginx::Nginx;
use ringfence_testkit::poll;

use super::desk::{Desk, SECRET};

const ASK: &str = "
ask() { curl -sS -w '%{http_code}\\n' https://api.acme.test/ ; }
ask > first; step rotated; ask > second; step revoked; ask > third
";

#[test]
fn the_next_request_uses_the_new_value_and_after_a_revocation_there_is_none() {
    let mut desk = Desk::new();
    let api = desk.api("api.acme.test", |_| ApiResponse::new(200, "done "));
    desk.acme("methods: [GET]");
    let running = desk.spawn("api", ASK);
    desk.wait_for("rotated");
    desk.rotate("acme", "the-second-value-of-acme");
    desk.go_to("rotated", "revoked");
    desk.ringfence(&["credential", "revoke", "acme"]);
    desk.go("revoked");
    let ended = running.wait();
    assert_eq!(ended.code, 0, "{ended}");
    assert_eq!(desk.read("first"), "done 200\n");
    assert_eq!(desk.read("second"), "done 200\n");
    let third = desk.read("third");
    assert!(third.contains("credential-unavailable"), "{third}");
    assert!(
        third.contains("`acme`") && third.ends_with("403\n"),
        "{third}"
    );
    let sent: Vec<_> = api.requests();
    let sent: Vec<_> = sent.iter().map(|it| it.header("authorization")).collect();
    let first = format!("Bearer {SECRET}");
    let expected = [
        Some(first.as_str()),
        Some("Bearer the-second-value-of-acme"),
    ];
    assert_eq!(sent, expected);
}

/// Eight clients that ask without pause until `stop` is there.
const MANY: &str = r#"
import http.client, os, ssl, threading
failed, asked = [], []
def ask():
    connection = http.client.HTTPSConnection("api.acme.test", context=ssl.create_default_context(), timeout=20)
    while not os.path.exists("stop"):
        connection.request("GET", "/")
        answer = connection.getresponse()
        answer.read()
        (asked if answer.status == 200 else failed).append(answer.status)
threads = [threading.Thread(target=ask) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(failed, len(asked) >= 200)
"#;

#[test]
fn requests_that_are_under_way_survive_rotations_which_take_effect_within_100_ms() {
    let mut desk = Desk::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let record = Arc::clone(&seen);
    let api = desk.api("api.acme.test", move |request| {
        let value = request
            .header("authorization")
            .unwrap_or_default()
            .to_owned();
        record.lock().unwrap().push((Instant::now(), value));
        ApiResponse::new(200, "done")
    });
    desk.acme("methods: [GET]");
    let running = desk
        .host
        .run()
        .profile("api")
        .spawn(&["python3", "-c", MANY]);
    poll::until_true("requests", || api.requests().len() > 50).unwrap();
    let mut delays = Vec::new();
    for turn in 1..=5 {
        let value = format!("acme-value-{turn}-of-five");
        desk.rotate("acme", &value);
        let rotated = Instant::now();
        let expected = format!("Bearer {value}");
        let is_new = |(_, sent): &(Instant, String)| *sent == expected;
        poll::until_true("the new value", || seen.lock().unwrap().iter().any(is_new)).unwrap();
        let target = api.requests().len() + 40;
        poll::until_true("more requests", || api.requests().len() >= target).unwrap();
        let old = seen.lock().unwrap();
        let late = old
            .iter()
            .filter(|sent| !is_new(sent))
            .map(|(at, _)| *at)
            .max();
        let late = late.unwrap_or(rotated);
        delays.push(late.saturating_duration_since(rotated));
    }
    desk.host.file("stop", "");
    let ended = running.wait();
    assert_eq!(ended.stdout, "[] True\n", "{ended}");
    // A busy machine may be late once or twice; who looks for changes only from time to time is late every time.
    delays.sort();
    assert!(delays[2] < Duration::from_millis(100), "{delays:?}");
}

/// Reads the start of a long answer, and the rest once the test lets it.
const LONG: &str = r#"
import os, ssl, urllib.request
answer = urllib.request.urlopen("https://files.acme.test/big", timeout=30)
answer.read(1)
os.mkfifo("go"); open("started", "w").close(); open("go").read()
try:
    length = 1
    while part := answer.read(1 << 20): length += len(part)
    print("all of it" if length == 2_000_000_000 else "cut")
except Exception as error:
    print("cut")
"#;

/// The same by HTTP/2, where the window of the stream is what stays closed.
const LONG_BY_HTTP2: &str = r#"
import os, socket, ssl
from h2.connection import H2Connection
from h2.events import DataReceived, StreamEnded, StreamReset
context = ssl.create_default_context()
context.set_alpn_protocols(["h2"])
stream = context.wrap_socket(socket.create_connection(("files.acme.test", 443), 30), server_hostname="files.acme.test")
connection = H2Connection()
connection.initiate_connection()
connection.send_headers(1, [(":method", "GET"), (":scheme", "https"), (":authority", "files.acme.test"), (":path", "/big")], end_stream=True)
def turn():
    stream.sendall(connection.data_to_send())
    return connection.receive_data(stream.recv(65536))
length = 0
while length < 65535:
    length += sum(len(event.data) for event in turn() if isinstance(event, DataReceived))
os.mkfifo("go"); open("started", "w").close(); open("go").read()
connection.increment_flow_control_window(1 << 20)
connection.increment_flow_control_window(1 << 20, 1)
end = None
while end is None:
    for event in turn():
        if isinstance(event, StreamReset): end = "cut"
        if isinstance(event, StreamEnded): end = "all of it"
print(end)
"#;

/// A run that has read the start of a long answer, and the way to let it read on.
fn long_answer(program: &str) -> (Desk, Nginx, Running) {
    let mut desk = Desk::new();
    let nginx = Nginx::start(desk.host.workdir(), &desk.ca, &["files.acme.test"]).unwrap();
    nginx.sparse_file("big", 2_000_000_000).unwrap();
    desk.host.name("files.acme.test", nginx.https());
    desk.add("files", "bearer", "files.acme.test", SECRET);
    desk.host.profile("files", FILES);
    let running = desk
        .host
        .run()
        .profile("files")
        .spawn(&["python3", "-c", program]);
    desk.wait_for("started");
    (desk, nginx, running)
}

const FILES: &str = "apiVersion: ringfence/v1\nkind: Profile\nname: files\napi:\n  - allow: { host: files.acme.test, credential: files }\n";

/// The event of the answer says that it was cut while nobody reads it, and the client gets to see
/// that it did not get the whole.
fn is_cut(desk: &Desk, running: Running) {
    let cut = |event: &serde_json::Value| {
        event["action"]["kind"] == "http" && event["closing"]["outcome"]["code"] == "revoked"
    };
    poll::until_true("the end of the stream", || {
        desk.host.events().iter().any(cut)
    })
    .unwrap();
    std::fs::write(desk.host.project().join("go"), "").unwrap();
    let ended = running.wait();
    assert_eq!(ended.stdout, "cut\n", "{ended}");
}

#[test]
fn a_stream_that_nobody_reads_is_cut_by_a_revocation() {
    for program in [LONG, LONG_BY_HTTP2] {
        let (desk, _nginx, running) = long_answer(program);
        desk.ringfence(&["credential", "revoke", "files"]);
        is_cut(&desk, running);
    }
}

#[test]
fn a_stream_that_nobody_reads_is_cut_by_a_policy() {
    for program in [LONG, LONG_BY_HTTP2] {
        let (desk, _nginx, running) = long_answer(program);
        desk.host.profile(
            "files",
            &FILES.replace("credential: files", "methods: [POST]"),
        );
        is_cut(&desk, running);
    }
}

#[test]
fn a_credential_is_bound_to_its_host_and_path_whatever_a_rule_says() {
    let mut desk = Desk::new();
    let api = desk.api("api.acme.test", echo);
    let other = desk.api("other.acme.test", echo);
    let bound = [
        "acme",
        "--kind",
        "bearer",
        "--host",
        "api.acme.test",
        "--path",
        "/v1",
    ];
    desk.keep(&bound, SECRET);
    desk.host.profile(
        "wide",
        "apiVersion: ringfence/v1\nkind: Profile\nname: wide\napi:\n  - allow: { host: \"*.acme.test\", credential: acme }\n",
    );
    let ended = desk.host.run().profile("wide").sh(
        "for url in api.acme.test/v1/a other.acme.test/v1/a api.acme.test/v10 api.acme.test:8443/v1/a; do
             curl -sS -o answer -w '%{http_code}\\n' https://$url; cat answer >> answers
         done",
    );
    assert!(ended.stdout.starts_with("200\n403\n403\n"), "{ended}");
    assert_eq!(api.requests().len(), 1);
    assert_eq!(other.requests().len(), 0);
    assert!(
        desk.read("answers").contains("`acme` is not for"),
        "{ended}"
    );
}
