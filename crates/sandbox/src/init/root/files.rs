//! Files of the new root itself: what is small, or made for this sandbox alone, is written there
//! instead of being mounted from the host.

use std::fs::File;
use std::io::{self, Read, Write};
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;

use super::target::Root;
use crate::spec::MOST_COPIED_OCTETS;

/// The content of a file of the host's. None if it is not to be copied: it is not a small file any
/// more, or one that the caller may not read, which is to be there all the same.
pub(super) fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::openat(CWD, path, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::ACCESS | Errno::PERM) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let meta = file.metadata()?;
    if !meta.is_file() || meta.len() > MOST_COPIED_OCTETS {
        return Ok(None);
    }
    let mut content = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or_default());
    file.take(MOST_COPIED_OCTETS).read_to_end(&mut content)?;
    Ok(Some(content))
}

/// Makes a file with a part of `contents` and returns where it is.
pub(super) fn give(
    root: &Root,
    at: &Path,
    contents: &File,
    part: Range<u64>,
) -> io::Result<OwnedFd> {
    let octets = part.end.saturating_sub(part.start);
    let mut content = vec![0; usize::try_from(octets).map_err(io::Error::other)?];
    contents.read_exact_at(&mut content, part.start)?;
    root.file(at)?.write_all(&content)?;
    root.open(at)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_small_files_are_copied() {
        let directory = tempfile::tempdir().unwrap();
        let most = usize::try_from(MOST_COPIED_OCTETS).unwrap();
        for (name, octets, is_copied) in [("some", most, true), ("more", most + 1, false)] {
            let path = directory.path().join(name);
            fs::write(&path, vec![b'x'; octets]).unwrap();
            let content = read(&path).unwrap();
            assert_eq!(
                content.map(|content| content.len() == octets),
                is_copied.then_some(true)
            );
        }
        assert!(read(directory.path()).unwrap().is_none());
        assert!(read(&directory.path().join("none")).is_err());
    }
}
