//! A person's machine with keys of providers on it.

use ringfence_e2e::{Ended, Host};
use ringfence_testkit::Ca;
use ringfence_testkit::llm::{HOSTS, Provider};
use serde_json::Value;

/// What the provider accepts, and no sandbox ever sees.
pub(super) const KEY: &str = "sk-real-Zq8mLw3TxV7pRb2NcKd5";

/// The machine. Its gateway finds every provider at the one that is there.
pub(super) struct Lab {
    pub(super) host: Host,
    pub(super) provider: Provider,
}

impl Lab {
    pub(super) fn new() -> Self {
        let mut host = Host::new();
        let ca = Ca::new(host.workdir()).unwrap();
        host.trust(&ca);
        let provider = Provider::start(host.workdir(), &ca, KEY).unwrap();
        for name in HOSTS {
            host.name(name, provider.address());
        }
        let lab = Self { host, provider };
        for (name, kind, host, field) in [
            ("anthropic", "header", HOSTS[0], Some("name=x-api-key")),
            ("openai", "bearer", HOSTS[1], None),
            ("gemini", "header", HOSTS[2], Some("name=x-goog-api-key")),
        ] {
            let mut arguments = vec!["credential", "add", name, "--kind", kind, "--host", host];
            arguments.extend(field.iter().flat_map(|field| ["--set", *field]));
            let ended = lab.host.ringfence_reading(&arguments, KEY);
            assert_eq!(ended.code, 0, "{ended}");
        }
        lab
    }

    /// A machine with the profile `models`, whose rules for the three providers have these further fields.
    pub(super) fn with(fields: &str) -> Self {
        let lab = Self::new();
        lab.rules(fields);
        lab
    }

    /// Writes the profile `models` anew.
    pub(super) fn rules(&self, fields: &str) {
        self.host.profile("models", &profile(fields));
    }

    /// Runs a script in a sandbox by the profile `models`.
    pub(super) fn sh(&self, script: &str) -> Ended {
        let script = format!("{FUNCTIONS}\n{script}");
        self.host.run().profile("models").sh(&script)
    }

    /// What reached the provider so far.
    pub(super) fn requests(&self) -> Vec<Value> {
        self.provider.requests().unwrap()
    }

    /// The events about language models so far, oldest first.
    pub(super) fn events(&self) -> Vec<Value> {
        let mut events = self.host.events();
        events.retain(|event| event["action"]["kind"] == "llm");
        events.sort_by_key(|event| event["time"].as_str().unwrap_or_default().to_owned());
        events
    }
}

fn profile(fields: &str) -> String {
    let mut text = "apiVersion: ringfence/v1\nkind: Profile\nname: models\ntokens:\n".to_owned();
    for (variable, name) in [
        ("ANTHROPIC_AUTH_TOKEN", "anthropic"),
        ("OPENAI_API_KEY", "openai"),
        ("GEMINI_API_KEY", "gemini"),
    ] {
        text.push_str(&format!(
            "  - {{env: [{variable}], credentials: [{name}]}}\n"
        ));
    }
    text.push_str("llm:\n");
    for name in ["anthropic", "openai", "gemini"] {
        let comma = if fields.is_empty() { "" } else { ", " };
        text.push_str(&format!(
            "  - allow: {{id: {name}, provider: {name}, credential: {name}, tokenRequired: true{comma}{fields}}}\n"
        ));
    }
    text
}

/// Functions for scripts: each asks one dialect for an answer, at the provider's own name and at the gateway's short one.
pub(super) const FUNCTIONS: &str = r#"
ask() { curl -sS --max-time 60 -H 'Content-Type: application/json' "$@"; echo; }
claude() { ask "${BASE:-$ANTHROPIC_BASE_URL}/v1/messages" -H "x-api-key: $ANTHROPIC_AUTH_TOKEN" -H 'anthropic-version: 2023-06-01' -d "$1"; }
chat() { ask "${BASE:-$OPENAI_BASE_URL}/chat/completions" -H "Authorization: Bearer $OPENAI_API_KEY" -d "$1"; }
responses() { ask "${BASE:-$OPENAI_BASE_URL}/responses" -H "Authorization: Bearer $OPENAI_API_KEY" -d "$1"; }
gemini() { ask "${BASE:-$GOOGLE_GEMINI_BASE_URL}/v1beta/models/$1" -H "x-goog-api-key: $GEMINI_API_KEY" -d "$2"; }
"#;
