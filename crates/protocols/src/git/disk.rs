//! Room on the disk for what is kept while it is looked at. What pushes fill up, others would miss.

use std::fs::File;
use std::io;

use rustix::fs::fstatvfs;

use super::limits::DISK_RESERVE_OCTETS;

/// Checks that the file system of `file` has [`DISK_RESERVE_OCTETS`] to spare.
///
/// # Errors
/// When it has fewer, or when that cannot be told.
pub(super) fn has_room(file: &File) -> io::Result<()> {
    check(file, DISK_RESERVE_OCTETS)
}

fn check(file: &File, reserve: u64) -> io::Result<()> {
    let disk = fstatvfs(file)?;
    // What root may use beyond it is not ours to use, whoever runs this.
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free < reserve {
        let reason = format!(
            "its disk has {} MiB left of the {} MiB that are kept free; try again later",
            free >> 20,
            reserve >> 20
        );
        return Err(io::Error::new(io::ErrorKind::StorageFull, reason));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_is_nearly_full_has_no_room() {
        let file = tempfile::tempfile().unwrap();
        assert!(check(&file, 0).is_ok());
        let error = check(&file, u64::MAX).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(error.to_string().contains("try again later"), "{error}");
    }
}
