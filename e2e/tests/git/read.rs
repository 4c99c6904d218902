//! With a read grant, everything that reads works from the plain URL, in every version of the protocol.

use ringfence_e2e::Host;
use ringfence_testkit::Ca;
use ringfence_testkit::git::GitServer;
use ringfence_testkit::process::{command, run};

use super::forge::{FILES, Forge, RULES, TOKEN};
use crate::credentials::encodings::places;

const DOCS: &str = "https://github.com/acme/docs.git";

#[test]
fn clone_and_fetch_work_by_every_version_and_by_both_addresses() {
    let forge = Forge::start();
    let script = format!(
        "for version in 0 1 2; do
             git -c protocol.version=$version clone -q {DOCS} docs$version
             cat docs$version/README
         done
         git clone -q https://github.com/Acme/Docs docs-plain
         git clone -q https://git.ringfence.internal/github/acme/docs.git docs-short
         cat docs-short/README
         git -C docs-short fsck --strict
         git -C docs-plain rev-parse HEAD
         git ls-remote {DOCS} refs/heads/main | cut -f1"
    );
    let ended = forge.works(&script);
    let main = forge.resolve("acme/docs", "refs/heads/main").unwrap();
    let wanted = format!("{}{main}\n{main}\n", "read me\n".repeat(4));
    assert_eq!(ended.stdout, wanted, "{ended}");
    let newer = forge
        .server
        .commit("acme/docs", &[("NEWS", b"news\n")])
        .unwrap();
    let ended = forge.works(
        "for copy in docs0 docs1 docs2 docs-plain docs-short; do
             git -C $copy fetch -q; git -C $copy rev-parse origin/main
         done
         git -C docs2 pull -q; cat docs2/NEWS",
    );
    assert_eq!(
        ended.stdout,
        format!("{}\n", newer).repeat(5) + "news\n",
        "{ended}"
    );
}

#[test]
fn a_shallow_clone_is_deepened_and_made_whole() {
    let forge = Forge::start();
    for number in 0..5 {
        let text = format!("{number}\n");
        forge
            .server
            .commit("acme/docs", &[("n", text.as_bytes())])
            .unwrap();
    }
    for version in 0..3 {
        let ended = forge.works(&format!(
            "git config --global protocol.version {version} 2>/dev/null || export GIT_CONFIG_GLOBAL=/tmp/gitconfig
             git config --global protocol.version {version}
             git clone -q --depth 1 {DOCS} v{version}; cd v{version}
             git rev-list --count HEAD
             git fetch -q --deepen 2; git rev-list --count HEAD
             git fetch -q --depth 4; git rev-list --count HEAD
             git fetch -q --unshallow; git rev-list --count HEAD
             git rev-parse --is-shallow-repository"
        ));
        assert_eq!(
            ended.stdout, "1\n3\n4\n6\nfalse\n",
            "version {version}: {ended}"
        );
    }
}

#[test]
fn a_partial_clone_fetches_what_it_lacks_when_it_is_needed() {
    let forge = Forge::start();
    let ended = forge.works(&format!(
        "git clone -q --filter=blob:none --no-checkout {DOCS} part; cd part
         git rev-list --objects --missing=print HEAD | grep -c '^?'
         git show HEAD:src/deep/one
         git checkout -q main; cat README
         git rev-list --objects --missing=print HEAD | grep -c '^?' || true
         cd ..
         git clone -q --filter=tree:0 {DOCS} bare-bones; cat bare-bones/README"
    ));
    assert_eq!(ended.stdout, "4\none\nread me\n0\nread me\n", "{ended}");
    let filters = ended
        .events
        .iter()
        .filter_map(|event| event["action"]["filter"].as_str());
    let filters: Vec<&str> = filters.collect();
    assert!(
        filters.contains(&"blob:none") && filters.contains(&"tree:0"),
        "{filters:?}"
    );
}

