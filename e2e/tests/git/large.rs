//! Pushes that are sent in chunks, after a probe: as large as they are, they are answered in git's own words.

use super::forge::{Forge, RULES};

const BEGIN: &str =
    "git clone -q https://github.com/acme/web.git; cd web; git checkout -q -b agent/x
large() { head -c $1 /dev/urandom > big; git add big; git commit -qm $1; }
";

#[test]
fn pushes_of_6_and_60_megabytes_arrive_whole() {
    let forge = Forge::start();
    let ended = forge.works(&format!(
        "{BEGIN}for octets in 6000000 60000000; do
             large $octets; git push -q origin agent/x; sha1sum big | cut -d' ' -f1
         done
         git push -q https://git.ringfence.internal/github/acme/web.git agent/x:agent/short"
    ));
    let commits = forge
        .server
        .git("acme/web", &["rev-list", "-2", "--reverse", "agent/x"])
        .unwrap();
    let mut sums = String::new();
    for commit in commits.lines() {
        let path = forge.server.path("acme/web");
        let script = format!(
            "git -C {} cat-file blob {commit}:big | sha1sum | cut -d' ' -f1",
            path.display()
        );
        let mut sh = ringfence_testkit::process::command("sh");
        let output = ringfence_testkit::process::run(sh.args(["-c", &script])).unwrap();
        sums += &String::from_utf8(output.stdout).unwrap();
    }
    assert_eq!(ended.stdout, sums, "{ended}");
    let requests = forge.server.requests().unwrap();
    let pushes = requests.iter().filter(|request| {
        let uri = request["uri"].as_str().unwrap_or_default();
        uri.ends_with("/git-receive-pack") && request["method"] == "POST"
    });
    // No probe goes upstream.
    assert_eq!(pushes.count(), 3);
}

#[test]
fn large_pushes_are_refused_readably_before_they_are_looked_at() {
    let forge = Forge::start();
    let before = forge.state("acme/web");
    let (steps, _) = forge.steps(&format!(
        "{BEGIN}for octets in 6000000 60000000; do large $octets; step $octets git push origin HEAD:main; done"
    ));
    for (name, step) in &steps {
        let words = ["! [remote rejected]", "not to update refs/heads/main"];
        step.assert_refused(name, &words);
    }
    assert_eq!(steps.len(), 2);
    assert_eq!(forge.state("acme/web"), before);
}

#[test]
fn large_pushes_are_refused_readably_after_they_were_looked_at() {
    let forge = Forge::start();
    let before = forge.state("acme/web");
    let (steps, _) = forge.steps(&format!(
        "{BEGIN}echo x >> .github/workflows/ci.yml; git commit -qam ci
         for octets in 6000000 30000000; do large $octets; step $octets git push origin HEAD:agent/x; done"
    ));
    for (name, step) in &steps {
        let words = ["! [remote rejected]", "denies .github/workflows/**"];
        step.assert_refused(name, &words);
    }
    assert_eq!(steps.len(), 2);
    assert_eq!(forge.state("acme/web"), before);
}

#[test]
fn the_limits_of_a_rule_hold() {
    let limits = "      limits: { packOctets: 1000000, objects: 20, inflatedOctets: 3000000, refs: 2 }\n      refs:";
    let forge = Forge::with_rules(&RULES.replace("      refs:", limits));
    let before = forge.state("acme/web");
    let (steps, _) = forge.steps(&format!(
        "{BEGIN}large 6000000; step octets git push origin agent/x
         git reset -q --hard origin/main; for n in $(seq 30); do echo $n > f$n; done; git add .; git commit -qm many
         step objects git push origin agent/x
         git reset -q --hard origin/main; head -c 30000000 /dev/zero > zeros; git add .; git commit -qm zeros
         step inflated git push origin agent/x
         step refs git push origin main:agent/a main:agent/b main:agent/c"
    ));
    let stated = [
        ("octets", "1000000 octets"),
        ("objects", "objects"),
        ("inflated", "octets"),
        ("refs", "change 2 refs, not 3"),
    ];
    for (name, words) in stated {
        steps[name].assert_refused(name, &["! [remote rejected]", words]);
    }
    assert_eq!(forge.state("acme/web"), before);
    forge.works("cd web; git reset -q --hard origin/main; head -c 500000 /dev/urandom > some; git add some; git commit -qm some
        git push -q origin agent/x main:agent/a");
    assert_ne!(forge.state("acme/web"), before);
}

#[test]
fn the_probe_before_a_large_push_is_answered_and_goes_nowhere() {
    let forge = Forge::start();
    let ended = forge.works(
        "probe() { printf 0000 | curl -s -o /dev/null -w '%{http_code} %{content_type} %{size_download}\\n' --data-binary @- \
             -H 'Content-Type: application/x-git-receive-pack-request' $1/git-receive-pack; }
         probe https://github.com/acme/web.git
         probe https://git.ringfence.internal/github/acme/web
         probe https://github.com/acme/docs.git",
    );
    let allowed = "200 application/x-git-receive-pack-result 0\n";
    assert!(ended.stdout.starts_with(&allowed.repeat(2)), "{ended}");
    assert!(
        ended
            .stdout
            .lines()
            .nth(2)
            .is_some_and(|line| line.starts_with("403 ")),
        "{ended}"
    );
    assert_eq!(
        forge.server.requests().unwrap(),
        Vec::<serde_json::Value>::new()
    );
}
