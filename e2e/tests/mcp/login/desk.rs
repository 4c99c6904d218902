//! A person at a desk: a server that wants a login, a browser, and an agent.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStderr, Stdio};

use ringfence_e2e::{Ended, Host, Running};
use ringfence_testkit::issuer::authorization::{Authorization, LOGIN, SERVER};
use ringfence_testkit::process::command;
use ringfence_testkit::{Ca, poll};
use serde_json::Value;

/// The machine, the server `lab`, and whoever gives tokens for it.
pub(super) struct Desk {
    pub(super) host: Host,
    pub(super) servers: Authorization,
    ca: Ca,
}

/// How a login ended.
pub(super) struct Outcome {
    pub(super) ended: Ended,
    /// What the browser showed at the end.
    pub(super) page: String,
}

/// What an agent has shown.
pub(super) struct Told {
    pub(super) ended: Ended,
    pub(super) shown: Value,
}

impl Desk {
    pub(super) fn new() -> Self {
        let mut host = Host::new();
        let ca = Ca::new(host.workdir()).unwrap();
        host.trust(&ca);
        let servers = Authorization::start(host.workdir(), &ca).unwrap();
        for name in [LOGIN, SERVER] {
            host.name(name, servers.https());
        }
        let desk = Self { host, servers, ca };
        desk.host.profile(
            "mcp",
            "apiVersion: ringfence/v1\nkind: Profile\nname: mcp\nmcpServers:\n  \
             - {name: lab, url: \"https://protected.acme.test/mcp\", credential: lab}\n  \
             - {name: open, url: \"https://protected.acme.test/open\"}\nmcp:\n  \
             - allow: {server: lab, tools: [\"*\"]}\n  - allow: {server: open, tools: [\"*\"]}\n",
        );
        desk.host.file("agent.py", include_str!("../agent.py"));
        desk
    }

    /// A verb of `ringfence mcp` about the profile's servers.
    pub(super) fn mcp(&self, arguments: &[&str]) -> Ended {
        let whole = [&["mcp"], arguments, &["--profile", "mcp"]].concat();
        self.host.ringfence(&whole)
    }

    /// Runs an agent that has all of `agent` to its end.
    pub(super) fn agent(&self, source: &str) -> Told {
        let run = self.host.run().profile("mcp");
        self.told(run.python(&format!("from agent import *\n{source}")))
    }

    /// Starts such an agent.
    pub(super) fn start(&self, source: &str) -> Running {
        let program = self
            .host
            .file("long.py", format!("from agent import *\n{source}"));
        let program = program.display().to_string();
        self.host.run().profile("mcp").spawn(&["python3", &program])
    }

    /// What an agent has shown.
    pub(super) fn told(&self, ended: Ended) -> Told {
        assert_eq!(ended.code, 0, "{ended}");
        let shown = ended
            .stdout
            .lines()
            .find_map(|line| line.strip_prefix("SHOWN "));
        let shown = serde_json::from_str(shown.unwrap_or("null")).unwrap();
        Told { ended, shown }
    }

    /// Waits for a file of the agent's.
    pub(super) fn wait_for(&self, name: &str) {
        let path = self.host.project().join(name);
        poll::until(name, || Ok(path.exists().then_some(()))).unwrap();
    }

    /// No token that was ever good has arrived inside, and no part that tells it.
    pub(super) fn assert_saw_no_token(&self, told: &Told) {
        let seen = &told.ended.stdout;
        assert!(!seen.contains("Zq8mLw3TxV7pRb2NcKd5"), "{}", told.ended);
        assert!(!seen.contains("WnE4bUx3"), "{}", told.ended);
    }

    /// Starts to log in, up to where a browser is wanted.
    pub(super) fn begin(&self, more: &[&str]) -> Begun<'_> {
        let mut starting = self.host.command();
        // Before the system's own, for a test that puts an opener there.
        let own = self.host.home().join("bin").display().to_string();
        starting.env("PATH", format!("{own}:/usr/bin:/bin"));
        starting.env("CANARY", "c4nary-of-the-caller");
        starting
            .args(["mcp", "login", "lab", "--profile", "mcp"])
            .args(more);
        starting
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = starting.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let (mut said, mut url) = (String::new(), None);
        while url.is_none() {
            let mut line = String::new();
            if stderr.read_line(&mut line).unwrap() == 0 {
                break;
            }
            url = line.starts_with("https://").then(|| line.trim().to_owned());
            said.push_str(&line);
        }
        Begun {
            desk: self,
            child,
            stderr,
            said,
            url,
        }
    }

    /// Logs in with a browser.
    pub(super) fn login(&self, more: &[&str]) -> Outcome {
        let begun = self.begin(more);
        if begun.url.is_none() {
            return begun.end(String::new());
        }
        let url = begun.callback();
        begun.come_back(&url)
    }

    /// Logs in by an address that the person pastes, as `changed`.
    pub(super) fn pasted(&self, changed: impl FnOnce(String) -> String) -> Ended {
        let mut begun = self.begin(&["--no-listen"]);
        let url = changed(begun.callback());
        let mut stdin = begun.child.stdin.take().unwrap();
        writeln!(stdin, "{url}").unwrap();
        drop(stdin);
        begun.end(String::new()).ended
    }
}

/// A login that waits for a browser.
pub(super) struct Begun<'a> {
    desk: &'a Desk,
    child: Child,
    stderr: BufReader<ChildStderr>,
    said: String,
    url: Option<String>,
}

impl Begun<'_> {
    /// Where the authorization server leads the browser back to.
    pub(super) fn callback(&self) -> String {
        let url = self.url.clone().unwrap_or_else(|| panic!("{}", self.said));
        let answer = self.curl(&["-w", "%{http_code} %{redirect_url}", &url]);
        let (status, led) = answer.split_once(' ').unwrap();
        assert_eq!(status, "302", "{answer}");
        led.to_owned()
    }

    /// The status that the browser is shown at an address.
    pub(super) fn visit(&self, url: &str) -> String {
        self.curl(&["-o", "/dev/null", "-w", "%{http_code}", url])
    }

    /// The same, where another name leads there.
    pub(super) fn visit_as(&self, name: &str, url: &str) -> String {
        let header = format!("Host: {name}");
        self.curl(&["-o", "/dev/null", "-w", "%{http_code}", "-H", &header, url])
    }

    /// Goes there, and waits for what comes of it.
    pub(super) fn come_back(self, url: &str) -> Outcome {
        let page = self.curl(&[url]);
        self.end(page)
    }

    fn curl(&self, arguments: &[&str]) -> String {
        let to = format!("{LOGIN}:443:{}", self.desk.servers.https());
        let mut curl = command("curl");
        curl.args([
            "-sS",
            "--path-as-is",
            "--max-time",
            "10",
            "--connect-to",
            &to,
            "--cacert",
        ]);
        curl.arg(self.desk.ca.certificate()).args(arguments);
        let output = curl.output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn end(mut self, page: String) -> Outcome {
        let mut stdout = String::new();
        self.stderr.read_to_string(&mut self.said).unwrap();
        let mut out = self.child.stdout.take().unwrap();
        out.read_to_string(&mut stdout).unwrap();
        let status = self.child.wait().unwrap();
        Outcome {
            ended: Ended {
                code: status.code().unwrap_or(-1),
                stdout,
                stderr: self.said,
                events: Vec::new(),
            },
            page,
        }
    }
}
