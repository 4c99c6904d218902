//! HTTP in clear text: messages that two parsers understand differently, and paths around the rule.

mod absolute_form_skips_rules;
mod absolute_uri_is_not_host;
mod bare_line_feed;
mod chunked_lookalike;
mod connect_inside_http;
mod content_length_and_chunked;
mod dot_segments;
mod duplicate_content_length;
mod encoded_path;
mod encoded_slash;
mod h2c_upgrade;
mod host_header_spoof;
mod http2_preface;
mod keep_alive_to_another_host;
mod path_not_utf8;
mod pipelined_second_request;
mod switching_protocols_answer;

use ringfence_e2e::{Ended, Host};
use ringfence_testkit::http::HttpUpstream;

/// `api.test`, of which only `GET` and `POST` below `/open/` are allowed, and `evil.test`, which is not allowed at all. Both lead to the
/// upstream, so that what slips through is seen to arrive.
struct Site {
    host: Host,
    upstream: HttpUpstream,
}

/// What each way into the gateway answered to the same octets.
struct Sent {
    ended: Ended,
}

impl Site {
    fn new() -> Self {
        Self::with(HttpUpstream::ok().unwrap())
    }

    fn with(upstream: HttpUpstream) -> Self {
        let mut host = Host::new();
        host.name("api.test", upstream.address());
        host.name("evil.test", upstream.address());
        host.profile("open", PROFILE);
        Self { host, upstream }
    }

    /// Sends the octets in a captured connection and in CONNECT and SOCKS5 tunnels to `api.test:80`, and straight to the explicit proxy;
    /// there the target has to be in absolute form, which is made by replacing ` /` by ` http://api.test/` in the first line.
    fn send(&self, octets: &[u8]) -> Sent {
        let hex: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
        let script = SEND.replace("OCTETS", &hex);
        let ended = self.host.run().profile("open").python(&script);
        assert_eq!(ended.code, 0, "{ended}");
        assert_eq!(ended.stdout.lines().count(), 4, "{ended}");
        Sent { ended }
    }

    /// Whether any octets arrived that hold this text.
    fn received(&self, text: &str) -> bool {
        self.upstream.connections().has_received(text.as_bytes())
    }
}

impl Sent {
    /// Every way refused: with this status and reason, and with an event where the destination was known.
    fn assert_refused(&self, status: u16, reason: &str) {
        let ended = &self.ended;
        for line in ended.stdout.lines() {
            let expected = format!(" {status} {reason}");
            assert!(line.ends_with(&expected), "{line}, not{expected}: {ended}");
        }
        let codes = ended.codes();
        assert!(codes.len() >= 3, "{ended}");
        assert!(codes.iter().all(|code| code == reason), "{ended}");
    }
}

const PROFILE: &str = r#"apiVersion: ringfence/v1
kind: Profile
name: open
network:
  - allow: { host: api.test, ports: [80], methods: [GET, POST], paths: ["/open/**"] }
"#;

const SEND: &str = r#"
from wire import *

def report(way, connection, octets):
    connection.sendall(octets)
    answer = all_of(connection)
    reason = answer.partition(b"X-Ringfence-Reason: ")[2].partition(b"\r\n")[0]
    show(b"%s %s %s" % (way, answer[9:12], reason))
    connection.close()

octets = bytes.fromhex("OCTETS")
report(b"captured", connect("api.test", 80), octets)
report(b"connect", tunnel(b"api.test", 80)[0], octets)
report(b"socks5", socks(b"api.test", 80)[0], octets)
report(b"forward", socket.create_connection(PROXY, PATIENCE), octets.replace(b" /", b" http://api.test/", 1))
"#;
