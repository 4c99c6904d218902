//! A terminal of the test's own with an interactive shell in it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use ringfence_e2e::Host;
use ringfence_testkit::poll;
use ringfence_testkit::process::command;
use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// What the shell prints when it waits for a command.
const PROMPT: &str = "ready> ";

/// The person's side of the terminal.
pub(super) struct Screen {
    host: Host,
    keys: File,
    shown: Arc<Mutex<String>>,
    seen: usize,
    shell: Child,
}

impl Screen {
    /// A bash of the person's, in the project of a new host, with `ringfence` on its path.
    pub(super) fn open() -> Self {
        let host = Host::new();
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave = open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        let keys = File::from(master);
        size(&keys, 24, 80);
        let shell = shell(&host, slave);
        let shown = Arc::new(Mutex::new(String::new()));
        let (mut screen, text) = (keys.try_clone().unwrap(), Arc::clone(&shown));
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = screen.read(&mut buffer) {
                text.lock()
                    .unwrap()
                    .push_str(&String::from_utf8_lossy(&buffer[..length]));
            }
        });
        let mut screen = Self {
            host,
            keys,
            shown,
            seen: 0,
            shell,
        };
        screen.wait_for(PROMPT);
        screen
    }

    /// The machine that the shell runs on.
    pub(super) fn host(&self) -> &Host {
        &self.host
    }

    /// Starts a shell in a sandbox.
    pub(super) fn sandbox(&mut self) {
        self.line("ringfence run -- bash --norc --noediting")
            .wait_for("$ ");
    }

    /// Starts a script, by these words before it, and waits until it runs.
    pub(super) fn begin(&mut self, before: &str, script: &str) {
        // What is typed is on the screen as well, so it must not be what is waited for.
        self.line(&format!("{before} sh -c 'echo be\"\"gun; {script}'"))
            .wait_for("begun");
    }

    /// Types a line.
    pub(super) fn line(&mut self, text: &str) -> &mut Self {
        self.key(&format!("{text}\r"))
    }

    /// Types characters as they are.
    pub(super) fn key(&mut self, text: &str) -> &mut Self {
        self.keys.write_all(text.as_bytes()).unwrap();
        self
    }

    /// Waits until a text has appeared since the last wait. Returns what appeared before it.
    pub(super) fn wait_for(&mut self, text: &str) -> String {
        let found = poll::until(text, || {
            let shown = self.shown.lock().unwrap();
            Ok(shown[self.seen..]
                .find(text)
                .map(|at| shown[self.seen..self.seen + at].to_owned()))
        });
        let before = found.unwrap_or_else(|error| {
            panic!("{error}; on the screen:\n{}", self.shown.lock().unwrap())
        });
        self.seen += before.len() + text.len();
        before
    }

    /// Waits until the shell waits for a command.
    pub(super) fn prompt(&mut self) -> String {
        self.wait_for(PROMPT)
    }

    /// The exit code of the last command.
    pub(super) fn code(&mut self) -> i32 {
        self.line("echo \"code=$?.\"").wait_for("code=");
        // The first is the echo of what was typed.
        self.wait_for("code=");
        let code = self.wait_for(".");
        self.prompt();
        code.parse().unwrap()
    }

    /// Changes the size of the window.
    pub(super) fn resize(&mut self, rows: u16, columns: u16) {
        size(&self.keys, rows, columns);
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

fn size(terminal: &File, rows: u16, columns: u16) {
    let size = Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(terminal, size).unwrap();
}

/// `setsid --ctty` makes the terminal the shell's controlling one.
fn shell(host: &Host, terminal: OwnedFd) -> Child {
    // Writes the configuration.
    drop(host.command());
    let programs = host
        .program()
        .parent()
        .unwrap_or_else(|| Path::new("/"))
        .display()
        .to_string();
    let mut shell = command("setsid");
    shell.args(["--ctty", "bash", "--norc", "--noediting", "-i"]);
    host.user().run_as(&mut shell).current_dir(host.project());
    let copy = || Stdio::from(terminal.try_clone().unwrap());
    shell.stdin(copy()).stdout(copy()).stderr(copy());
    shell.env("PATH", format!("{programs}:/usr/local/bin:/usr/bin:/bin"));
    shell
        .env("PS1", PROMPT)
        .env("TERM", "xterm-256color")
        .spawn()
        .unwrap()
}
