//! Copying what a file holds, without what it does not hold: an agent can make a file of terabytes
//! that takes no room, and its copy must not fill the person's disk.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use rustix::fs::SeekFrom as Sparse;
use rustix::io::Errno;

/// Copies the first `size` octets of `source` to the empty file `target`. Holes stay holes.
pub(super) fn copy(source: &File, target: &File, size: u64) -> io::Result<()> {
    let mut at = 0;
    while let Some(data) = seek(source, Sparse::Data(at))? {
        if data >= size {
            break;
        }
        let end = seek(source, Sparse::Hole(data))?.map_or(size, |hole| hole.min(size));
        copy_range(source, target, data, end - data)?;
        at = end;
    }
    target.set_len(size)
}

/// Where the next data or hole begins; none behind the last data.
fn seek(file: &File, to: Sparse) -> io::Result<Option<u64>> {
    match rustix::fs::seek(file, to) {
        Ok(at) => Ok(Some(at)),
        Err(Errno::NXIO) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The standard library has the kernel do it, and the file system share the blocks where it can.
fn copy_range(mut source: &File, mut target: &File, at: u64, length: u64) -> io::Result<()> {
    source.seek(SeekFrom::Start(at))?;
    target.seek(SeekFrom::Start(at))?;
    io::copy(&mut source.take(length), &mut target)?;
    Ok(())
}
