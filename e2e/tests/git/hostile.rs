//! A server that means harm: it gets the credential for itself and for nobody else, and cannot reach the client behind the gateway.

use std::collections::BTreeMap;
use std::fs;

use ringfence_testkit::api::{Api, echo};
use ringfence_testkit::port::ReservedPort;
use ringfence_testkit::process::{Server, command};
use serde_json::Value;

use super::forge::{Forge, Step, TOKEN};

const RULES: &str = r#"  - allow: { repo: "github/acme/*", access: write, credential: forge }
network:
  - allow: { host: sink.test }
"#;

/// A forge whose place at `github.com` the hostile server has taken, and where the credential must not arrive.
struct Hostile {
    forge: Forge,
    sink: Api,
    _server: Server,
}

impl Hostile {
    fn start() -> Self {
        let mut forge = Forge::with_rules(RULES);
        let workdir = forge.host.workdir();
        let leaf = forge.ca.leaf(&["github.com"]).unwrap();
        let port = ReservedPort::new().unwrap();
        let program = workdir
            .file("hostile_server.py", include_str!("hostile_server.py"))
            .unwrap();
        let mut python = command("/usr/bin/python3");
        python.env("HOME", workdir.path());
        python
            .arg(program)
            .arg(port.number().to_string())
            .arg(&leaf.certificate)
            .arg(&leaf.key);
        python
            .arg(forge.server.path("acme/docs"))
            .arg(workdir.join("notes"));
        let mut server = Server::start(workdir, "hostile", &mut python).unwrap();
        server.wait_for_port(port.address()).unwrap();
        let sink = Api::start(workdir, &forge.ca, &["sink.test"], echo).unwrap();
        forge
            .host
            .name("github.com", port.address())
            .name("sink.test", sink.https());
        Self {
            forge,
            sink,
            _server: server,
        }
    }

    /// What the hostile server noted.
    fn notes(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.forge.host.workdir().join("notes")).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// Runs steps, of which each output must hold nothing that a terminal obeys and nothing of the server's pages.
    fn steps(&self, script: &str) -> BTreeMap<String, Step> {
        let (steps, ended) = self.forge.steps(&format!(
            "U=https://github.com/acme
             try() {{ step $1 git clone -q $U/$1.git copy-$1; }}
             curl -sS --fail -o /dev/null https://sink.test/reachable
             {script}"
        ));
        for (name, step) in &steps {
            for part in [
                "\u{1b}",
                "\u{9b}",
                "\u{7}",
                "\u{8}",
                "\0",
                "LOGIN-PAGE",
                TOKEN,
            ] {
                assert!(!step.said.contains(part), "{name}: {:?}", step.said);
            }
        }
        // The sink can be reached, so that nothing else there means that nobody was sent there.
        let paths: Vec<String> = self
            .sink
            .requests()
            .into_iter()
            .map(|request| request.path)
            .collect();
        assert_eq!(paths, ["/reachable"], "{ended}");
        steps
    }
}

#[test]
fn the_credential_and_the_client_follow_no_redirect() {
    let hostile = Hostile::start();
    let steps = hostile.steps(
        "for name in to-sink to-plain to-moved to-port to-protocol to-user post-to-sink post-to-moved; do try $name; done
         git clone -q $U/honest.git; cd honest; echo 1 > n; git add n; git commit -qm 1
         for name in to-sink push-to-sink push-to-plain push-to-moved; do step at-$name git push $U/$name.git HEAD:x; done",
    );
    for (name, step) in &steps {
        step.assert_refused(name, &[]);
        let words = if name.ends_with("to-moved") {
            "has moved to github/acme/moved"
        } else {
            "not followed"
        };
        assert!(step.said.contains(words), "{name}: {}", step.said);
    }
    let notes = hostile.notes();
    let moved = notes.iter().filter(|note| {
        note["path"]
            .as_str()
            .unwrap()
            .starts_with("/acme/moved.git")
    });
    assert_eq!(moved.count(), 0, "nobody asked for it");
}

#[test]
fn what_a_server_answers_in_place_of_git_is_told_in_our_words() {
    let hostile = Hostile::start();
    let steps = hostile.steps(
        "for status in 401 403 404 429 500 503 204; do try status-$status; try post-status-$status; done
         for name in html post-html dumb hang-up huge-packet error; do try $name; done
         git clone -q $U/honest.git; cd honest; echo 1 > n; git add n; git commit -qm 1
         for status in 401 429 500; do step push-$status git push $U/push-status-$status.git HEAD:x; done",
    );
    for (name, step) in &steps {
        step.assert_refused(name, &[]);
    }
    for (name, words) in [
        ("status-401", "does not accept the credential"),
        ("status-403", "does not accept the credential"),
        ("status-404", "no such repository"),
        ("status-429", "try again in 7 seconds"),
        ("status-500", "the upstream answered 500"),
        ("status-503", "wants fewer requests"),
        ("html", "does not answer as a git server does"),
        ("post-html", "does not answer as a git server does"),
        ("dumb", "does not answer as a git server does"),
        ("post-status-401", "does not accept the credential"),
        ("post-status-500", "the upstream answered 500"),
        ("push-401", "does not accept the credential"),
        ("push-500", "the upstream answered 500"),
    ] {
        assert!(
            steps[name].said.contains(words),
            "{name}: {}",
            steps[name].said
        );
    }
    for name in ["push-401", "push-429", "push-500"] {
        assert!(
            steps[name].said.contains("! [remote rejected]"),
            "{}",
            steps[name].said
        );
    }
}

