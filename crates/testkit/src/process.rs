//! Real servers as child processes: started, waited for until they accept, logged to a file, and ended when dropped.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::Workdir;
use crate::poll;

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const STOP_LIMIT: Duration = Duration::from_secs(2);

/// A command with an empty environment but for the system's `PATH` and the C locale, so that a test does not depend on who runs it.
#[expect(
    clippy::disallowed_methods,
    reason = "tests start real clients and servers, here and nowhere else"
)]
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", PATH)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null());
    command
}

/// Runs a command to its end. An exit status other than zero is an error that carries what the command wrote to standard error.
pub fn run(command: &mut Command) -> io::Result<Output> {
    let output = command
        .output()
        .map_err(|error| named(command.get_program(), &error))?;
    if output.status.success() {
        return Ok(output);
    }
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(io::Error::other(format!(
        "{command:?}: {}: {text}",
        output.status
    )))
}

/// A running server process. It is ended, by its pid, when this is dropped.
pub struct Server {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Server {
    /// Starts a command in the foreground. What it writes goes to `NAME.log` in the directory.
    pub fn start(workdir: &Workdir, name: &str, command: &mut Command) -> io::Result<Self> {
        let log = workdir.join(format!("{name}.log"));
        let out = File::create(&log)?;
        let child = command
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .map_err(|error| named(command.get_program(), &error))?;
        Ok(Self {
            name: name.to_owned(),
            child,
            log,
        })
    }

    /// Waits until the server accepts connections at the address. A server that ends instead is an error with its log.
    pub fn wait_for_port(&mut self, address: SocketAddr) -> io::Result<()> {
        self.wait_until(|| poll::connect(address).is_ok())
    }

    /// Waits until the server has made a file, for example its unix socket.
    pub fn wait_for_file(&mut self, path: &Path) -> io::Result<()> {
        self.wait_until(|| path.exists())
    }

    /// What the server has written so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// The server's process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks the server to end, and ends it if it does not. Called by drop as well.
    pub fn stop(&mut self) -> io::Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            kill_process(pid, Signal::TERM)?;
        }
        let child = &mut self.child;
        let ended = poll::until_within(STOP_LIMIT, "end of a server", || child.try_wait());
        if ended.is_err() {
            self.child.kill()?;
            self.child.wait()?;
        }
        Ok(())
    }

    fn wait_until(&mut self, mut ready: impl FnMut() -> bool) -> io::Result<()> {
        let child = &mut self.child;
        let waited = poll::until(&self.name, || {
            if let Some(status) = child.try_wait()? {
                return Err(io::Error::other(format!("ended early: {status}")));
            }
            Ok(ready().then_some(()))
        });
        waited.map_err(|error| {
            io::Error::other(format!("{}: {error}; log: {}", self.name, self.log()))
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // There is nobody to tell: the test is over, and a process that is already gone is what was wanted.
        let _ = self.stop();
    }
}

fn named(program: &OsStr, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", program.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_ends_early_is_an_error_with_its_log() {
        let workdir = Workdir::new().unwrap();
        let mut sh = command("sh");
        sh.args(["-c", "echo no such option >&2; exit 3"]);
        let mut server = Server::start(&workdir, "broken", &mut sh).unwrap();
        let error = server
            .wait_for_file(&workdir.join("never"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("no such option"), "{error}");
    }

    #[test]
    fn a_dropped_server_is_gone() {
        let workdir = Workdir::new().unwrap();
        let server = Server::start(&workdir, "sleep", command("sleep").arg("600")).unwrap();
        let proc = PathBuf::from(format!("/proc/{}", server.pid()));
        assert!(proc.exists());
        drop(server);
        assert!(!proc.exists());
    }

    #[test]
    fn a_server_that_ignores_the_request_to_end_is_killed() {
        let workdir = Workdir::new().unwrap();
        let ready = workdir.join("ready");
        let mut sh = command("sh");
        sh.arg("-c")
            .arg("trap '' TERM; : > \"$0\"; while :; do sleep 1; done");
        let mut server = Server::start(&workdir, "stubborn", sh.arg(&ready)).unwrap();
        server.wait_for_file(&ready).unwrap();
        let proc = PathBuf::from(format!("/proc/{}", server.pid()));
        drop(server);
        assert!(!proc.exists());
    }
}
