//! A person's machine, a server that asks for a credential, and an agent that speaks the protocol octet by octet.

use std::path::PathBuf;

use ringfence_e2e::{Ended, Host, Run, Running};
use ringfence_testkit::Ca;
use ringfence_testkit::mcp::{McpServer, installed};
use serde_json::Value;

/// What the server accepts, and no sandbox ever sees.
pub(super) const KEY: &str = "mcp-real-Zq8mLw3TxV7pRb2NcKd5";

/// Everything that the server has.
pub(super) const ALL: &str = r#"tools: ["*"], resources: ["**"], prompts: ["*"]"#;

/// All of it, and all that a server may ask of an agent.
pub(super) const ALL_FEATURES: &str = r#"tools: ["*"], resources: ["**"], prompts: ["*"], elicitationHosts: [login.acme.test],
    features: [completions, logging, subscriptions, sampling, elicitation, roots, tasks]"#;

/// Both eras, as the agent calls them.
pub(super) const ERAS: [&str; 2] = ["SESSIONS", "STATELESS"];

/// The machine. Its one server is called `lab` in rules and in the gateway's URLs.
pub(super) struct Lab {
    pub(super) host: Host,
    pub(super) server: McpServer,
    pub(super) ca: Ca,
    name: &'static str,
}

impl Lab {
    /// With the hostile server, and one rule that has these fields.
    pub(super) fn hostile(fields: &str) -> Self {
        Self::with("hostile.acme.test", fields, McpServer::hostile)
    }

    /// With the server that the conformance suite is content with.
    pub(super) fn fixture(fields: &str) -> Self {
        Self::with("fixture.acme.test", fields, McpServer::fixture)
    }

    fn with(
        name: &'static str,
        fields: &str,
        start: impl FnOnce(&ringfence_testkit::Workdir, &Ca, &str, &str) -> std::io::Result<McpServer>,
    ) -> Self {
        let mut host = Host::new();
        let ca = Ca::new(host.workdir()).unwrap();
        host.trust(&ca);
        let server = start(host.workdir(), &ca, name, KEY).unwrap();
        host.name(name, server.address());
        let arguments = [
            "credential",
            "add",
            "lab",
            "--kind",
            "bearer",
            "--host",
            name,
        ];
        let ended = host.ringfence_reading(&arguments, KEY);
        assert_eq!(ended.code, 0, "{ended}");
        let lab = Self {
            host,
            server,
            ca,
            name,
        };
        lab.rules(&[&format!("allow: {{id: lab, server: lab, {fields}}}")]);
        lab.host.file("agent.py", include_str!("agent.py"));
        lab
    }

    /// Writes the profile anew, with these rules.
    pub(super) fn rules(&self, rules: &[&str]) {
        self.profile("", rules);
    }

    /// As [`Lab::rules`], with a token in `MCP_TOKEN` that stands for the credential.
    pub(super) fn rules_with_token(&self, rules: &[&str]) {
        let tokens = "tokens:\n  - {env: [MCP_TOKEN], credentials: [lab]}\n";
        self.profile(tokens, rules);
    }

    fn profile(&self, more: &str, rules: &[&str]) {
        let name = self.name;
        let mut document = format!(
            "apiVersion: ringfence/v1\nkind: Profile\nname: mcp\n{more}\
             mcpServers:\n  - {{name: lab, url: \"https://{name}/mcp\", credential: lab}}\nmcp:\n"
        );
        if rules.is_empty() {
            document.push_str("  []\n");
        }
        for rule in rules {
            document.push_str(&format!("  - {rule}\n"));
        }
        self.host.profile("mcp", &document);
    }

    /// A run by the profile.
    pub(super) fn run(&self) -> Run<'_> {
        self.host.run().profile("mcp")
    }

    /// Runs a Python program that has all of `agent` to its end.
    pub(super) fn agent(&self, source: &str) -> Told {
        let ended = self.run().python(&format!("from agent import *\n{source}"));
        Told::of(ended)
    }

    /// Starts such a program, of this name.
    pub(super) fn start(&self, name: &str, source: &str) -> Running {
        let program = self
            .host
            .file(name, format!("from agent import *\n{source}"));
        self.run()
            .spawn(&["python3", &program.display().to_string()])
    }

    /// A verb of `ringfence mcp` about the profile's servers.
    pub(super) fn mcp(&self, arguments: &[&str]) -> Ended {
        let whole = [&["mcp"], arguments, &["--profile", "mcp"]].concat();
        self.host.ringfence(&whole)
    }

    /// What reached the server so far.
    pub(super) fn requests(&self) -> Vec<Value> {
        let mut lines = self.server.requests().unwrap();
        lines.retain(|line| line.get("method").is_some());
        lines
    }

    /// The calls of tools that reached the server so far.
    pub(super) fn calls(&self) -> Vec<Value> {
        let mut calls = self.requests();
        calls.retain(|it| {
            let body = it["body"].as_str().unwrap_or_default();
            body.contains("tools/call")
        });
        calls
    }

    /// The events about servers so far, oldest first.
    pub(super) fn events(&self) -> Vec<Value> {
        let mut events = self.host.events();
        events.retain(|event| event["action"]["kind"] == "mcp");
        events.sort_by_key(|event| event["time"].as_str().unwrap_or_default().to_owned());
        events
    }
}

/// What an agent's program has printed.
pub(super) struct Told {
    pub(super) ended: Ended,
    /// What it showed, in order.
    pub(super) shown: Vec<Value>,
}

impl Told {
    pub(super) fn of(ended: Ended) -> Self {
        assert_eq!(ended.code, 0, "{ended}");
        let lines = ended.stdout.lines();
        let shown = lines
            .filter_map(|line| line.strip_prefix("SHOWN "))
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        Self { ended, shown }
    }

    /// No octet that has arrived there has this in it.
    pub(super) fn assert_never_saw(&self, text: &str) {
        assert!(!self.ended.stdout.contains(text), "{text}: {}", self.ended);
    }
}

/// The text of the first block of a result.
pub(super) fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"]
        .as_str()
        .unwrap_or_default()
}

/// Where the servers and clients that others have written are, and how a sandbox sees it.
pub(super) fn programs() -> PathBuf {
    installed().unwrap()
}