#[test]
fn nothing_that_a_terminal_obeys_comes_through_and_nothing_damaged_looks_whole() {
    let hostile = Hostile::start();
    let steps = hostile.steps(
        "step escapes git clone $U/post-escapes.git copy-escapes
         for name in post-fatal post-band-4 post-uris post-cut post-damaged; do try $name; done
         git clone -q $U/honest.git; cd honest; echo 1 > n; git add n; git commit -qm 1
         for name in honest push-escapes push-lies; do step at-$name git push $U/$name.git HEAD:x; done",
    );
    assert_eq!(steps["escapes"].code, 0, "{}", steps["escapes"].said);
    assert!(
        steps["escapes"].said.contains("plain"),
        "{}",
        steps["escapes"].said
    );
    for name in ["fatal", "band-4", "uris", "cut", "damaged"] {
        let step = &steps[&format!("post-{name}")];
        assert_ne!(step.code, 0, "{name}: {}", step.said);
    }
    assert_eq!(steps["at-honest"].code, 0, "{}", steps["at-honest"].said);
    for name in ["at-push-escapes", "at-push-lies"] {
        assert_ne!(steps[name].code, 0, "{name}: {}", steps[name].said);
    }
}

#[test]
fn what_would_lead_a_client_elsewhere_is_not_offered_to_it() {
    let hostile = Hostile::start();
    let steps = hostile.steps(
        "step offers env GIT_TRACE_PACKET=$PWD/packets git -c transfer.bundleURI=true -c fetch.uriProtocols=https,http \
             -c promisor.acceptFromServer=all clone $U/offers.git
         cat offers/README",
    );
    assert_eq!(steps["offers"].code, 0, "{}", steps["offers"].said);
    assert!(
        steps["offers"].said.contains("read me"),
        "{}",
        steps["offers"].said
    );
    let packets = fs::read_to_string(hostile.forge.host.project().join("packets")).unwrap();
    assert!(packets.contains("ls-refs"), "{packets}");
    for offer in [
        "bundle-uri",
        "object-info",
        "promisor",
        "session-id=evil",
        "server-option",
        "packfile-uris",
        "sink.test",
    ] {
        assert!(!packets.contains(offer), "{offer}: {packets}");
    }
}

#[test]
fn what_never_ends_is_ended() {
    let hostile = Hostile::start();
    let steps = hostile.steps(
        "for name in endless-refs endless-capabilities; do step $name timeout 50 git clone -q $U/$name.git; done
         step progress timeout 50 git clone -q $U/post-endless-progress.git",
    );
    for (name, step) in &steps {
        assert_ne!(step.code, 0, "{name}: {}", step.said);
        assert_ne!(step.code, 124, "{name} was not ended: {}", step.said);
    }
    let ended = hostile
        .notes()
        .into_iter()
        .filter_map(|note| note["sent"].as_u64());
    let sent: Vec<u64> = ended.collect();
    assert_eq!(sent.len(), 3, "{sent:?}");
    for octets in sent {
        assert!(octets < 1 << 30, "{octets}");
    }
}

#[test]
fn the_credential_goes_to_the_server_of_its_rule_and_nothing_of_the_agents_goes_along() {
    let hostile = Hostile::start();
    hostile.steps(
        "git -c http.extraHeader='Authorization: Basic c3RvbGVu' -c http.extraHeader='Cookie: a=b' -c http.extraHeader='X-Forwarded-For: 1.2.3.4' \
             -c http.extraHeader='X-HTTP-Method-Override: PUT' clone -q https://me:mine@github.com/acme/honest.git honest || true
         git clone -q $U/honest.git plain",
    );
    let notes = hostile.notes();
    let asked: Vec<&Value> = notes
        .iter()
        .filter(|note| note["path"] != "/notes")
        .collect();
    assert!(asked.len() >= 3);
    for note in asked {
        let headers = note["headers"].as_object().unwrap();
        let basic = headers["authorization"].as_str().unwrap();
        assert!(basic.starts_with("Basic eC1hY2Nlc3MtdG9rZW46"), "{note}");
        for name in [
            "cookie",
            "x-forwarded-for",
            "x-http-method-override",
            "via",
            "forwarded",
        ] {
            assert!(!headers.contains_key(name), "{note}");
        }
    }
}
