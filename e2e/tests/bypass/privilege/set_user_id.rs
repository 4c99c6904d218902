//! A program that belongs to root and has the set-user-id bit (OpenShell #810, #2001).

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};

use ringfence_e2e::Host;

#[test]
fn a_set_user_id_program_gains_nothing() {
    let host = Host::new();
    let program = host.file("id", fs::read("/usr/bin/id").unwrap());
    if host.user().is_switched() {
        chown(&program, Some(0), Some(0)).unwrap();
    }
    fs::set_permissions(&program, fs::Permissions::from_mode(0o6755)).unwrap();
    let ended = host.run().sh("./id -u; ./id -ru; grep -E '^(NoNewPrivs|Cap[A-Z][a-z]+|Seccomp):' /proc/self/status | tr -d '\\t'; su -c id root </dev/null 2>/dev/null; sudo -n id 2>/dev/null; true");
    let uid = host.user().uid();
    let none = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]
        .map(|set| format!("{set}:0000000000000000\n"))
        .concat();
    assert_eq!(
        ended.stdout,
        format!("{uid}\n{uid}\n{none}NoNewPrivs:1\nSeccomp:2\n"),
        "{ended}"
    );
}

#[test]
fn root_outside_has_no_power_inside() {
    let host = Host::as_caller();
    let ended = host.run().sh("grep -E '^Cap(Eff|Prm|Bnd):' /proc/self/status | tr -d '\\t'; cat /etc/shadow; chown 1:1 . ; setpriv --bounding-set +all true; hostname smuggled; date -s 2000-01-01 >/dev/null; true");
    assert_eq!(
        ended.stdout, "CapPrm:0000000000000000\nCapEff:0000000000000000\nCapBnd:0000000000000000\n",
        "{ended}"
    );
}
