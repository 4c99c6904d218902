//! `ringfence run`, described step by step, and programs that run in the background.

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};

use ringfence_testkit::poll;
use rustix::process::{Pid, Signal, kill_process};

use crate::ended::Ended;
use crate::host::Host;
use crate::program::TIME_LIMIT;

/// A run that is being described. It starts with [`Run::sh`], [`Run::python`], [`Run::exec`] or [`Run::spawn`].
pub struct Run<'a> {
    host: &'a Host,
    command: Command,
    stdin: Option<Vec<u8>>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(host: &'a Host) -> Self {
        let mut command = host.command();
        command.arg("run");
        Self {
            host,
            command,
            stdin: None,
        }
    }

    /// Allows `HOST[:PORT]`.
    pub fn allow(self, destination: &str) -> Self {
        self.option("--allow", destination)
    }

    /// Uses a profile: a name or a file.
    pub fn profile(self, profile: impl AsRef<Path>) -> Self {
        let profile = profile.as_ref().display().to_string();
        self.option("--profile", &profile)
    }

    /// Sets or passes on a variable: `K=V` or `K`.
    pub fn env(self, assignment: &str) -> Self {
        self.option("--env", assignment)
    }

    /// Gives an option with a value.
    pub fn option(mut self, name: &str, value: &str) -> Self {
        self.command.arg(name).arg(value);
        self
    }

    /// Gives an option without a value.
    pub fn flag(mut self, name: &str) -> Self {
        self.command.arg(name);
        self
    }

    /// Sets a variable of the program itself, not of the agent.
    pub fn outer_env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Starts the program in another directory.
    pub fn current_dir(mut self, directory: &Path) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// Sends these octets to the command's standard input.
    pub fn input(mut self, octets: impl AsRef<[u8]>) -> Self {
        self.command.stdin(Stdio::piped());
        self.stdin = Some(octets.as_ref().to_owned());
        self
    }

    /// Uses an open file, socket or directory as standard input.
    pub fn stdin(mut self, stdin: impl Into<Stdio>) -> Self {
        self.command.stdin(stdin);
        self
    }

    /// Changes the call in any other way.
    pub fn tune(mut self, change: impl FnOnce(&mut Command)) -> Self {
        change(&mut self.command);
        self
    }

    /// Runs a bash script to its end.
    pub fn sh(self, script: &str) -> Ended {
        self.exec(&["bash", "-c", script])
    }

    /// Runs a Python program to its end. It is a file in the project, `attack.py` beside the helper module `wire`.
    pub fn python(self, source: &str) -> Ended {
        self.host.file("wire.py", include_str!("wire.py"));
        self.host.file("attack.py", source);
        let attack = self.host.project().join("attack.py");
        self.exec(&["python3", &attack.display().to_string()])
    }

    /// Runs a command to its end and collects its events.
    pub fn exec(self, arguments: &[&str]) -> Ended {
        let host = self.host;
        let before = host.events().len();
        let mut ended = self.spawn(arguments).wait();
        ended.events = host.events().split_off(before);
        ended
    }

    /// Starts a command in the background.
    pub fn spawn(mut self, arguments: &[&str]) -> Running {
        self.command.arg("--").args(arguments);
        Running::start(&mut self.command, self.stdin)
    }
}

/// A running call of the program. It is killed when this is dropped; a sandbox ends with its launcher.
pub struct Running {
    child: Child,
    stdout: Option<JoinHandle<Vec<u8>>>,
    stderr: Option<JoinHandle<Vec<u8>>>,
}

impl Running {
    pub(crate) fn start(command: &mut Command, input: Option<Vec<u8>>) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
            // A command that does not read its input to the end is no error here.
            thread::spawn(move || stdin.write_all(&input));
        }
        Self {
            stdout: child.stdout.take().map(read),
            stderr: child.stderr.take().map(read),
            child,
        }
    }

    /// The process id of the program, outside of the sandbox.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has not ended.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends a signal to the program.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let pid = pid.expect("a process id");
        kill_process(pid, signal).expect("a signal to a running program");
    }

    /// Waits for the end, for at most [`TIME_LIMIT`]; then the program is killed and the test fails.
    pub fn wait(mut self) -> Ended {
        let ended = poll::until_within(TIME_LIMIT, "the end of the program", || {
            self.child.try_wait()
        });
        let status = ended.as_ref().ok().copied().unwrap_or_else(|| {
            let _ = self.child.kill();
            self.child.wait().expect("the end of a killed program")
        });
        let ended = ended.map(|_| ());
        let result = Ended {
            code: code(status),
            stdout: text(self.stdout.take()),
            stderr: text(self.stderr.take()),
            events: Vec::new(),
        };
        if let Err(error) = ended {
            panic!("{error}\n{result}");
        }
        result
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail where it has ended already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(mut stream: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut octets = Vec::new();
        let _ = stream.read_to_end(&mut octets);
        octets
    })
}

fn text(reader: Option<JoinHandle<Vec<u8>>>) -> String {
    let octets = reader.map(|reader| reader.join().expect("a reader of the output"));
    String::from_utf8_lossy(&octets.unwrap_or_default()).into_owned()
}

fn code(status: ExitStatus) -> i32 {
    let signal = || status.signal().map_or(-1, |signal| 128 + signal);
    status.code().unwrap_or_else(signal)
}
