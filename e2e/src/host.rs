//! The machine as the person sees it: a home directory, a project in it, and Ringfence's configuration.

use std::fmt::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ringfence_testkit::process::command;
use ringfence_testkit::{Ca, User, Workdir};
use serde_json::Value;

use crate::ended::Ended;
use crate::program::program;
use crate::run::{Run, Running};

/// One person's machine. Everything in it is removed at the end of the test.
pub struct Host {
    user: User,
    program: PathBuf,
    project: PathBuf,
    names: Vec<(String, String)>,
    roots: Vec<PathBuf>,
    dns_servers: Vec<SocketAddr>,
    more_config: String,
    workdir: Workdir,
}

impl Host {
    /// For an unprivileged user, also when the tests run as root.
    pub fn new() -> Self {
        Self::with_program(&program())
    }

    /// For the user who runs the tests, root or not.
    pub fn as_caller() -> Self {
        Self::as_caller_with_program(&program())
    }

    /// As [`Host::new`], with another build of the program.
    pub fn with_program(program: &Path) -> Self {
        let workdir = Workdir::new().expect("a test's directory");
        let user = User::unprivileged(&workdir).expect("an unprivileged user");
        Self::of(workdir, user, program)
    }

    /// As [`Host::as_caller`], with another build of the program.
    pub fn as_caller_with_program(program: &Path) -> Self {
        let workdir = Workdir::new().expect("a test's directory");
        let user = User::caller(&workdir).expect("a home for the caller");
        Self::of(workdir, user, program)
    }

    fn of(workdir: Workdir, user: User, program: &Path) -> Self {
        Self {
            program: user.executable(program).expect("an executable program"),
            project: user.dir("project").expect("a project directory"),
            names: Vec::new(),
            roots: Vec::new(),
            dns_servers: Vec::new(),
            more_config: String::new(),
            workdir,
            user,
        }
    }

    /// The test's directory: for servers, and for what is outside of the person's home.
    pub fn workdir(&self) -> &Workdir {
        &self.workdir
    }

    /// The person.
    pub fn user(&self) -> &User {
        &self.user
    }

    /// The home directory.
    pub fn home(&self) -> &Path {
        self.user.home()
    }

    /// The directory that sandboxes work in unless a test says otherwise: `project` in the home.
    pub fn project(&self) -> &Path {
        &self.project
    }

    /// Ringfence's data directory.
    pub fn data(&self) -> PathBuf {
        self.home().join(".local/share/ringfence")
    }

    /// The program, at a path at which the person can execute it.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Writes a file in the project.
    pub fn file(&self, name: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> PathBuf {
        self.home_file(Path::new("project").join(name), contents)
    }

    /// Writes a file in the home directory.
    pub fn home_file(&self, name: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> PathBuf {
        self.user.file(name, contents).expect("a file in the home")
    }

    /// Writes the person's own profile, found by `--profile NAME`.
    pub fn profile(&self, name: &str, document: &str) -> PathBuf {
        self.home_file(format!(".config/ringfence/profiles/{name}.yaml"), document)
    }

    /// Puts a name or `*.` pattern into the static host map, in place of what it led to. With port 0 the agent's port is dialled.
    pub fn name(&mut self, name: &str, address: SocketAddr) -> &mut Self {
        let target = match address.port() {
            0 => address.ip().to_string(),
            _ => address.to_string(),
        };
        self.names.retain(|(known, _)| known != name);
        self.names.push((name.to_owned(), target));
        self
    }

    /// Makes clients in the sandbox trust an authority.
    pub fn trust(&mut self, ca: &Ca) -> &mut Self {
        self.roots.push(ca.certificate().to_owned());
        self
    }

    /// Resolves names by this server instead of the system's.
    pub fn dns_server(&mut self, address: SocketAddr) -> &mut Self {
        self.dns_servers.push(address);
        self
    }

    /// Adds lines to the end of the configuration file: further tables.
    pub fn config(&mut self, lines: &str) -> &mut Self {
        self.more_config.push_str(lines);
        self
    }

    /// A run in a sandbox, to be described further.
    pub fn run(&self) -> Run<'_> {
        Run::new(self)
    }

    /// Any other verb, run to its end.
    pub fn ringfence(&self, arguments: &[&str]) -> Ended {
        self.start(arguments).wait()
    }

    /// Any other verb that reads its standard input, run to its end.
    pub fn ringfence_reading(&self, arguments: &[&str], input: &str) -> Ended {
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::piped());
        Running::start(&mut command, Some(input.as_bytes().to_vec())).wait()
    }

    /// Any other verb, in a network of its own that has a second interface and leads nowhere.
    pub fn ringfence_in_another_network(&self, arguments: &[&str]) -> Ended {
        let mut command = self.prepare(command("unshare"));
        command.args(["--map-root-user", "--net", "sh", "-c", ANOTHER_NETWORK]);
        command.arg(&self.program).args(arguments);
        Running::start(&mut command, None).wait()
    }

    /// Any other verb, in the background.
    pub fn start(&self, arguments: &[&str]) -> Running {
        let mut command = self.command();
        command.args(arguments);
        Running::start(&mut command, None)
    }

    /// Every event so far, as `ringfence events --json` prints them.
    pub fn events(&self) -> Vec<Value> {
        let mut records = self.records();
        records.retain(|record| record.get("action").is_some());
        records
    }

    /// Every event and notice so far, as `ringfence events --json` prints them; as many as it ever does.
    pub fn records(&self) -> Vec<Value> {
        let ended = self.ringfence(&["events", "--json", "--limit", "10000"]);
        assert_eq!(ended.code, 0, "{ended}");
        let lines = ended.stdout.lines();
        lines
            .map(|line| serde_json::from_str(line).expect("a record on each line"))
            .collect()
    }

    /// The denials so far, as `ringfence denied --json` prints them.
    pub fn denied(&self) -> Vec<Value> {
        let ended = self.ringfence(&["denied", "--json"]);
        assert_eq!(ended.code, 0, "{ended}");
        serde_json::from_str(&ended.stdout).expect("a list of denials")
    }

    /// The program as this person, in the project, with the configuration written.
    pub fn command(&self) -> Command {
        self.prepare(command(&self.program))
    }

    fn prepare(&self, mut command: Command) -> Command {
        self.home_file(".config/ringfence/config.toml", self.config_text());
        self.user.run_as(&mut command).current_dir(&self.project);
        command
    }

    fn config_text(&self) -> String {
        let quoted = |text: &str| format!("{text:?}");
        let join = |parts: Vec<String>| parts.join(", ");
        let names = self.names.iter();
        let names = join(
            names
                .map(|(name, to)| format!("{name:?} = {to:?}"))
                .collect(),
        );
        let roots = self.roots.iter();
        let roots = join(
            roots
                .map(|root| quoted(&root.display().to_string()))
                .collect(),
        );
        let servers = self.dns_servers.iter();
        let servers = join(servers.map(|server| quoted(&server.to_string())).collect());
        let mut text = String::new();
        let written = write!(
            text,
            "[dial]\nhosts = {{ {names} }}\nextra_roots = [{roots}]\ndns_servers = [{servers}]\n{}",
            self.more_config
        );
        written.map_or_else(|_| String::new(), |()| text)
    }
}

const ANOTHER_NETWORK: &str =
    "ip link set lo up && ip link add one type veth peer name two && exec \"$0\" \"$@\"";

impl Default for Host {
    fn default() -> Self {
        Self::new()
    }
}
