//! Wrong usage: exit code 64, and a message that says where and what to do.

use ringfence_e2e::Host;

#[test]
fn wrong_options_exit_64() {
    let host = Host::new();
    for arguments in [
        &["run"][..],
        &["run", "--bogus", "--", "true"],
        &["run", "--allow", "not a host", "--", "true"],
        &["run", "--allow", "host.test:99999", "--", "true"],
        &["run", "--publish", "x", "--", "true"],
        &["run", "--env", "RINGFENCE_NOT_SET_HERE", "--", "true"],
        &["run", "--memory", "lots", "--", "true"],
        &["run", "--workspace", "/no/such/directory", "--", "true"],
        &["run", "--workspace", "/usr", "--", "true"],
        &["run", "--profile", "no-such-profile", "--", "true"],
        &["no-such-verb"],
        &["allow", "not a host"],
        &["policy", "check", "/no/such/file.yaml"],
        &["overlay", "apply"],
    ] {
        let ended = host.ringfence(arguments);
        assert_eq!(ended.code, 64, "{arguments:?}: {ended}");
        assert!(!ended.stderr.is_empty(), "{arguments:?}");
        assert_eq!(ended.stdout, "", "{arguments:?}");
    }
}

#[test]
fn a_policy_error_names_file_line_and_column() {
    let host = Host::new();
    host.file("bad.yaml", "apiVersion: ringfence/v1\nkind: Profile\nname: bad\nnetwork:\n  - allow: { hots: a.test }\n");
    let ended = host.run().profile("./bad.yaml").exec(&["true"]);
    assert_eq!(ended.code, 64, "{ended}");
    assert!(ended.stderr.contains("bad.yaml:5:14"), "{ended}");
    assert!(ended.stderr.contains("did you mean `host`"), "{ended}");
}

#[test]
fn a_configuration_error_names_the_file() {
    let mut host = Host::new();
    host.config("[nonsense]\nx = 1\n");
    let ended = host.run().spawn(&["true"]).wait();
    assert_eq!(ended.code, 64, "{ended}");
    assert!(ended.stderr.contains("config.toml"), "{ended}");
    assert!(ended.stderr.contains("nonsense"), "{ended}");
}

#[test]
fn the_home_directory_is_no_workspace() {
    let host = Host::new();
    let ended = host.run().current_dir(host.home()).exec(&["true"]);
    assert_eq!(ended.code, 64, "{ended}");
    assert!(ended.stderr.contains("home directory"), "{ended}");
}
