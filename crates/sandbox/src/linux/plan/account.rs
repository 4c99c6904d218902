//! The account and name service files of a sandbox: the caller under the own name, root and
//! nobody, and nobody else of the host.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::{getegid, geteuid};

/// The files, as path and content.
pub(super) fn files(home: &Path, hostname: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let caller = Caller::find();
    let home = home.to_string_lossy();
    let Caller { user, group, name } = &caller;
    let mut passwd = String::new();
    let mut groups = String::new();
    if *user != 0 {
        passwd.push_str("root:x:0:0:root:/nonexistent:/usr/sbin/nologin\n");
        groups.push_str("root:x:0:\n");
    }
    passwd.push_str(&format!("{name}:x:{user}:{group}:{name}:{home}:{SHELL}\n"));
    passwd.push_str("nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n");
    groups.push_str(&format!("{name}:x:{group}:\nnogroup:x:65534:\n"));
    let hosts =
        format!("127.0.0.1 localhost {hostname}\n::1 localhost ip6-localhost ip6-loopback\n");
    [
        ("/etc/passwd", passwd),
        ("/etc/group", groups),
        ("/etc/hosts", hosts),
        ("/etc/hostname", format!("{hostname}\n")),
        (
            "/etc/nsswitch.conf",
            "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n"
                .to_owned(),
        ),
    ]
    .into_iter()
    .map(|(path, content)| (PathBuf::from(path), content.into_bytes()))
    .collect()
}

struct Caller {
    user: u32,
    group: u32,
    name: String,
}

impl Caller {
    fn find() -> Self {
        let (user, group) = (geteuid().as_raw(), getegid().as_raw());
        let name = fs::read_to_string("/etc/passwd")
            .ok()
            .and_then(|accounts| name_of(&accounts, user))
            .unwrap_or_else(|| "agent".to_owned());
        Self { user, group, name }
    }
}

fn name_of(accounts: &str, user: u32) -> Option<String> {
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let id: u32 = fields.nth(1)?.parse().ok()?;
        (id == user).then(|| name.to_owned())
    })
}

const SHELL: &str = "/bin/bash";
