//! Ringfence's own data and configuration: records that could be erased, policy that could be widened, copies that will be applied.

use ringfence_e2e::Host;

#[test]
fn they_are_not_there_and_cannot_be_asked_for() {
    let host = Host::new();
    host.profile(
        "own",
        "apiVersion: ringfence/v1\nkind: Profile\nname: own\nnetwork: []\n",
    );
    let ended = host.run().sh("curl -sS http://evil.test/ >/dev/null; find ~ / -name events.db -o -name '*.jsonl' -o -name 'own.yaml' 2>/dev/null | grep -v ^/usr; true");
    assert_eq!(ended.stdout, "", "{ended}");
    let (data, config) = (host.data(), host.home().join(".config/ringfence"));
    let link = host.project().join("link");
    std::os::unix::fs::symlink(&data, &link).unwrap();
    let runs = data.join("runs");
    let inside = config.join("profiles");
    let above = host.home().join(".local");
    for path in [&data, &config, &runs, &inside, &above, &link] {
        let path = path.display().to_string();
        for option in ["--read", "--workspace"] {
            let ended = host.run().option(option, &path).sh("echo started");
            assert_eq!(
                (ended.code, ended.stdout.as_str()),
                (64, ""),
                "{option} {path}: {ended}"
            );
        }
    }
}

#[test]
fn a_single_file_of_the_data_is_not_shown_either() {
    let host = Host::new();
    let ended = host.run().sh("true");
    assert_eq!(ended.code, 0, "{ended}");
    let files = std::fs::read_dir(host.data())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let files: Vec<_> = files.filter(|path| path.is_file()).collect();
    assert!(!files.is_empty());
    for file in files {
        let path = file.display().to_string();
        let ended = host.run().option("--read", &path).sh("echo started");
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (64, ""),
            "{path}: {ended}"
        );
    }
}

#[test]
fn the_record_stays_whole() {
    let host = Host::new();
    let ended = host
        .run()
        .sh("curl -sS http://evil.test/ >/dev/null; rm -rf ~/.local/share/ringfence; kill -9 -1");
    assert!(ended.was_refused("evil.test:80", "no-rule"), "{ended}");
    let verified = host.ringfence(&["events", "verify"]);
    assert_eq!(verified.code, 0, "{verified}");
}
