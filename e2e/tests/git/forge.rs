//! A GitHub to which a person has a token, and agents that may read `acme/docs` and push to `agent/**` of `acme/web`.

use std::collections::BTreeMap;

use ringfence_e2e::{Ended, Host, Run};
use ringfence_testkit::Ca;
use ringfence_testkit::git::GitServer;

/// The machine, and the forge that it reaches as `github.com`.
pub(super) struct Forge {
    pub(super) host: Host,
    pub(super) ca: Ca,
    pub(super) server: GitServer,
}

/// What one step of a script came to; see [`Forge::steps`].
#[derive(Debug)]
pub(super) struct Step {
    pub(super) code: i32,
    pub(super) said: String,
}

impl Forge {
    /// Starts the forge, keeps its token as the credential `forge`, and makes the profile `agent`.
    pub(super) fn start() -> Self {
        Self::with_rules(RULES)
    }

    /// As [`Forge::start`], with these lines as the `git` section of the profile.
    pub(super) fn with_rules(rules: &str) -> Self {
        let mut host = Host::new();
        let ca = Ca::new(host.workdir()).unwrap();
        let user = (USER, TOKEN);
        let names = ["github.com"];
        let server = GitServer::start_with_password(host.workdir(), &ca, &names, user).unwrap();
        for name in ["docs", "web", "secret"] {
            server.repository(&format!("acme/{name}"), FILES).unwrap();
        }
        host.trust(&ca).name("github.com", server.https());
        let forge = Self { host, ca, server };
        forge.keep_token();
        forge.rules(rules);
        forge
    }

    /// Writes the profile `agent` with these lines as its `git` section.
    pub(super) fn rules(&self, rules: &str) {
        let profile =
            format!("apiVersion: ringfence/v1\nkind: Profile\nname: agent\ngit:\n{rules}");
        self.host.profile("agent", &profile);
    }

    pub(super) fn keep_token(&self) {
        let arguments = [
            "credential",
            "add",
            "forge",
            "--kind",
            "basic",
            "--set",
            "username=x-access-token",
            "--host",
            "github.com",
        ];
        let ended = self.host.ringfence_reading(&arguments, TOKEN);
        assert_eq!(ended.code, 0, "{ended}");
    }

    /// A run that works by the profile.
    pub(super) fn run(&self) -> Run<'_> {
        self.host.run().profile("agent")
    }

    /// Runs a script that must succeed in each of its steps.
    pub(super) fn works(&self, script: &str) -> Ended {
        let ended = self.run().sh(&format!("{PRELUDE}set -e\n{script}"));
        assert_eq!(ended.code, 0, "{ended}");
        ended
    }

    /// Runs a script in which `step NAME COMMAND…` notes how a command ended and what it said, and in which everything else
    /// must succeed.
    pub(super) fn steps(&self, script: &str) -> (BTreeMap<String, Step>, Ended) {
        let ended = self.works(&format!("{STEP}{script}"));
        let mut steps = BTreeMap::new();
        for part in ended.stdout.split("\u{1e}step ").skip(1) {
            let (head, said) = part.split_once('\n').unwrap();
            let (name, code) = head.split_once(' ').unwrap();
            let step = Step {
                code: code.parse().unwrap(),
                said: said.to_owned(),
            };
            assert!(steps.insert(name.to_owned(), step).is_none(), "{name}");
        }
        (steps, ended)
    }

    /// Everything of a repository that a push could change.
    pub(super) fn state(&self, name: &str) -> String {
        self.server.state(name).unwrap()
    }

    /// What a ref points at upstream.
    pub(super) fn resolve(&self, name: &str, reference: &str) -> Option<String> {
        self.server.resolve(name, reference).unwrap()
    }
}

impl Step {
    /// Fails the test unless git was refused, and said all of these.
    pub(super) fn assert_refused(&self, name: &str, words: &[&str]) {
        assert_ne!(self.code, 0, "{name}: {}", self.said);
        for word in words {
            assert!(
                self.said.contains(word),
                "{name}: no {word:?} in: {}",
                self.said
            );
        }
        assert!(!self.said.contains(TOKEN), "{name}: {}", self.said);
        // What git says where it was refused in a form that it does not read.
        for lost in [
            "hung up",
            "bad band",
            "protocol error",
            "Everything up-to-date",
        ] {
            assert!(!self.said.contains(lost), "{name}: {}", self.said);
        }
    }
}

/// The user of the forge's tokens.
pub(super) const USER: &str = "x-access-token";

/// What the forge accepts.
pub(super) const TOKEN: &str = "ghp_7Kd93mQx0aVt5Zr1LpYw8BnCe2UfHs4JgTo6";

/// Reads `acme/docs`; writes below `agent/` of `acme/web`.
pub(super) const RULES: &str = r#"  - allow: { id: docs, repo: github/acme/docs, access: read, credential: forge }
  - allow:
      id: web
      repo: github/acme/web
      access: write
      refs: { "refs/heads/agent/**": [create, fast-forward] }
      credential: forge
"#;

/// What every repository has in the beginning.
pub(super) const FILES: &[(&str, &[u8])] = &[
    ("README", b"read me\n"),
    ("src/main.c", b"int main(void) { return 0; }\n"),
    ("src/deep/one", b"one\n"),
    ("ci/build.yml", b"on: push\n"),
    (".github/workflows/ci.yml", b"on: push\n"),
];

/// For scripts: who commits, and nobody to ask.
const PRELUDE: &str = "export GIT_AUTHOR_NAME=Agent GIT_AUTHOR_EMAIL=agent@acme.test \
GIT_COMMITTER_NAME=Agent GIT_COMMITTER_EMAIL=agent@acme.test GIT_TERMINAL_PROMPT=0 GIT_ADVICE=0
";

const STEP: &str = "step() {
    local name=$1 code=0; shift
    \"$@\" > /tmp/said 2>&1 || code=$?
    printf '\\036step %s %s\\n' \"$name\" $code; cat /tmp/said
}
";
