//! Clients trust the sandbox's own authority: they read an intercepted site, and why a host is refused, inside TLS.

use std::path::PathBuf;

use ringfence_e2e::Host;
use ringfence_testkit::api::{ApiResponse, echo};
use ringfence_testkit::nginx::HELLO;

use super::desk::{Desk, WITHOUT_PROXY};

/// Each client with the command that prints what is at `$url`, also with an error status.
const CLIENTS: &[(&str, &str)] = &[
    ("curl-1.1", "curl -sS --http1.1 $url"),
    ("curl-2", "curl -sS --http2 $url"),
    ("wget", "wget -q -O - --content-on-error $url"),
    (
        "requests",
        "/usr/bin/python3 -c 'import requests, sys; print(requests.get(sys.argv[1], timeout=20).text)' $url",
    ),
    (
        "httpx",
        "/usr/bin/python3 -c 'import httpx, sys; print(httpx.Client(http2=True, timeout=20).get(sys.argv[1]).text)' $url",
    ),
    ("urllib", "/usr/bin/python3 urllib_get.py $url"),
    (
        "fetch",
        "node -e 'fetch(process.argv[1]).then(answer => answer.text()).then(console.log)' $url",
    ),
    ("java", "java -XX:TieredStopAtLevel=1 Get $url"),
    ("gh", "gh api --method GET $url || true"),
    (
        "openssl",
        "printf 'GET / HTTP/1.1\\r\\nHost: %s\\r\\nConnection: close\\r\\n\\r\\n' $host | openssl s_client -quiet -verify_return_error -verify_hostname $host -servername $host -connect $host:443 2>/dev/null",
    ),
];

const URLLIB: &str = "
import sys, urllib.error, urllib.request
try:
    answer = urllib.request.urlopen(sys.argv[1], timeout=20)
except urllib.error.HTTPError as error:
    answer = error
print(answer.read().decode())
";

/// As anybody writes it: no store of its own.
const GET: &str = "
import java.net.URI;
import java.net.http.*;
public class Get {
    public static void main(String[] urls) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(urls[0])).build();
        System.out.println(HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body());
    }
}
";

const PROFILE: &str = "apiVersion: ringfence/v1
kind: Profile
name: read
api:
  - allow: { host: api.acme.test, methods: [GET] }
";

#[test]
fn every_client_reads_an_intercepted_site_and_why_another_is_refused() {
    let mut desk = Desk::new();
    let api = desk.api("api.acme.test", |_| ApiResponse::new(200, HELLO));
    let denied = desk.api("denied.acme.test", echo);
    desk.host.profile("read", PROFILE);
    desk.host.file("urllib_get.py", URLLIB);
    desk.host.file("Get.java", GET);
    let mut script = format!("{WITHOUT_PROXY}export GH_TOKEN=none; javac Get.java\n");
    for (name, command) in CLIENTS {
        for host in ["api", "denied"] {
            script += &format!(
                "host={host}.acme.test; url=https://$host/; {{ {command} ; }} > {name}-{host} 2> {name}-{host}.err &\n"
            );
        }
        // Two at once: as many as there are processors on a small machine.
        script += "wait\n";
    }
    let ended = desk.host.run().profile("read").sh(&script);
    assert_eq!(ended.code, 0, "{ended}");
    for (name, _) in CLIENTS {
        let (read, refused) = (
            desk.read(format!("{name}-api")),
            desk.read(format!("{name}-denied")),
        );
        let complaint = desk.read(format!("{name}-api.err"));
        assert!(read.contains(HELLO.trim()), "{name}: {read} {complaint}");
        let complaint = desk.read(format!("{name}-denied.err"));
        assert!(
            refused.contains("no rule allows denied.acme.test"),
            "{name}: {refused} {complaint}"
        );
    }
    assert_eq!(api.requests().len(), CLIENTS.len(), "{ended}");
    assert_eq!(denied.requests().len(), 0);
}

/// Tools that show a status or a part of the answer, with what they show of a refusal.
const TOOLS: &[(&str, &str)] = &[
    (
        "git ls-remote https://denied.acme.test/a.git",
        "no rule allows denied.acme.test",
    ),
    (
        "npm view sample --registry https://denied.acme.test/ --no-update-notifier",
        "403",
    ),
    (
        "/usr/bin/python3 -m pip download --disable-pip-version-check --retries 0 -vv --no-deps --index-url https://denied.acme.test/simple sample",
        "403",
    ),
    ("cargo search sample --registry local", "403"),
    (
        "/usr/bin/python3 -c 'import boto3; boto3.client(\"sts\", region_name=\"eu-central-1\", endpoint_url=\"https://denied.acme.test\", aws_access_key_id=\"a\", aws_secret_access_key=\"b\").get_caller_identity()'",
        "no rule allows denied.acme.test",
    ),
];

#[test]
fn tools_tell_a_refusal_from_a_broken_network() {
    // The toolchain of cargo may lie in a directory that only the caller can read.
    let mut desk = Desk::with(Host::as_caller());
    let denied = desk.api("denied.acme.test", echo);
    desk.host.profile("read", PROFILE);
    desk.host.file(
        ".cargo/config.toml",
        "[registries.local]\nindex = \"sparse+https://denied.acme.test/index/\"\n",
    );
    let cargo = std::env::var_os("CARGO").map(PathBuf::from).unwrap();
    let toolchain = cargo.ancestors().nth(2).unwrap().display().to_string();
    let mut script = WITHOUT_PROXY.to_owned();
    for (index, (command, _)) in TOOLS.iter().enumerate() {
        script += &format!("( {command} ) > tool-{index} 2>&1 && echo {index} went through\n");
    }
    let ended = desk
        .host
        .run()
        .profile("read")
        .option("--read", &toolchain)
        .env(&format!("PATH={toolchain}/bin:/usr/bin:/bin"))
        .sh(&script);
    assert_eq!(ended.stdout, "", "{ended}");
    for (index, (command, words)) in TOOLS.iter().enumerate() {
        let said = desk.read(format!("tool-{index}"));
        assert!(said.contains(words), "{command}: {said}");
        assert!(
            !said.to_lowercase().contains("certificate"),
            "{command}: {said}"
        );
    }
    assert_eq!(denied.requests().len(), 0);
}

#[test]
fn the_authority_is_the_sandboxs_own_and_another_sandbox_has_another() {
    let mut desk = Desk::new();
    let api = desk.api("api.acme.test", echo);
    desk.host.profile("read", PROFILE);
    let first = desk.host.run().profile("read").sh(
        "cp $SSL_CERT_FILE theirs
         openssl s_client -servername api.acme.test -connect api.acme.test:443 < /dev/null 2>/dev/null > chain
         openssl x509 -in chain -noout -issuer -checkend 90000 -ext subjectAltName",
    );
    assert!(first.stdout.contains("Ringfence sandbox"), "{first}");
    assert!(
        first.stdout.contains("Certificate will expire"),
        "at most a day: {first}"
    );
    assert!(first.stdout.contains("DNS:api.acme.test\n"), "{first}");
    let second = desk.host.run().profile("read").sh(
        "curl -sS -o /dev/null https://api.acme.test/ && echo own
         curl -sS -o /dev/null --cacert theirs https://api.acme.test/ 2>/dev/null || echo not theirs",
    );
    assert_eq!(second.stdout, "own\nnot theirs\n", "{second}");
    assert_eq!(api.requests().len(), 1);
}