#[test]
fn a_submodule_is_fetched_where_a_rule_allows_its_repository_and_only_there() {
    let forge = Forge::start();
    let modules: &[u8] = b"[submodule \"web\"]\n\tpath = web\n\turl = ../web.git\n\
[submodule \"secret\"]\n\tpath = secret\n\turl = https://github.com/acme/secret.git\n";
    forge
        .server
        .commit("acme/docs", &[(".gitmodules", modules)])
        .unwrap();
    // A submodule is an entry of a tree that names a commit.
    let web = forge.resolve("acme/web", "refs/heads/main").unwrap();
    let secret = forge.resolve("acme/secret", "refs/heads/main").unwrap();
    let bare = forge.server.path("acme/docs");
    let script = format!(
        "set -e; cd {}; export GIT_INDEX_FILE=/tmp/index-$$ GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
         git read-tree main
         git update-index --add --cacheinfo 160000,{web},web
         git update-index --add --cacheinfo 160000,{secret},secret
         git update-ref refs/heads/main $(git commit-tree -p main -m modules $(git write-tree)); rm $GIT_INDEX_FILE",
        bare.display()
    );
    let mut sh = command("sh");
    run(sh.args(["-c", &script])).unwrap();
    let (steps, ended) = forge.steps(&format!(
        "git clone -q {DOCS} docs; cd docs
         step web git submodule --quiet update --init web
         step secret git submodule --quiet update --init secret
         cat web/README"
    ));
    assert_eq!(steps["web"].code, 0, "{ended}");
    steps["secret"].assert_refused("secret", &["no rule allows"]);
    assert!(ended.stdout.ends_with("read me\n"), "{ended}");
}

#[test]
fn a_repository_with_sha256_is_cloned_and_pushed_to() {
    let forge = Forge::start();
    let rule = "  - allow: { repo: github/acme/new, access: write, credential: forge }\n";
    forge.rules(rule);
    forge
        .server
        .repository_in("acme/new", "sha256", &[("README", b"long names\n")])
        .unwrap();
    let ended = forge.works(
        "git clone -q https://github.com/acme/new.git; cd new; cat README
         echo more >> README; git commit -qam more
         git push -q origin HEAD:refs/heads/one
         echo more >> README; git commit -qam more
         git push -q origin HEAD:refs/heads/one
         git rev-parse HEAD",
    );
    let one = forge.resolve("acme/new", "refs/heads/one").unwrap();
    assert_eq!(one.len(), 64);
    assert_eq!(ended.stdout, format!("long names\n{one}\n"), "{ended}");
}

#[test]
fn the_credential_is_nowhere_in_the_sandbox_and_in_no_trace() {
    let forge = Forge::start();
    let (steps, ended) = forge.steps(&format!(
        "export GIT_TRACE_CURL=$PWD/trace GIT_TRACE_PACKET=$PWD/packets GIT_TRACE_CURL_NO_DATA= GIT_TRACE_REDACT=0
         git clone -q {DOCS} docs
         git clone -q https://git.ringfence.internal/github/acme/web.git web
         cd web; git checkout -q -b agent/x; echo x > x; git add x; git commit -qm x
         git push -q origin agent/x; cd ..
         step refused git -C docs push origin HEAD:refs/heads/x
         env > variables; git config --list --show-origin > settings
         cp /etc/gitconfig gitconfig 2>/dev/null || true
         cat /proc/*/environ /proc/*/cmdline > processes 2>/dev/null || true
         echo decoy-of-the-search > decoy
         cp -r /tmp tmp 2>/dev/null || true"
    ));
    steps["refused"].assert_refused("refused", &["read, not written"]);
    let project = forge.host.project().to_owned();
    let said = forge
        .host
        .workdir()
        .file("said", ended.to_string())
        .unwrap();
    let paths = [project.as_path(), said.as_path()];
    assert!(!places(&forge.host, "decoy-of-the-search", &paths).is_empty());
    let basic = format!("x-access-token:{TOKEN}");
    for secret in [TOKEN, &basic] {
        assert_eq!(places(&forge.host, secret, &paths), Vec::<String>::new());
    }
    // It did arrive: without it, the forge gives nothing.
    let requests = forge.server.requests().unwrap();
    assert!(requests.iter().any(|request| request["status"] == 200));
    assert!(
        requests.iter().all(|request| request["status"] != 401),
        "{requests:?}"
    );
}

