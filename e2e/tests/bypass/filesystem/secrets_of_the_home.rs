//! The person's keys, tokens and histories are not there at all, and neither are other people's.

use ringfence_e2e::Host;

const SECRETS: [&str; 14] = [
    ".ssh/id_ed25519",
    ".aws/credentials",
    ".netrc",
    ".git-credentials",
    ".config/gh/hosts.yml",
    ".config/gcloud/credentials.db",
    ".kube/config",
    ".docker/config.json",
    ".npmrc",
    ".pypirc",
    ".cargo/credentials.toml",
    ".bash_history",
    ".gnupg/private-keys-v1.d/key",
    ".local/share/keyrings/login.keyring",
];

#[test]
fn no_secret_of_the_home_is_there() {
    let host = Host::new();
    for path in SECRETS {
        host.home_file(path, "from-the-caller\n");
    }
    host.workdir()
        .file("neighbour/secret", "from-the-caller\n")
        .unwrap();
    let script = format!(
        "cd; cat {} 2>/dev/null; grep -rl from-the-caller {} / --include='*' -s --exclude-dir=proc --exclude-dir=usr --exclude-dir=sys; true",
        SECRETS.join(" "),
        host.workdir().path().display()
    );
    let ended = host.run().sh(&script);
    assert!(!ended.stdout.contains("from-the-caller"), "{ended}");
    assert_eq!(ended.stdout, "", "{ended}");
    // What the agent leaves in its home stays there.
    let ended = host
        .run()
        .sh("mkdir -p ~/.ssh; echo smuggled > ~/.ssh/authorized_keys; echo smuggled > ~/.bashrc");
    assert_eq!(ended.code, 0, "{ended}");
    assert!(!host.home().join(".ssh/authorized_keys").exists());
    assert!(!host.home().join(".bashrc").exists());
}

#[test]
fn the_systems_secrets_are_not_there_for_root_either() {
    for host in [Host::new(), Host::as_caller()] {
        let ended = host.run().sh(
            "for path in /etc/shadow /etc/gshadow /etc/sudoers /etc/ssh /etc/ssl/private /root/.ssh /var/log /var/lib /var/run/docker.sock \
               /sys/kernel /sys/fs/cgroup /boot /dev/mem /dev/kmsg /dev/vda /dev/sda /dev/loop0 /dev/fuse /dev/kvm /proc/kcore; do
               [ -e $path ] && [ \"$(stat -c %t:%T $path)\" != 1:3 ] && echo there $path; done; true",
        );
        assert_eq!(ended.stdout, "", "{ended}");
    }
}
