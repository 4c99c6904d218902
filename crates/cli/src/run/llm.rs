//! Where programs in a sandbox find language models and MCP servers: the base URLs that their
//! libraries read from the environment, and the settings of agents that read none. A convenience;
//! what holds is what the gateway decides.

use std::path::{Path, PathBuf};

use ringfence_model::RunId;
use ringfence_model::llm::{LlmProvider, ProviderKind};
use ringfence_model::mcp::ServerName;
use ringfence_model::traceparent;
use serde_json::{Map, Value, json};

use super::agents::Told;

/// The gateway's own name for language models. The way there leads through the sandbox's loopback
/// alone, so it needs no TLS.
const SHORT: &str = "http://llm.ringfence.internal";

/// Where the gateway hears what agents tell of themselves. For spans alone: the variable for all
/// kinds of telemetry would switch on what other programs keep to themselves without it.
const SPANS: &str = "http://otel.ringfence.internal/v1/traces";

/// What a run adds for its agents.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) environment: Vec<(String, String)>,
    pub(super) files: Vec<(PathBuf, Vec<u8>)>,
}

/// The settings for the providers and the MCP servers that rules name. The first provider of each
/// dialect is the one that programs find by themselves.
pub(super) fn settings(
    (providers, servers): (&[LlmProvider], &[ServerName]),
    run: RunId,
    home: &Path,
) -> Settings {
    let mut settings = Settings::default();
    let first = |kind: ProviderKind| {
        let mut of_kind = providers.iter().filter(|it| it.kind == kind);
        let named = of_kind.clone().find(|it| it.name.as_str() == usual(kind));
        named.or_else(|| of_kind.next())
    };
    for kind in KINDS {
        if let Some(provider) = first(kind) {
            settings.add(kind, &base(provider));
        }
    }
    let told = Told {
        openai: first(ProviderKind::Openai).map(base),
        is_gemini: first(ProviderKind::Gemini).is_some(),
        opencode: opencode(&first),
        servers,
    };
    settings.files = told.files(home);
    if let Some(opencode) = told.opencode() {
        settings.set("OPENCODE_CONFIG_CONTENT", &opencode);
    }
    if !providers.is_empty() {
        settings.trace(run);
    }
    settings
}

/// The dialects that programs know by base URLs.
const KINDS: [ProviderKind; 5] = [
    ProviderKind::Anthropic,
    ProviderKind::Openai,
    ProviderKind::Gemini,
    ProviderKind::AzureOpenai,
    ProviderKind::Bedrock,
];

/// The provider that gave the dialect its name.
const fn usual(kind: ProviderKind) -> &'static str {
    match kind {
        ProviderKind::Anthropic => "anthropic",
        ProviderKind::Openai => "openai",
        ProviderKind::Gemini => "gemini",
        ProviderKind::AzureOpenai => "azure-openai",
        ProviderKind::Bedrock => "bedrock",
        ProviderKind::Vertex => "vertex",
    }
}

/// Where a provider is for programs in the sandbox, its base path included.
fn base(provider: &LlmProvider) -> String {
    format!("{SHORT}/{}{}", provider.name, provider.base_path)
}

impl Settings {
    /// Has the agents tell of their own work that do so in the trace of the run, and in few words:
    /// Claude Code. Its spans are sent when it has time, and it works as well where they are refused.
    pub(super) fn hear(&mut self, providers: &[LlmProvider]) {
        let is_known = |it: &LlmProvider| it.kind == ProviderKind::Anthropic;
        if !providers.iter().any(is_known) {
            return;
        }
        for (name, value) in [
            ("CLAUDE_CODE_ENABLE_TELEMETRY", "1"),
            ("CLAUDE_CODE_ENHANCED_TELEMETRY_BETA", "1"),
            ("OTEL_TRACES_EXPORTER", "otlp"),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", SPANS),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"),
        ] {
            self.set(name, value);
        }
    }

    fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    fn add(&mut self, kind: ProviderKind, base: &str) {
        match kind {
            ProviderKind::Anthropic => {
                self.set("ANTHROPIC_BASE_URL", base);
                // Telemetry, updates and feature flags of Claude Code go to hosts that no rule names.
                self.set("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1");
            }
            ProviderKind::Openai => {
                self.set("OPENAI_BASE_URL", base);
                self.set("OPENAI_API_BASE", base);
            }
            ProviderKind::Gemini => self.set("GOOGLE_GEMINI_BASE_URL", base),
            ProviderKind::AzureOpenai => self.set("AZURE_OPENAI_ENDPOINT", base),
            ProviderKind::Bedrock => self.set("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", base),
            ProviderKind::Vertex => {}
        }
    }

    /// What makes Claude Code say which of its steps a request belongs to.
    fn trace(&mut self, run: RunId) {
        self.set("TRACEPARENT", &traceparent(run));
        for name in [
            "CLAUDE_CODE_PROPAGATE_TRACEPARENT",
            "CLAUDE_CODE_GATEWAY_HINT_HEADERS",
        ] {
            self.set(name, "1");
        }
    }
}

