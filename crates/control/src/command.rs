//! Commands that give out a secret on their standard output: a password manager for a master key
//! or a credential. The person who configures Ringfence names them; nothing that an agent sends
//! gets here.

use std::process::Stdio;

use ringfence_model::Secret;
use tokio::io::AsyncReadExt;
use tokio::process::{ChildStdout, Command};
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::limits::{COMMAND_WAIT, SECRET_OCTETS};

/// The variables that such a command is told, and no others: where it finds programs, its own
/// files, its language, and the agent of a key ring.
const TOLD: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "TERM",
    "TZ",
    "XDG_RUNTIME_DIR",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_CACHE_HOME",
    "DBUS_SESSION_BUS_ADDRESS",
    "GNUPGHOME",
    "GPG_TTY",
    "PASSWORD_STORE_DIR",
    "SSH_AUTH_SOCK",
];

/// Why a command gave no secret. What it printed is not repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// There is nothing to run.
    #[error("the command is empty")]
    Empty,
    /// It cannot be run.
    #[error("{0} cannot be run: {1}")]
    Start(String, String),
    /// It failed by its own account.
    #[error("{0} failed with {1}")]
    Failed(String, String),
    /// It took too long.
    #[error("{0} did not end in time")]
    TimedOut(String),
    /// It printed nothing, or too much.
    #[error("{0} printed nothing, or more than {SECRET_OCTETS} octets")]
    Output(String),
}

/// Runs a program without a shell and returns what it printed. Its messages go to our own standard
/// error; it has no standard input.
///
/// # Errors
/// Where it fails, prints nothing or too much, or takes too long.
pub async fn output(words: &[String]) -> Result<Secret, CommandError> {
    let (program, arguments) = words.split_first().ok_or(CommandError::Empty)?;
    let failed = |error: std::io::Error| CommandError::Start(program.clone(), error.to_string());
    let mut command = command(program, arguments);
    let mut child = command.spawn().map_err(failed)?;
    let stdout = child.stdout.take();
    let run = async {
        let printed = read(stdout).await;
        let status = child.wait().await?;
        std::io::Result::Ok((printed?, status))
    };
    let ended = timeout(COMMAND_WAIT, run).await;
    let ended = ended.map_err(|_| CommandError::TimedOut(program.clone()))?;
    let (printed, status) = ended.map_err(failed)?;
    if !status.success() {
        return Err(CommandError::Failed(program.clone(), status.to_string()));
    }
    if printed.is_empty() || printed.len() > SECRET_OCTETS {
        return Err(CommandError::Output(program.clone()));
    }
    Ok(Secret::new(printed.as_slice()))
}

/// What a desktop's opener is told beside that: which desktop, and which browser.
const DESKTOP: &[&str] = &[
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_CURRENT_DESKTOP",
    "XDG_SESSION_TYPE",
    "XDG_DATA_DIRS",
    "BROWSER",
];

/// Has the desktop open a URL, which starts with `http`, without a shell, and waits for neither.
///
/// # Errors
/// Where there is no opener.
pub fn open_in_browser(url: &str) -> Result<(), CommandError> {
    let mut command = command(OPENER, &[url.to_owned()]);
    command
        .envs(
            DESKTOP
                .iter()
                .filter_map(|name| Some((name, std::env::var_os(name)?))),
        )
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(false);
    let started = command.spawn().map(drop);
    started.map_err(|error| CommandError::Start(OPENER.to_owned(), error.to_string()))
}

const OPENER: &str = "xdg-open";

#[expect(
    clippy::disallowed_methods,
    reason = "a command of the person who configures Ringfence gives out a secret; it runs outside of any sandbox"
)]
fn command(program: &str, arguments: &[String]) -> Command {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .env_clear()
        .envs(
            TOLD.iter()
                .filter_map(|name| Some((name, std::env::var_os(name)?))),
        );
    command
}

/// What comes, up to one octet too many: then the pipe is closed, and the program ends by that.
async fn read(stdout: Option<ChildStdout>) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut printed = Zeroizing::new(Vec::with_capacity(SECRET_OCTETS + 1));
    if let Some(stdout) = stdout {
        let mut bounded = stdout.take(SECRET_OCTETS as u64 + 1);
        bounded.read_to_end(&mut printed).await?;
    }
    Ok(printed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[tokio::test]
    async fn what_a_command_prints_is_the_secret() {
        let secret = output(&words(&["/bin/echo", "s3cret $HOME"]))
            .await
            .unwrap();
        assert_eq!(secret.expose(), b"s3cret $HOME\n");
    }

    #[tokio::test]
    async fn a_command_that_fails_gives_nothing_and_says_nothing_of_it() {
        let printed = words(&["/bin/sh", "-c", "echo hunter2; exit 3"]);
        let error = output(&printed).await.unwrap_err();
        assert!(matches!(error, CommandError::Failed(..)));
        assert!(!error.to_string().contains("hunter2"));
        for (bad, expected) in [
            (words(&[]), "empty"),
            (words(&["/not/there"]), "cannot be run"),
            (words(&["/bin/true"]), "printed nothing"),
            (words(&["/bin/cat", "/dev/zero"]), "signal"),
        ] {
            let error = output(&bad).await.unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[tokio::test]
    async fn a_command_is_told_little_of_the_environment() {
        let told = output(&words(&["/usr/bin/env"])).await.unwrap();
        let told = String::from_utf8(told.expose().to_vec()).unwrap();
        let is_known = |line: &str| {
            TOLD.iter()
                .any(|name| line.starts_with(&format!("{name}=")))
        };
        assert!(told.contains("PATH="), "{told}");
        assert!(told.lines().all(is_known), "{told}");
        assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_command_that_does_not_end_is_ended() {
        let error = output(&words(&["/bin/sleep", "1000"])).await.unwrap_err();
        assert!(matches!(error, CommandError::TimedOut(_)));
    }
}
