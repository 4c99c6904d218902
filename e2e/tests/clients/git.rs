//! git over HTTPS: clone, commit and push.

use ringfence_e2e::Host;
use ringfence_testkit::Ca;
use ringfence_testkit::git::GitServer;

use super::site::Way;

#[test]
fn git_clones_and_pushes_through_every_way() {
    let mut host = Host::new();
    let ca = Ca::new(host.workdir()).unwrap();
    let server = GitServer::start(host.workdir(), &ca, &["git.test"]).unwrap();
    server
        .repository("docs", &[("README", b"read me\n")])
        .unwrap();
    host.trust(&ca).name("git.test", server.https());
    for (number, way) in Way::ALL.into_iter().enumerate() {
        let script = way.script(&format!(
            "git clone -q https://git.test/docs.git copy{number}
             cd copy{number}
             git config user.name Agent
             git config user.email agent@acme.test
             head -c 3000000 /dev/urandom > noise
             git add noise
             git commit -qm noise
             git push -q -u origin HEAD:topic{number}
             git fetch -q
             git rev-parse HEAD"
        ));
        let ended = host.run().allow("git.test:443").sh(&script);
        assert_eq!(ended.code, 0, "{ended}");
        let pushed = server
            .resolve("docs", &format!("refs/heads/topic{number}"))
            .unwrap();
        assert_eq!(pushed.as_deref(), Some(ended.stdout.trim()), "{ended}");
    }
}

#[test]
fn git_says_why_a_clone_is_refused() {
    let host = Host::new();
    let ended = host.run().sh("git clone https://git.test/docs.git");
    assert_eq!(ended.code, 128, "{ended}");
    assert!(ended.stderr.contains("403"), "{ended}");
    assert!(
        ended.stderr.contains("ringfence allow git.test:443"),
        "{ended}"
    );
}
