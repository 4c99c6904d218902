//! An empty list must allow nothing (CVE-2025-66479 of another sandbox).

use ringfence_e2e::Host;
use ringfence_testkit::http::HttpUpstream;

#[test]
fn an_empty_list_allows_nothing() {
    let mut host = Host::new();
    let upstream = HttpUpstream::ok().unwrap();
    host.name("good.test", upstream.address());
    host.profile(
        "empty",
        "apiVersion: ringfence/v1\nkind: Profile\nname: empty\nnetwork: []\n",
    );
    host.profile(
        "absent",
        "apiVersion: ringfence/v1\nkind: Profile\nname: absent\n",
    );
    host.profile(
        "no-ports",
        "apiVersion: ringfence/v1\nkind: Profile\nname: no-ports\nnetwork:\n  - allow: { host: good.test, ports: [] }\n",
    );
    host.profile(
        "no-methods",
        "apiVersion: ringfence/v1\nkind: Profile\nname: no-methods\nnetwork:\n  - allow: { host: good.test, methods: [] }\n",
    );
    for profile in ["empty", "absent", "offline", "no-ports", "no-methods"] {
        let ended = host
            .run()
            .profile(profile)
            .sh("curl -sS -w '%{http_code}' -o /dev/null http://good.test/");
        // A list that can never match may also be refused as a mistake.
        let refused = ended.code == 64 || ended.stdout == "403";
        assert!(refused, "{profile}: {ended}");
        assert_eq!(ended.allowed().len(), 0, "{profile}: {ended}");
    }
    assert_eq!(upstream.connections().connections().len(), 0);
}

#[test]
fn without_any_profile_nothing_is_allowed() {
    let mut host = Host::new();
    let upstream = HttpUpstream::ok().unwrap();
    host.name("good.test", upstream.address());
    let ended = host.run().sh("curl -sS http://good.test/");
    assert!(ended.stdout.contains("no rule allows good.test"), "{ended}");
    assert!(
        ended.stdout.contains("ringfence allow good.test:80"),
        "{ended}"
    );
    assert_eq!(ended.codes(), ["no-rule"], "{ended}");
    assert_eq!(
        host.denied()[0]["next_step"],
        "ringfence allow good.test:80"
    );
    assert_eq!(upstream.connections().connections().len(), 0);
}
