//! Policy must never come from what an agent can write: its home, its workspace, its environment (cade #103, CVE-2025-59532).

use ringfence_e2e::Host;
use ringfence_testkit::http::HttpUpstream;

const GREEDY: &str = "apiVersion: ringfence/v1\nkind: Profile\nname: user\nnetwork:\n  - allow: { host: evil.test, ports: [80] }\n";

#[test]
fn what_the_agent_writes_in_its_home_is_no_policy() {
    let mut host = Host::new();
    let upstream = HttpUpstream::ok().unwrap();
    host.name("evil.test", upstream.address());
    host.file("greedy.yaml", GREEDY);
    let ended = host.run().sh(
        "mkdir -p ~/.config/ringfence/profiles && cp greedy.yaml ~/.config/ringfence/profiles/user.yaml
         export RINGFENCE_CONFIG=$PWD/greedy.yaml
         curl -sS -o /dev/null -w '%{http_code}\n' http://evil.test/",
    );
    assert_eq!(ended.stdout, "403\n", "{ended}");
    // Nor in the next run.
    let ended = host
        .run()
        .sh("curl -sS -o /dev/null -w '%{http_code}\n' http://evil.test/");
    assert_eq!(ended.stdout, "403\n", "{ended}");
    assert_eq!(upstream.connections().connections().len(), 0);
}

#[test]
fn a_profile_in_the_workspace_cannot_be_changed_by_the_agent() {
    let mut host = Host::new();
    let upstream = HttpUpstream::ok().unwrap();
    host.name("evil.test", upstream.address());
    let narrow = GREEDY.replace("evil.test", "good.test");
    let profile = host.file("policy/narrow.yaml", &narrow);
    host.file("greedy.yaml", GREEDY);
    // Where the agent could write it, it is refused; a name for it through a link is the same.
    std::os::unix::fs::symlink("narrow.yaml", host.project().join("policy/link.yaml")).unwrap();
    for name in ["policy/narrow.yaml", "policy/link.yaml"] {
        let ended = host.run().profile(name).sh("echo started");
        assert_eq!((ended.code, ended.stdout.as_str()), (64, ""), "{ended}");
        assert!(ended.stderr.contains("keep it outside"), "{ended}");
    }
    for flag in ["--overlay", "--read-only"] {
        let ended = host.run().flag(flag).profile(&profile).sh(
            "cp greedy.yaml policy/narrow.yaml; mv greedy.yaml policy/narrow.yaml; mv policy elsewhere; rm -rf policy
             for attempt in 1 2 3; do curl -sS -o /dev/null -w '%{http_code}\n' http://evil.test/; done",
        );
        assert_eq!(ended.stdout, "403\n403\n403\n", "{ended}");
        assert_eq!(std::fs::read_to_string(&profile).unwrap(), narrow);
    }
    assert_eq!(upstream.connections().connections().len(), 0);
}
