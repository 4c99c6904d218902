//! A person's machine with credentials on it, and APIs that want them.

use std::fs;
use std::path::Path;

use ringfence_e2e::{Ended, Host, Running};
use ringfence_testkit::api::{Api, ApiRequest, ApiResponse};
use ringfence_testkit::github::{self, Github};
use ringfence_testkit::{Ca, poll};

use super::encodings::places;

/// The machine. Its gateway trusts the authority of the APIs.
pub(super) struct Desk {
    pub(super) host: Host,
    pub(super) ca: Ca,
}

impl Desk {
    pub(super) fn new() -> Self {
        Self::with(Host::new())
    }

    /// As [`Desk::new`], for another kind of person.
    pub(super) fn with(mut host: Host) -> Self {
        let ca = Ca::new(host.workdir()).unwrap();
        host.trust(&ca);
        Self { host, ca }
    }

    /// Starts an API that the gateway finds under this name.
    pub(super) fn api<Answering>(&mut self, name: &str, answer: Answering) -> Api
    where
        Answering: Fn(&ApiRequest) -> ApiResponse + Send + Sync + 'static,
    {
        let api = Api::start(self.host.workdir(), &self.ca, &[name], answer).unwrap();
        self.host.name(name, api.https());
        api
    }

    /// Starts a GitHub, keeps its token as the credential `github`, and makes the profile `github-pr` for `acme/web`.
    pub(super) fn github(&mut self) -> Github {
        let github = Github::start(self.host.workdir(), &self.ca, GITHUB_TOKEN).unwrap();
        self.host.name(github::HOST, github.https());
        self.add("github", "bearer", github::HOST, GITHUB_TOKEN);
        self.ringfence(&["profile", "new", "github-pr", "--set", "repos=acme/web"]);
        github
    }

    /// Keeps a credential of a kind that needs no settings.
    pub(super) fn add(&self, name: &str, kind: &str, host: &str, secret: &str) {
        self.keep(&[name, "--kind", kind, "--host", host], secret);
    }

    /// `ringfence credential add`, with the secret on standard input.
    pub(super) fn keep(&self, arguments: &[&str], secret: &str) {
        let arguments = [&["credential", "add"][..], arguments].concat();
        let ended = self.host.ringfence_reading(&arguments, secret);
        assert_eq!(ended.code, 0, "{ended}");
    }

    /// `ringfence credential rotate`, with the new secret on standard input.
    pub(super) fn rotate(&self, name: &str, secret: &str) {
        let ended = self
            .host
            .ringfence_reading(&["credential", "rotate", name], secret);
        assert_eq!(ended.code, 0, "{ended}");
    }

    /// A verb that must succeed.
    pub(super) fn ringfence(&self, arguments: &[&str]) -> Ended {
        let ended = self.host.ringfence(arguments);
        assert_eq!(ended.code, 0, "{ended}");
        ended
    }

    /// Keeps [`SECRET`] as the bearer credential `acme` for `api.acme.test`, and a profile `api` that uses it for all that is there. The
    /// rule has these further fields.
    pub(super) fn acme(&self, fields: &str) {
        self.add("acme", "bearer", "api.acme.test", SECRET);
        self.host.profile("api", &acme_profile(fields));
    }

    /// The findings so far: code and words.
    pub(super) fn findings(&self) -> Vec<(String, String)> {
        let records = self.host.records().into_iter();
        let finding = |record: serde_json::Value| {
            let kind = &record["kind"];
            let is_finding = kind["notice"] == "finding";
            let text = |name: &str| kind[name].as_str().unwrap_or_default().to_owned();
            is_finding.then(|| (text("code"), text("detail")))
        };
        records.filter_map(finding).collect()
    }

    /// Waits until a script has come to `step NAME`; see [`STEP`].
    pub(super) fn wait_for(&self, name: &str) {
        let reached = self.host.project().join(name);
        poll::until_true(name, || reached.exists()).unwrap();
    }

    /// Lets a script go on that waits at `step NAME`.
    pub(super) fn go(&self, name: &str) {
        let name = format!("{name}.go");
        fs::write(self.host.project().join(name), "").unwrap();
    }

    /// Lets a script go on from one step, and waits until it has come to another.
    pub(super) fn go_to(&self, from: &str, to: &str) {
        self.go(from);
        self.wait_for(to);
    }

    /// A run in the background that works by a profile.
    pub(super) fn spawn(&self, profile: &str, script: &str) -> Running {
        let script = format!("{STEP}{script}");
        self.host
            .run()
            .profile(profile)
            .spawn(&["bash", "-c", &script])
    }

    /// Fails the test where one of the secrets is in the project, where scripts keep what they got.
    pub(super) fn assert_not_inside(&self, secrets: &[&str]) {
        let project = self.host.project().to_owned();
        for secret in secrets {
            let found = places(&self.host, secret, &[&project]);
            assert_eq!(found, Vec::<String>::new(), "{secret}");
        }
    }

    /// What a script has written in the project.
    pub(super) fn read(&self, name: impl AsRef<Path>) -> String {
        fs::read_to_string(self.host.project().join(name)).unwrap()
    }
}

/// A profile that allows all of `api.acme.test` with the credential `acme`, and these further fields of the rule.
pub(super) fn acme_profile(fields: &str) -> String {
    format!(
        "apiVersion: ringfence/v1\nkind: Profile\nname: api\n\
         tokens:\n  - {{ env: [API_TOKEN], credentials: [acme] }}\n\
         api:\n  - allow: {{ id: all, host: api.acme.test, credential: acme, {fields} }}\n"
    )
}

/// What the fake GitHub accepts.
pub(super) const GITHUB_TOKEN: &str = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";

/// A secret with characters that encodings change.
pub(super) const SECRET: &str = "s3cret/Key+of=acme_4f9d81c2~77";

/// A function for scripts: `step NAME` says that the script has come so far, and waits until the test lets it go on.
const STEP: &str = "step() { mkfifo \"$1.go\"; : > \"$1\"; cat \"$1.go\" > /dev/null; }\n";

/// For scripts: their clients are captured on the way, as those that honour no variables.
pub(super) const WITHOUT_PROXY: &str =
    "unset HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy\n";