/// Providers for opencode, which reads no base URL from the environment.
fn opencode<'a>(first: &dyn Fn(ProviderKind) -> Option<&'a LlmProvider>) -> Map<String, Value> {
    let mut providers = Map::new();
    for (kind, name, key, version) in [
        (
            ProviderKind::Anthropic,
            "anthropic",
            "ANTHROPIC_AUTH_TOKEN",
            "/v1",
        ),
        (ProviderKind::Openai, "openai", "OPENAI_API_KEY", ""),
        (ProviderKind::Gemini, "google", "GEMINI_API_KEY", "/v1beta"),
    ] {
        if let Some(provider) = first(kind) {
            let options = json!({
                "baseURL": format!("{}{version}", base(provider)),
                "apiKey": format!("{{env:{key}}}"),
            });
            providers.insert(name.to_owned(), json!({ "options": options }));
        }
    }
    providers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builtin(names: &[&str]) -> Vec<LlmProvider> {
        let mut all = LlmProvider::builtin();
        all.retain(|it| names.contains(&it.name.as_str()));
        all
    }

    fn value<'a>(settings: &'a Settings, name: &str) -> Option<&'a str> {
        let mut all = settings.environment.iter();
        all.find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    #[test]
    fn nothing_is_set_where_no_rule_is_about_models() {
        assert_eq!(
            settings((&[], &[]), RunId::new(), Path::new("/home/a")),
            Settings::default()
        );
    }

    #[test]
    fn each_dialect_is_found_by_its_own_variable() {
        let settings = settings(
            (&builtin(&["anthropic", "openai", "gemini"]), &[]),
            RunId::new(),
            Path::new("/home/a"),
        );
        for (name, url) in [
            (
                "ANTHROPIC_BASE_URL",
                "http://llm.ringfence.internal/anthropic",
            ),
            ("OPENAI_BASE_URL", "http://llm.ringfence.internal/openai/v1"),
            (
                "GOOGLE_GEMINI_BASE_URL",
                "http://llm.ringfence.internal/gemini",
            ),
        ] {
            assert_eq!(value(&settings, name), Some(url));
        }
        assert_eq!(settings.files.len(), 2);
    }

    #[test]
    fn the_provider_of_the_dialects_name_comes_first() {
        let settings = settings(
            (&builtin(&["groq", "openai", "mistral"]), &[]),
            RunId::new(),
            Path::new("/home/a"),
        );
        assert_eq!(
            value(&settings, "OPENAI_BASE_URL"),
            Some("http://llm.ringfence.internal/openai/v1")
        );
        let settings = super::settings(
            (&builtin(&["groq"]), &[]),
            RunId::new(),
            Path::new("/home/a"),
        );
        assert_eq!(
            value(&settings, "OPENAI_BASE_URL"),
            Some("http://llm.ringfence.internal/groq/openai/v1")
        );
    }

    #[test]
    fn only_agents_that_tell_in_the_trace_of_the_run_are_asked_to() {
        let home = Path::new("/home/a");
        for (names, expected) in [
            (&["anthropic"][..], Some(SPANS)),
            (&["openai", "gemini"], None),
        ] {
            let providers = builtin(names);
            let mut settings = settings((&providers, &[]), RunId::new(), home);
            let endpoint = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
            assert_eq!(value(&settings, endpoint), None);
            settings.hear(&providers);
            assert_eq!(value(&settings, endpoint), expected);
            assert_eq!(value(&settings, "OTEL_EXPORTER_OTLP_ENDPOINT"), None);
        }
    }

    #[test]
    fn a_program_that_is_not_asked_about_is_told_nothing() {
        let settings = settings(
            (&builtin(&["anthropic"]), &[]),
            RunId::new(),
            Path::new("/home/a"),
        );
        assert_eq!(value(&settings, "OPENAI_BASE_URL"), None);
        assert!(settings.files.is_empty());
    }
}
