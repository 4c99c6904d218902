//! A workspace that holds the home directory or the system shows everything (CVE-2025-59532).

use std::os::unix::fs::symlink;

use ringfence_e2e::Host;

#[test]
fn a_workspace_with_secrets_in_it_is_refused() {
    let host = Host::new();
    let home = host.home().display().to_string();
    let above = host.workdir().path().display().to_string();
    symlink(host.home(), host.project().join("link-to-home")).unwrap();
    let link = host.project().join("link-to-home").display().to_string();
    for wide in [
        &home,
        "/",
        "/home",
        "/etc",
        "/usr",
        "/proc",
        "/proc/self/cwd/..",
        "/dev",
        "/run",
        &above,
        &link,
        "..",
        "/sys/kernel",
    ] {
        let ended = host.run().option("--workspace", wide).sh("echo started");
        assert_ne!(ended.code, 0, "{wide}: {ended}");
        assert_eq!(ended.stdout, "", "{wide}: {ended}");
        assert!(ended.stderr.contains("ringfence: "), "{wide}: {ended}");
    }
}

#[test]
fn starting_in_the_home_directory_is_refused() {
    let host = Host::new();
    for directory in [host.home(), "/".as_ref()] {
        let ended = host.run().current_dir(directory).sh("echo started");
        assert_eq!((ended.code, ended.stdout.as_str()), (64, ""), "{ended}");
        assert!(ended.stderr.contains("--workspace"), "{ended}");
    }
}
