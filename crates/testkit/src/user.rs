//! Who the program under test runs as: an unprivileged user with a home of its own, also when the tests run as root.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{getgid, getuid};

use crate::Workdir;

/// The user and group id that tests use when they run as root. It has no entry in `/etc/passwd` and owns nothing else.
pub const UNPRIVILEGED_ID: u32 = 61234;

/// An ordinary user with an empty home directory.
pub struct User {
    uid: u32,
    gid: u32,
    home: PathBuf,
    binaries: PathBuf,
    switched: bool,
}

impl User {
    /// As root: an unprivileged user. As an ordinary user: that user, with another home.
    pub fn unprivileged(workdir: &Workdir) -> io::Result<Self> {
        if getuid().is_root() {
            Self::with_id(workdir, UNPRIVILEGED_ID, UNPRIVILEGED_ID, true)
        } else {
            Self::caller(workdir)
        }
    }

    /// The user who runs the tests, root or not, with an empty home.
    pub fn caller(workdir: &Workdir) -> io::Result<Self> {
        Self::with_id(workdir, getuid().as_raw(), getgid().as_raw(), false)
    }

    fn with_id(workdir: &Workdir, uid: u32, gid: u32, switched: bool) -> io::Result<Self> {
        let user = Self {
            uid,
            gid,
            home: workdir.dir(format!("home-{uid}"))?,
            binaries: workdir.dir("bin")?,
            switched,
        };
        fs::set_permissions(&user.home, fs::Permissions::from_mode(0o700))?;
        user.own(&user.home)?;
        Ok(user)
    }

    /// The numeric user id.
    pub fn uid(&self) -> u32 {
        self.uid
    }

    /// Whether this is another user than the one who runs the tests.
    pub fn is_switched(&self) -> bool {
        self.switched
    }

    /// The home directory.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Makes a command run as this user. The supplementary groups are dropped with the switch.
    pub fn run_as<'command>(&self, command: &'command mut Command) -> &'command mut Command {
        command.env("HOME", &self.home).current_dir(&self.home);
        if self.switched {
            // The standard library calls setgroups(0) before setuid when root gives up root.
            command.gid(self.gid).uid(self.uid);
        }
        command
    }

    /// Creates a directory in the home, owned by this user.
    pub fn dir(&self, name: impl AsRef<Path>) -> io::Result<PathBuf> {
        let path = self.home.join(name);
        fs::create_dir_all(&path)?;
        self.own_up_to_home(&path)?;
        Ok(path)
    }

    /// Writes a file in the home, owned by this user.
    pub fn file(&self, name: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> io::Result<PathBuf> {
        let path = self.home.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, contents)?;
        self.own_up_to_home(&path)?;
        Ok(path)
    }

    /// A path at which this user can execute the program. The build directory may lie below a home that others cannot enter, so a
    /// switched user gets a link or copy in the test's directory.
    pub fn executable(&self, program: &Path) -> io::Result<PathBuf> {
        if !self.switched {
            return Ok(program.to_owned());
        }
        let name = program
            .file_name()
            .ok_or_else(|| io::Error::other("a program has a file name"))?;
        let reachable = self.binaries.join(name);
        if !reachable.exists() && fs::hard_link(program, &reachable).is_err() {
            fs::copy(program, &reachable)?;
        }
        Ok(reachable)
    }

    fn own_up_to_home(&self, path: &Path) -> io::Result<()> {
        let below_home = path
            .ancestors()
            .take_while(|ancestor| *ancestor != self.home);
        for ancestor in below_home {
            self.own(ancestor)?;
        }
        Ok(())
    }

    fn own(&self, path: &Path) -> io::Result<()> {
        if self.switched {
            chown(path, Some(self.uid), Some(self.gid))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process;

    #[test]
    fn runs_without_privileges_and_groups_and_owns_its_home() {
        let workdir = Workdir::new().unwrap();
        let user = User::unprivileged(&workdir).unwrap();
        user.file("project/src/main.rs", "fn main() {}").unwrap();
        let mut sh = process::command("sh");
        sh.args([
            "-c",
            "echo > project/src/new && id -u && grep '^Groups' /proc/self/status",
        ]);
        let output = process::run(user.run_as(&mut sh)).unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let mut lines = text.lines();
        let uid = lines.next().unwrap();
        assert_ne!(uid, "0");
        assert_eq!(uid, user.uid().to_string());
        if user.is_switched() {
            assert_eq!(lines.next().unwrap().trim(), "Groups:");
        }
    }

    #[test]
    fn executes_a_program_from_a_closed_directory() {
        let workdir = Workdir::new().unwrap();
        let user = User::unprivileged(&workdir).unwrap();
        let closed = workdir.dir("closed").unwrap();
        let program = closed.join("true");
        fs::copy("/bin/true", &program).unwrap();
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
        let reachable = user.executable(&program).unwrap();
        process::run(user.run_as(&mut process::command(reachable))).unwrap();
    }
}
