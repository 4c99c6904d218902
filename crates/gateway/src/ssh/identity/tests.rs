use std::process::Command;

use super::*;

/// A private key that `ssh-keygen` made with these arguments.
#[expect(
    clippy::disallowed_methods,
    reason = "the program that people make their keys with says what they look like"
)]
fn generated(arguments: &[&str]) -> Secret {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-C", "test"]).args(arguments);
    assert!(keygen.arg("-f").arg(&path).status().unwrap().success());
    Secret::new(std::fs::read(path).unwrap())
}

#[test]
fn keys_of_the_three_kinds_are_read_as_openssh_writes_them_and_in_pem() {
    for (arguments, kind) in [
        (&["-t", "ed25519"][..], "ssh-ed25519 SHA256:"),
        (&["-t", "ecdsa", "-b", "256"], "ecdsa-sha2-nistp256 SHA256:"),
        (&["-t", "ecdsa", "-b", "521"], "ecdsa-sha2-nistp521 SHA256:"),
        (&["-t", "ecdsa", "-m", "PEM"], "ecdsa-sha2-nistp256 SHA256:"),
        (
            &["-t", "ecdsa", "-m", "PKCS8"],
            "ecdsa-sha2-nistp256 SHA256:",
        ),
        (&["-t", "rsa", "-b", "2048"], "ssh-rsa SHA256:"),
        (&["-t", "rsa", "-b", "2048", "-m", "PEM"], "ssh-rsa SHA256:"),
        (
            &["-t", "rsa", "-b", "2048", "-m", "PKCS8"],
            "ssh-rsa SHA256:",
        ),
    ] {
        let key = generated(&[arguments, &["-N", ""]].concat());
        let said = check_ssh_key(&key).unwrap();
        assert!(said.starts_with(kind), "{arguments:?}: {said}");
    }
}

#[test]
fn a_key_with_a_passphrase_is_refused_and_the_words_say_why() {
    for form in [&[][..], &["-m", "PEM"], &["-m", "PKCS8"]] {
        for kind in [&["-t", "ecdsa"][..], &["-t", "rsa", "-b", "2048"]] {
            let key = generated(&[kind, form, &["-N", "a passphrase"]].concat());
            assert_eq!(
                check_ssh_key(&key),
                Err(SshKeyError::Encrypted),
                "{kind:?} {form:?}"
            );
        }
    }
}

#[test]
fn what_is_no_private_key_is_refused() {
    let short = generated(&["-t", "rsa", "-b", "1024", "-N", ""]);
    assert_eq!(check_ssh_key(&short), Err(SshKeyError::Short));
    for (text, error) in [
        ("", SshKeyError::Unreadable),
        ("hunter2", SshKeyError::Unreadable),
        ("ssh-ed25519 AAAA me@home", SshKeyError::Public),
        (
            "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
            SshKeyError::Unreadable,
        ),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            SshKeyError::Unreadable,
        ),
    ] {
        assert_eq!(check_ssh_key(&Secret::new(text)), Err(error), "{text}");
    }
}

#[test]
fn an_identity_shows_nothing_of_its_key() {
    let key = generated(&["-t", "ed25519", "-N", ""]);
    let given = SshKey {
        user: "git".to_owned(),
        key,
    };
    let shown = format!("{:?}", SshIdentity::new(&given).unwrap());
    assert_eq!(shown, "SshIdentity { .. }");
}
