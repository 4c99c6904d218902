//! A secret in a file of the caller's own, that nobody else can read.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use ringfence_model::Secret;
use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, fstat, openat2};
use rustix::io::Errno;
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use super::SourceError;
use crate::limits::SECRET_OCTETS;

/// Reads the file. The words of an error do not say its path: an agent may read them.
pub(crate) async fn read(path: &Path) -> Result<Secret, SourceError> {
    if !path.is_absolute() {
        return Err(refused("its path does not start with `/`"));
    }
    let path = PathBuf::from(path);
    let reading = spawn_blocking(move || read_now(&path)).await;
    reading.unwrap_or_else(|_| Err(refused("it could not be read")))
}

fn read_now(path: &Path) -> Result<Secret, SourceError> {
    let file = open(path)?;
    check(&file)?;
    let mut octets = Zeroizing::new(Vec::with_capacity(SECRET_OCTETS + 1));
    let mut bounded = file.take(SECRET_OCTETS as u64 + 1);
    bounded
        .read_to_end(&mut octets)
        .map_err(|_| refused("it could not be read"))?;
    match octets.len() {
        0 => Err(refused("it is empty")),
        length if length > SECRET_OCTETS => Err(refused("it is longer than a secret")),
        _ => Ok(Secret::new(octets.as_slice())),
    }
}

/// Whoever may put a link anywhere on the way could choose another file, so there may be none. A
/// pipe would make us wait, so it is not waited for.
fn open(path: &Path) -> Result<File, SourceError> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
    let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    match openat2(CWD, path, flags, Mode::empty(), resolve) {
        Ok(file) => Ok(File::from(file)),
        Err(Errno::LOOP) => Err(refused("there is a symbolic link in its path")),
        Err(Errno::NOENT) => Err(refused("there is no such file")),
        Err(error) => Err(refused(&format!("it cannot be opened: {error}"))),
    }
}

fn check(file: &File) -> Result<(), SourceError> {
    let about = fstat(file).map_err(|error| refused(&error.to_string()))?;
    if !FileType::from_raw_mode(about.st_mode).is_file() {
        return Err(refused("it is not a regular file"));
    }
    if about.st_uid != rustix::process::geteuid().as_raw() {
        return Err(refused("it belongs to somebody else"));
    }
    let others = Mode::RWXG | Mode::RWXO;
    if Mode::from_raw_mode(about.st_mode).intersects(others) {
        return Err(refused(
            "others may read or write it; it must have mode 0600",
        ));
    }
    Ok(())
}

fn refused(why: &str) -> SourceError {
    SourceError::Refused(format!("the file: {why}"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn write(path: &Path, contents: &[u8], mode: u32) {
        fs::write(path, contents).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[tokio::test]
    async fn a_file_of_ones_own_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        for mode in [0o600, 0o400] {
            let _ = fs::remove_file(&path);
            write(&path, b"hunter2\n", mode);
            assert_eq!(read(&path).await.unwrap(), Secret::new("hunter2\n"));
        }
    }

    #[tokio::test]
    async fn a_file_that_others_can_read_or_exchange_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        let refusal = async |path: &Path| {
            let error = read(path).await.unwrap_err().to_string();
            assert!(
                !error.contains("hunter2") && !error.contains("secret\""),
                "{error}"
            );
            error
        };
        for mode in [0o640, 0o604, 0o620, 0o666] {
            let _ = fs::remove_file(&path);
            write(&path, b"hunter2", mode);
            assert!(refusal(&path).await.contains("0600"), "{mode:o}");
        }
        write(&path, b"hunter2", 0o600);
        let link = directory.path().join("link");
        symlink(&path, &link).unwrap();
        assert!(refusal(&link).await.contains("symbolic link"));
        let folder = directory.path().join("folder");
        symlink(directory.path(), &folder).unwrap();
        assert!(
            refusal(&folder.join("secret"))
                .await
                .contains("symbolic link")
        );
        assert!(refusal(directory.path()).await.contains("regular file"));
        assert!(
            refusal(&directory.path().join("none"))
                .await
                .contains("no such")
        );
        assert!(
            refusal(Path::new("Cargo.toml"))
                .await
                .contains("start with")
        );
        assert!(
            refusal(Path::new("/dev/null"))
                .await
                .contains("regular file")
        );
    }

    #[tokio::test]
    async fn a_pipe_is_not_waited_for_and_a_file_is_not_endless() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("pipe");
        let mode = Mode::RUSR | Mode::WUSR;
        rustix::fs::mkfifoat(CWD, &pipe, mode).unwrap();
        assert!(
            read(&pipe)
                .await
                .unwrap_err()
                .to_string()
                .contains("regular")
        );
        let path = directory.path().join("secret");
        write(&path, &vec![b'x'; SECRET_OCTETS + 1], 0o600);
        assert!(
            read(&path)
                .await
                .unwrap_err()
                .to_string()
                .contains("longer")
        );
        write(&path, b"", 0o600);
        assert!(read(&path).await.unwrap_err().to_string().contains("empty"));
    }
}
