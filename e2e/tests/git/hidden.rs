//! Where a rule lists the refs that may be read, no other is shown, and no object behind another is given out.

use super::forge::Forge;

const RULE: &str = "  - allow: { repo: github/acme/docs, access: read, readRefs: [refs/heads/main, \"refs/tags/v*\"], credential: forge }\n";

/// A repository with a branch that may not be read and an object that no ref leads to.
fn with_hidden() -> (Forge, String, String) {
    let forge = Forge::with_rules(RULE);
    let git = |arguments: &[&str]| {
        let who = ["-c", "user.name=a", "-c", "user.email=a@b"];
        let said = forge
            .server
            .git("acme/docs", &[&who, arguments].concat())
            .unwrap();
        said.trim().to_owned()
    };
    let tree = git(&["rev-parse", "main^{tree}"]);
    let hidden = git(&["commit-tree", "-m", "not for agents", "-p", "main", &tree]);
    let lost = git(&["commit-tree", "-m", "lost", "-p", "main", &tree]);
    git(&["update-ref", "refs/heads/hidden", &hidden]);
    git(&["update-ref", "refs/pull/1/head", &hidden]);
    git(&["tag", "v1", "main"]);
    git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
    (forge, hidden, lost)
}

#[test]
fn refs_that_may_not_be_read_are_neither_shown_nor_given_out() {
    let (forge, hidden, lost) = with_hidden();
    let (steps, ended) = forge.steps(&format!(
        "D=https://github.com/acme/docs.git
         for v in 0 1 2; do
             step refs$v git -c protocol.version=$v ls-remote $D
             step clone$v git -c protocol.version=$v clone -q --mirror $D mirror$v
             step hidden$v git -C mirror$v -c protocol.version=$v fetch $D {hidden}
             step lost$v git -C mirror$v -c protocol.version=$v fetch $D {lost}
             step name$v git -C mirror$v -c protocol.version=$v fetch $D refs/heads/hidden
         done
         git -C mirror2 log --all --format=%s"
    ));
    for version in 0..3 {
        let refs = &steps[&format!("refs{version}")];
        let names = refs.said.lines().filter_map(|line| line.split('\t').nth(1));
        let names: Vec<&str> = names.collect();
        assert_eq!(
            names,
            ["HEAD", "refs/heads/main", "refs/tags/v1"],
            "{}",
            refs.said
        );
        assert_eq!(steps[&format!("clone{version}")].code, 0, "{ended}");
        for name in ["hidden", "lost", "name"] {
            let step = &steps[&format!("{name}{version}")];
            assert_ne!(step.code, 0, "{name}{version}: {}", step.said);
        }
    }
    assert!(ended.stdout.ends_with("\nfirst commit\n"), "{ended}");
    assert!(!ended.stdout.contains("not for agents"), "{ended}");
}

#[test]
fn the_same_repository_without_the_list_gives_them_out() {
    let (forge, hidden, _) = with_hidden();
    forge.rules(super::forge::RULES);
    let ended = forge.works(&format!(
        "git clone -q --mirror https://github.com/acme/docs.git docs; cd docs
         git fetch -q origin {hidden}; git log -1 --format=%s {hidden}"
    ));
    assert_eq!(ended.stdout, "not for agents\n", "{ended}");
}
