//! Spellings of a path: exactly those of the repository itself lead to it, and what goes upstream is always the one spelling.

use super::forge::Forge;

/// Spellings that mean `acme/docs` at GitHub.
const SAME: &[&str] = &[
    "/acme/docs.git",
    "/acme/docs",
    "/Acme/Docs",
    "/ACME/DOCS.GIT",
    "/acme/docs.Git",
];

/// Spellings that HTTP itself says are the same (RFC 3986, section 6.2.2.2): they are written in the one way before they are looked at.
const EQUIVALENT: &[&str] = &["/acme/%64ocs.git", "/%61cme/docs.git", "/acme/docs%2egit"];

/// Spellings that another parser could take for `acme/docs`, or for a repository beside it.
const OTHER: &[&str] = &[
    "//acme/docs.git",
    "/acme//docs.git",
    "/acme/docs.git/",
    "/./acme/docs.git",
    "/acme/./docs.git",
    "/acme/../acme/docs.git",
    "/acme/web/../docs.git",
    "/acme/docs.git/../secret.git",
    "/acme/docs/../secret.git",
    "/acme/docs.git/..%2fsecret.git",
    "/acme/docs.git/%2e%2e/secret.git",
    "/acme%2fdocs.git",
    "/acme%2Fdocs.git",
    "/acme%5cdocs.git",
    "/acme\\docs.git",
    "/acme/docs.git%00",
    "/acme/docs.git%20",
    "/acme/docs.git%0a",
    "/acme/docs%252egit",
    "/acme/docs.git;x=1",
    "/acme;a/docs.git",
    "/acme/docs.git,",
    "/acme/docs.git.git",
    "/acme/docs.git/.git",
    "/acme/docs/.git",
    "/acme/.git/docs",
    "/acme/docs.git.",
    "/acme/docs.",
    "/acme./docs.git",
    "/acme /docs.git",
    "/acme/docs.git/docs.git",
    "/acme/docs/docs.git",
    "/acme/docs.wiki.git",
    "/acme/docs.wiki",
    "/acme",
    "/docs.git",
    "/",
    "",
    "/~acme/docs.git",
    "/~/docs.git",
    "/-acme/docs.git",
    "/acme/-docs.git",
    "/acme/docs.git?x=1",
    "/acme/docs.git?x=1/../secret.git",
    "/acme/docs.git#",
    "/acme/docs.git?",
    "/acme/d\u{f6}cs.git",
    "/acme/d%c3%b6cs.git",
    "/acme/\u{ff44}ocs.git",
    "/acme/doc\u{17f}.git",
    "/acme/docs.git/info/refs/../..",
    "/acme/docs.git/info",
    "/acme/docs.git/objects/../../secret.git",
    "/github.com/acme/docs.git",
    "/https://github.com/acme/docs.git",
    "/gist/acme/docs.git",
    "/acme/secret.git",
    "/acme/docs-secret.git",
    "/acme/doc.git",
    "/acme2/docs.git",
    "/acme/secret.git/acme/docs.git",
];

const TRY: &str = r#"
import socket, ssl, sys
context = ssl.create_default_context()
def ask(host, path):
    try:
        with context.wrap_socket(socket.create_connection((host, 443), 20), server_hostname=host) as tls:
            tls.settimeout(20)
            head = b"GET %s/info/refs?service=git-upload-pack HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n"
            tls.sendall(head % (path, host.encode()))
            octets = b""
            while part := tls.recv(65536):
                octets += part
            return octets
    except OSError as error:
        return type(error).__name__.encode()
for line in open("paths", "rb").read().split(b"\n")[:-1]:
    for host, prefix in (("github.com", b""), ("git.ringfence.internal", b"/github")):
        octets = ask(host, prefix + line)
        given = b" 200 " in octets.split(b"\r\n")[0] and b"refs/heads/main" in octets
        print("given" if given else "refused", host)
"#;

#[test]
fn only_the_spellings_of_a_repository_itself_lead_to_it() {
    let forge = Forge::start();
    forge
        .server
        .repository("acme/docs.wiki", super::forge::FILES)
        .unwrap();
    let paths: Vec<&str> = SAME
        .iter()
        .chain(EQUIVALENT)
        .chain(OTHER)
        .copied()
        .collect();
    forge.host.file("paths", paths.join("\n") + "\n");
    let ended = forge.run().python(TRY);
    assert_eq!(ended.code, 0, "{ended}");
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(lines.len(), 2 * paths.len(), "{ended}");
    let mut wrong = Vec::new();
    for (path, said) in paths.iter().zip(lines.chunks(2)) {
        let is_same = SAME.contains(path) || EQUIVALENT.contains(path);
        let expected = if is_same { "given" } else { "refused" };
        wrong.extend(
            said.iter()
                .filter(|line| !line.starts_with(expected))
                .map(|line| (*path, *line)),
        );
    }
    assert_eq!(wrong, []);
    let requests = forge.server.requests().unwrap();
    assert!(requests.len() >= 2 * SAME.len());
    for request in requests {
        let uri = request["uri"].as_str().unwrap();
        assert_eq!(uri, "/acme/docs.git/info/refs?service=git-upload-pack");
    }
}

#[test]
fn a_repository_beside_is_not_reached_by_a_longer_name() {
    let forge = Forge::with_rules(
        "  - allow: { repo: \"github/acme/docs*\", access: read, credential: forge }\n",
    );
    forge
        .server
        .repository("acme/docs-two", super::forge::FILES)
        .unwrap();
    let (steps, _) = forge.steps(
        "step two git ls-remote https://github.com/acme/docs-two.git
         step web git ls-remote https://github.com/acme/web.git
         step deeper git ls-remote https://github.com/acme/docs-two/web.git",
    );
    assert_eq!(steps["two"].code, 0, "{}", steps["two"].said);
    for name in ["web", "deeper"] {
        assert_ne!(steps[name].code, 0, "{name}: {}", steps[name].said);
    }
}

#[test]
fn an_expression_takes_linear_time_for_a_long_path() {
    let forge = Forge::with_rules(
        "  - allow: { repoRegex: \"github/(a|aa|aaa)*b/(x+x+)+y\", access: read, credential: forge }\n",
    );
    let (steps, ended) = forge.steps(
        "long() { printf '%0.s'$1 $(seq $2); }
         step long curl -s -o /dev/null -w '%{http_code} %{time_total}' https://github.com/$(long a 400)/$(long x 400)/info/refs?service=git-upload-pack
         step longer curl -s -o /dev/null -w '%{http_code} %{time_total}' https://github.com/$(long a 10000)/x.git/info/refs?service=git-upload-pack",
    );
    for (name, step) in &steps {
        let (status, seconds) = step.said.split_once(' ').unwrap();
        assert!(matches!(status, "400" | "403"), "{name}: {ended}");
        assert!(seconds.parse::<f64>().unwrap() < 3.0, "{name}: {ended}");
    }
}
