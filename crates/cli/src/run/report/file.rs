//! The file that `--json-report` names. It may lie where the agent can write, so its directory
//! is opened before the agent starts, and nothing that the agent puts there is followed.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use ringfence_model::RunId;
use rustix::fs::{AtFlags, CWD, Mode, OFlags};

use crate::failure::Failure;

/// A report that can be written, as far as that can be known before the run.
pub(in crate::run) struct ReportFile {
    path: PathBuf,
    directory: OwnedFd,
    name: OsString,
}

impl ReportFile {
    /// Opens the directory of `path` and makes sure that files can be made there.
    pub(in crate::run) fn prepare(path: &Path) -> Result<Self, Failure> {
        let context = || format!("cannot write a report to {}", path.display());
        let name = path.file_name().map(OsStr::to_owned);
        let name = name
            .ok_or_else(|| anyhow!("it names no file"))
            .with_context(context)
            .map_err(Failure::Usage)?;
        let directory = open_parent(path)
            .with_context(context)
            .map_err(Failure::Usage)?;
        let file = Self {
            path: path.to_owned(),
            directory,
            name,
        };
        file.probe().with_context(context).map_err(Failure::Usage)?;
        Ok(file)
    }

    /// Writes the report in place of whatever has its name: a link there is replaced, not
    /// followed.
    pub(super) fn write(&self, content: &[u8]) -> anyhow::Result<()> {
        self.replace(content)
            .with_context(|| format!("cannot write {}", self.path.display()))
    }

    fn probe(&self) -> io::Result<()> {
        let is_directory =
            rustix::fs::statat(&self.directory, &self.name, AtFlags::SYMLINK_NOFOLLOW)
                .is_ok_and(|stat| rustix::fs::FileType::from_raw_mode(stat.st_mode).is_dir());
        if is_directory {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        // Nothing stays there for the agent to find and to put something else in its place.
        let (_, name) = self.create()?;
        self.remove(&name)
    }

    fn replace(&self, content: &[u8]) -> io::Result<()> {
        let (mut file, name) = self.create()?;
        let written = file.write_all(content).and_then(|()| {
            let renamed = rustix::fs::renameat(&self.directory, &name, &self.directory, &self.name);
            Ok(renamed?)
        });
        if written.is_err() {
            let _ = self.remove(&name);
        }
        written
    }

    /// Makes a file under a name that nobody can know before.
    fn create(&self) -> io::Result<(File, String)> {
        let name = format!(".ringfence-report-{}", RunId::new());
        let flags =
            OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        // The caller's umask applies.
        let file = rustix::fs::openat(&self.directory, &name, flags, Mode::from(0o666))?;
        Ok((File::from(file), name))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(
            &self.directory,
            name,
            AtFlags::empty(),
        )?)
    }
}

fn open_parent(path: &Path) -> io::Result<OwnedFd> {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let parent = parent.unwrap_or_else(|| Path::new("."));
    Ok(rustix::fs::openat(CWD, parent, flags, Mode::empty())?)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_at_its_name_is_replaced_and_not_followed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("report.json");
        let outside = directory.path().join("outside");
        fs::write(&outside, "kept").unwrap();
        let report = ReportFile::prepare(&path).unwrap();
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        symlink(&outside, &path).unwrap();
        report.write(b"{}").unwrap();
        assert_eq!(fs::read_to_string(&outside).unwrap(), "kept");
        assert_eq!(fs::read_to_string(&path).unwrap(), "{}");
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
    }

    #[test]
    fn a_pipe_at_its_name_does_not_stop_the_run() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("report.json");
        let report = ReportFile::prepare(&path).unwrap();
        let kind = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(CWD, &path, kind, Mode::from(0o600), 0).unwrap();
        report.write(b"{}").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "{}");
    }

    #[test]
    fn a_directory_that_became_a_link_is_not_written_through() {
        let base = tempfile::tempdir().unwrap();
        let (inside, outside) = (base.path().join("inside"), base.path().join("outside"));
        fs::create_dir(&inside).unwrap();
        fs::create_dir(&outside).unwrap();
        let report = ReportFile::prepare(&inside.join("report.json")).unwrap();
        fs::rename(&inside, base.path().join("moved")).unwrap();
        symlink(&outside, &inside).unwrap();
        report.write(b"{}").unwrap();
        assert!(base.path().join("moved/report.json").exists());
        assert_eq!(fs::read_dir(outside).unwrap().count(), 0);
    }

    #[test]
    fn a_place_where_none_can_be_written_is_wrong_usage() {
        let directory = tempfile::tempdir().unwrap();
        let missing = directory.path().join("missing/report.json");
        for path in [missing.as_path(), directory.path(), Path::new("/")] {
            let refused = ReportFile::prepare(path).map(|_| ()).unwrap_err();
            assert_eq!(refused.code(), 64, "{refused}");
        }
    }

    #[test]
    fn a_failure_to_write_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("report.json");
        let report = ReportFile::prepare(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(report.write(b"{}").is_err());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