#[test]
fn without_the_credential_the_forge_gives_nothing() {
    let forge = Forge::with_rules("  - allow: { repo: github/acme/docs, access: read }\n");
    let (steps, _) = forge.steps(&format!("step clone git clone {DOCS}"));
    steps["clone"].assert_refused("clone", &["401"]);
}

#[test]
fn a_push_without_a_write_grant_is_refused_in_one_readable_line() {
    let forge = Forge::start();
    let before = forge.state("acme/docs");
    let (steps, _) = forge.steps(&format!(
        "git clone -q {DOCS} docs; cd docs; echo x > x; git add x; git commit -qm x
         step push git push origin HEAD:refs/heads/agent/x
         step porcelain git push --porcelain origin HEAD:refs/heads/agent/x
         step short git push https://git.ringfence.internal/github/acme/docs.git HEAD:refs/heads/agent/x"
    ));
    for (name, step) in &steps {
        step.assert_refused(name, &["lets github/acme/docs be read, not written"]);
        let lines = step
            .said
            .lines()
            .filter(|line| line.contains("read, not written"));
        assert_eq!(lines.count(), 1, "{name}: {}", step.said);
    }
    assert_eq!(forge.state("acme/docs"), before);
}

#[test]
fn unknown_and_forbidden_repositories_answer_alike() {
    let rules = RULES.to_owned() + "  - forbid: { repo: github/acme/private }\n";
    let forge = Forge::with_rules(&rules);
    let (steps, _) = forge.steps(
        "fetch() { curl -s -o - -w ' %{http_code}' $1/info/refs?service=git-upload-pack; }
         step unknown fetch https://github.com/acme/nothing.git
         step forbidden fetch https://github.com/acme/secret.git
         step short-unknown fetch https://git.ringfence.internal/github/acme/nothing
         step short-forbidden fetch https://git.ringfence.internal/github/acme/secret
         step clone git clone https://github.com/acme/secret.git",
    );
    let plain = |name: &str| {
        let said = &steps[name].said;
        let said = said
            .replace("acme/nothing", "acme/REPO")
            .replace("acme/secret", "acme/REPO");
        let lines = said.lines().filter(|line| !line.contains("event"));
        lines.map(|line| format!("{line}\n")).collect::<String>()
    };
    assert!(
        plain("unknown").contains("no rule allows"),
        "{}",
        plain("unknown")
    );
    assert_eq!(plain("unknown"), plain("forbidden"));
    assert_eq!(plain("short-unknown"), plain("short-forbidden"));
    steps["clone"].assert_refused("clone", &["no rule allows", "403"]);
    // Not even the server was asked.
    let asked = forge.server.requests().unwrap();
    assert_eq!(asked, Vec::<serde_json::Value>::new());
}

#[test]
fn what_is_public_is_read_without_any_credential() {
    let mut host = Host::new();
    let ca = Ca::new(host.workdir()).unwrap();
    let server = GitServer::start(host.workdir(), &ca, &["github.com"]).unwrap();
    server.repository("acme/docs", FILES).unwrap();
    host.trust(&ca).name("github.com", server.https());
    host.profile(
        "public",
        "apiVersion: ringfence/v1\nkind: Profile\nname: public\n\
         git:\n  - allow: { repo: github/acme/docs, access: read }\n",
    );
    let script = format!("git clone -q {DOCS} docs && cat docs/README");
    let ended = host.run().profile("public").sh(&script);
    let printed = (ended.code, ended.stdout.as_str());
    assert_eq!(printed, (0, "read me\n"), "{ended}");
}
