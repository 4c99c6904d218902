//! Pushes at the same time, and rules that go away while a push is under way.

use ringfence_testkit::poll;

use super::forge::{Forge, RULES};

/// Sends half of a push, says so, and prints what is answered when it is not sent on.
const HALF: &str = r#"
import os, ssl, socket
from wire_git import *
old = git("ls-remote", "https://github.com/acme/web.git", "refs/heads/main").split()[0]
tree = git("-C", "web", "rev-parse", "origin/main^{tree}")
made = commit(tree, [old])
body = pkt(ZERO + b" " + oid(b"commit", made) + b" refs/heads/agent/x\0 " + CAPABILITIES) + b"0000" + pack([(1, made)])
tls = ssl.create_default_context().wrap_socket(socket.create_connection(("github.com", 443), 60), server_hostname="github.com")
head = "POST /acme/web.git/git-receive-pack HTTP/1.1\r\nHost: github.com\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
tls.sendall((head % (PUSH, len(body))).encode() + body[:-40])
open("half", "w").close()
said = b""
while b"ng refs/heads/agent/x" not in said:
    part = tls.recv(65536)
    if not part:
        break
    said += part
print("".join(c if c.isprintable() else " " for c in said.decode("latin-1")))
"#;

#[test]
fn a_push_ends_at_once_when_its_rule_is_taken_away() {
    let forge = Forge::start();
    forge.works("git clone -q https://github.com/acme/web.git");
    forge.host.file("wire_git.py", include_str!("wire_git.py"));
    let attack = forge.host.file("half.py", HALF);
    let before = forge.state("acme/web");
    let running = forge
        .run()
        .spawn(&["python3", &attack.display().to_string()]);
    let half = forge.host.project().join("half");
    poll::until_true("half of a push", || half.exists()).unwrap();
    forge.rules(
        &RULES
            .replace("access: write", "access: read")
            .replace("      refs:", "      #"),
    );
    let ended = running.wait();
    assert_eq!(ended.code, 0, "{ended}");
    assert!(
        ended
            .stdout
            .contains("ng refs/heads/agent/x refused by Ringfence"),
        "{ended}"
    );
    assert!(ended.stdout.contains("read, not written"), "{ended}");
    assert_eq!(forge.state("acme/web"), before);
    let pushes = forge
        .host
        .events()
        .into_iter()
        .filter(|event| event["action"]["operation"] == "push");
    let outcomes: Vec<_> = pushes
        .map(|event| event["closing"]["outcome"].clone())
        .collect();
    assert_eq!(outcomes.len(), 1);
    assert_eq!(outcomes[0]["outcome"], "refused", "{outcomes:?}");
}

#[test]
fn of_two_pushes_to_one_ref_at_once_exactly_one_wins_and_the_record_says_which() {
    let forge = Forge::start();
    // Each waits until both are there.
    let count = forge.host.workdir().join("count");
    let hook = format!(
        "echo . >> {0}; for try in $(seq 400); do [ $(wc -l < {0}) -ge 2 ] && exit 0; sleep 0.05; done; exit 1",
        count.display()
    );
    forge.works("git clone -q https://github.com/acme/web.git one; cd one; git push -q origin main:refs/heads/agent/x; cp -r ../one ../two");
    forge.server.hook("acme/web", "pre-receive", &hook).unwrap();
    let ended = forge.works(
        "for name in one two; do ( cd $name; echo $name > $name; git add $name; git commit -qm $name ) done
         for name in one two; do
             ( cd $name; code=0; git push -q origin HEAD:agent/x 2> ../$name.said || code=$?; echo $code $(git rev-parse HEAD) > ../$name.ended ) &
         done
         wait; cat one.ended two.ended",
    );
    let ends: Vec<(&str, &str)> = ended
        .stdout
        .lines()
        .filter_map(|line| line.split_once(' '))
        .collect();
    let winners: Vec<&str> = ends
        .iter()
        .filter(|(code, _)| *code == "0")
        .map(|(_, id)| *id)
        .collect();
    assert_eq!((ends.len(), winners.len()), (2, 1), "{ended}");
    assert_eq!(
        forge.resolve("acme/web", "refs/heads/agent/x").as_deref(),
        Some(winners[0])
    );
    let mut recorded = Vec::new();
    for event in ended
        .events
        .iter()
        .filter(|event| event["action"]["operation"] == "push")
    {
        let update = &event["closing"]["git"]["updates"][0];
        if update["refused"].is_null() {
            recorded.push(event["action"]["updates"][0]["new"].as_str().unwrap());
        }
    }
    assert_eq!(recorded, winners, "{ended}");
}

#[test]
fn more_pushes_and_clones_than_are_served_at_once_all_come_through() {
    let forge = Forge::start();
    let ended = forge.works(
        "git clone -q https://github.com/acme/web.git web
         for n in $(seq 12); do
             ( git clone -q https://github.com/acme/docs.git docs$n && cat docs$n/README > clone$n ) &
             ( cp -r web web$n; cd web$n; head -c 2000000 /dev/urandom > n; git add n; git commit -qm $n
               git push -q origin HEAD:refs/heads/agent/$n && echo pushed > ../push$n ) &
         done
         wait; cat clone* push* | sort | uniq -c | tr -s ' '",
    );
    assert_eq!(ended.stdout, " 12 pushed\n 12 read me\n", "{ended}");
    for number in 1..=12 {
        let name = format!("refs/heads/agent/{number}");
        assert!(forge.resolve("acme/web", &name).is_some(), "{name}");
    }
}
