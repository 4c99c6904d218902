//! Finding what differs between a private copy and what it stands for.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{Layer, LayerKind};

/// One path that the agent changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What became of it.
    pub kind: ChangeKind,
    /// The path in the workspace.
    pub path: PathBuf,
    /// Where the agent's version is; none for a removal.
    #[serde(skip)]
    pub source: Option<PathBuf>,
}

/// What became of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is different.
    Modified,
    /// It is gone.
    Removed,
}

impl ChangeKind {
    /// One letter, as `git status` shows it.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Added => 'A',
            Self::Modified => 'M',
            Self::Removed => 'D',
        }
    }
}

/// Appends what differs in `layer`.
pub(super) fn collect(layer: &Layer, changes: &mut Vec<Change>) -> io::Result<()> {
    match layer.kind {
        LayerKind::File => file(layer, changes),
        LayerKind::Directory | LayerKind::Overlay => {
            directory(&layer.store, &layer.target, changes)
        }
    }
}

fn file(layer: &Layer, changes: &mut Vec<Change>) -> io::Result<()> {
    let written = match fs::read(&layer.store) {
        Ok(written) => written,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    match fs::read(&layer.target) {
        Ok(original) if original == written => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound && written.is_empty() => {}
        Ok(original) if original.is_empty() && written.is_empty() => {}
        Ok(_) => push(
            changes,
            ChangeKind::Modified,
            &layer.target,
            Some(&layer.store),
        ),
        Err(_) => push(
            changes,
            ChangeKind::Added,
            &layer.target,
            Some(&layer.store),
        ),
    }
    Ok(())
}

fn directory(store: &Path, target: &Path, changes: &mut Vec<Change>) -> io::Result<()> {
    let entries = match fs::read_dir(store) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let path = target.join(entry.file_name());
        let meta = entry.metadata()?;
        let before = fs::symlink_metadata(&path).ok();
        entry_change(&entry.path(), &path, &meta, before.as_ref(), changes)?;
    }
    Ok(())
}

fn entry_change(
    source: &Path,
    path: &Path,
    meta: &Metadata,
    before: Option<&Metadata>,
    changes: &mut Vec<Change>,
) -> io::Result<()> {
    let kind = meta.file_type();
    if is_whiteout(meta) {
        if before.is_some() {
            push(changes, ChangeKind::Removed, path, None);
        }
        return Ok(());
    }
    if kind.is_dir() {
        match before {
            Some(before) if before.is_dir() => removed_below(source, path, changes)?,
            Some(_) => push(changes, ChangeKind::Modified, path, Some(source)),
            None => push(changes, ChangeKind::Added, path, Some(source)),
        }
        return directory(source, path, changes);
    }
    // Sockets, pipes and devices mean nothing outside the sandbox.
    if !(kind.is_file() || kind.is_symlink()) {
        return Ok(());
    }
    match before {
        None => push(changes, ChangeKind::Added, path, Some(source)),
        Some(before) if same(source, meta, path, before)? => {}
        Some(_) => push(changes, ChangeKind::Modified, path, Some(source)),
    }
    Ok(())
}

/// A directory that was removed and made anew hides all that was in it (an opaque directory).
fn removed_below(source: &Path, path: &Path, changes: &mut Vec<Change>) -> io::Result<()> {
    let mut value = [0u8; 8];
    let opaque = rustix::fs::lgetxattr(source, OPAQUE, &mut value)
        .is_ok_and(|length| value.get(..length) == Some(b"y".as_slice()));
    if !opaque {
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if fs::symlink_metadata(source.join(entry.file_name())).is_err() {
            push(changes, ChangeKind::Removed, &entry.path(), None);
        }
    }
    Ok(())
}

fn same(source: &Path, meta: &Metadata, path: &Path, before: &Metadata) -> io::Result<bool> {
    if meta.file_type() != before.file_type()
        || meta.permissions().mode() != before.permissions().mode()
    {
        return Ok(false);
    }
    if meta.is_symlink() {
        return Ok(fs::read_link(source)? == fs::read_link(path)?);
    }
    Ok(meta.len() == before.len() && fs::read(source)? == fs::read(path)?)
}

/// overlayfs marks a removed name by a character device with number 0:0.
fn is_whiteout(meta: &Metadata) -> bool {
    meta.file_type().is_char_device() && meta.rdev() == 0
}

fn push(changes: &mut Vec<Change>, kind: ChangeKind, path: &Path, source: Option<&Path>) {
    changes.push(Change {
        kind,
        path: path.to_owned(),
        source: source.map(Path::to_owned),
    });
}

const OPAQUE: &str = "user.overlay.opaque";
