//! What a server writes to its standard error, in a bounded file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Keeps all of it until there is no more: the last of it in `path`, and what was before in a file
/// beside it. What cannot be kept is read all the same, so that the server does not wait.
pub(super) fn keep(mut source: impl Read, path: &Path) {
    let mut buffer = vec![0; CHUNK];
    let mut file = open(path).ok();
    loop {
        let octets = match source.read(&mut buffer) {
            Ok(0) => return,
            Ok(read) => buffer.get(..read).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return,
        };
        if file.as_ref().is_some_and(is_full) {
            let _ = fs::rename(path, path.with_extension("log.old"));
            file = open(path).ok();
        }
        if let Some(file) = &mut file {
            let _ = file.write_all(octets);
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
}

fn is_full(file: &File) -> bool {
    file.metadata().is_ok_and(|it| it.len() > LOG_OCTETS)
}

/// Longest log of a server, in octets; there may be two.
const LOG_OCTETS: u64 = 1 << 20;

const CHUNK: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_bounded_and_keeps_the_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lab.log");
        let line = [b'x'; 99];
        let mut all = Vec::new();
        for _ in 0..40_000 {
            all.extend_from_slice(&line);
            all.push(b'\n');
        }
        all.extend_from_slice(b"the end\n");
        keep(&*all, &path);
        let now = fs::read(&path).unwrap();
        let before = fs::metadata(path.with_extension("log.old")).unwrap().len();
        assert!(now.ends_with(b"the end\n"));
        let most = LOG_OCTETS + CHUNK as u64;
        assert!(now.len() as u64 <= most && before <= most);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
    }
}
