//! Unix sockets of the host's in what the sandbox is shown: whoever may connect to one talks to a
//! process outside, past every rule. The mounts show files and cannot tell sockets apart, so each
//! one is covered.
//!
//! Landlock refuses such connections by itself from its version 9 on. On older kernels this covers
//! what is bound when the sandbox is built, by an absolute path, in the caller's network namespace.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::spec::{Access, Mount};

/// Mounts that cover the sockets at or below `shown`, which appears at its own path.
pub(super) fn covered(shown: &Path) -> Vec<Mount> {
    let Ok(shown) = fs::canonicalize(shown) else {
        return Vec::new();
    };
    let table = fs::read(TABLE).unwrap_or_default();
    let sockets: BTreeSet<PathBuf> = bound(&table)
        .filter_map(|path| fs::canonicalize(path).ok())
        .filter(|socket| socket.starts_with(&shown))
        .collect();
    sockets.into_iter().map(cover).collect()
}

fn cover(at: PathBuf) -> Mount {
    Mount::Bind {
        from: PathBuf::from("/dev/null"),
        at,
        access: Access::Read,
    }
}

/// The absolute paths in the kernel's table of unix sockets, behind seven columns (proc(5)).
fn bound(table: &[u8]) -> impl Iterator<Item = &Path> {
    table.split(|octet| *octet == b'\n').filter_map(|line| {
        let start = line.windows(2).position(|pair| pair == b" /")?;
        Some(Path::new(OsStr::from_bytes(line.get(start + 1..)?)))
    })
}

const TABLE: &str = "/proc/net/unix";

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn bound_paths_are_read_from_the_table() {
        let table = b"Num       RefCount Protocol Flags    Type St Inode Path\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 16085 /run/a b/socket\n\
            0000000000000000: 00000003 00000000 00000000 0001 03 16086\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 16087 @/abstract\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 16088 relative/socket\n";
        let paths: Vec<_> = bound(table).collect();
        assert_eq!(paths, [Path::new("/run/a b/socket")]);
    }

    #[test]
    fn a_socket_below_a_shown_directory_is_covered() {
        let directory = tempfile::tempdir().unwrap();
        let shown = fs::canonicalize(directory.path()).unwrap();
        let _listener = UnixListener::bind(shown.join("socket")).unwrap();
        assert_eq!(covered(&shown), [cover(shown.join("socket"))]);
        assert_eq!(covered(&shown.join("other")), []);
    }
}
