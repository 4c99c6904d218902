//! Settings of coding agents: how they find the language models and the MCP servers that rules
//! name. They stand in files of the sandbox's own and in one variable, never in the workspace, and
//! hold no secret.

use std::path::{Path, PathBuf};

use ringfence_model::mcp::ServerName;
use serde_json::{Map, Value, json};

/// The gateway's own name for MCP servers. The way there leads through the sandbox's loopback
/// alone, so it needs no TLS.
const SERVERS: &str = "http://mcp.ringfence.internal";
/// The same, for a client that takes nothing else.
const SERVERS_IN_TLS: &str = "https://mcp.ringfence.internal";

/// An agent, or another client of the Model Context Protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ClientKind {
    /// Claude Code: its managed settings.
    ClaudeCode,
    /// Codex CLI: `config.toml`.
    Codex,
    /// Gemini CLI: `settings.json`.
    GeminiCli,
    /// opencode: `opencode.json`.
    Opencode,
    /// Visual Studio Code: `mcp.json`.
    Vscode,
    /// Cursor: `mcp.json`.
    Cursor,
    /// Any that reads `.mcp.json`.
    Json,
}

/// What agents are told, before it is written down in their own ways.
#[derive(Debug, Default)]
pub(super) struct Told<'a> {
    /// The base URL of a provider of `OpenAI`'s dialect.
    pub(super) openai: Option<String>,
    /// Whether there is a provider of Gemini's dialect.
    pub(super) is_gemini: bool,
    /// Providers, as opencode names and describes them.
    pub(super) opencode: Map<String, Value>,
    pub(super) servers: &'a [ServerName],
}

impl Told<'_> {
    fn is_nothing(&self) -> bool {
        self.servers.is_empty() && self.opencode.is_empty()
    }

    /// The files, by their places in the sandbox.
    pub(super) fn files(&self, home: &Path) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        let mut file = |path: PathBuf, content: String| files.push((path, content.into_bytes()));
        if self.openai.is_some() || !self.servers.is_empty() {
            file(PathBuf::from(CODEX), self.codex());
        }
        if self.is_gemini || !self.servers.is_empty() {
            // Settings for the whole system it reads only where root owns them.
            file(home.join(GEMINI), self.gemini().to_string());
        }
        if !self.servers.is_empty() {
            let content = config(ClientKind::ClaudeCode, self.servers);
            file(PathBuf::from(CLAUDE), content);
        }
        files
    }

    fn codex(&self) -> String {
        let models = self.openai.as_deref().map(models_of_codex);
        models.unwrap_or_default() + &servers_of_codex(self.servers)
    }

    fn gemini(&self) -> Value {
        let mut settings = servers_of_gemini(self.servers);
        // What it would call by itself is switched off.
        settings.insert(
            "privacy".to_owned(),
            json!({"usageStatisticsEnabled": false}),
        );
        let updates = json!({"enableAutoUpdate": false, "enableAutoUpdateNotification": false});
        settings.insert("general".to_owned(), updates);
        if self.is_gemini {
            // The key in the environment signs in.
            let auth = json!({"auth": {"selectedType": "gemini-api-key"}});
            settings.insert("security".to_owned(), auth);
        }
        Value::Object(settings)
    }

    /// What opencode reads from its variable; none where there is nothing to say.
    pub(super) fn opencode(&self) -> Option<String> {
        if self.is_nothing() {
            return None;
        }
        let mut settings = servers_of_opencode(self.servers);
        settings.insert("autoupdate".to_owned(), json!(false));
        settings.insert("share".to_owned(), json!("disabled"));
        settings.insert("provider".to_owned(), json!(self.opencode));
        Some(Value::Object(settings).to_string())
    }
}

/// A file of settings that Claude Code takes from whoever runs the machine: servers in it are there
/// beside the person's own, without a question.
const CLAUDE: &str = "/etc/claude-code/managed-settings.d/ringfence.json";
const CODEX: &str = "/etc/codex/config.toml";
/// Below the home directory.
const GEMINI: &str = ".gemini/settings.json";

/// The settings of a client for these servers, as a person would write them.
pub(crate) fn config(client: ClientKind, servers: &[ServerName]) -> String {
    let value = match client {
        ClientKind::Codex => return servers_of_codex(servers),
        ClientKind::ClaudeCode => {
            let entry = |server: &ServerName| {
                let url = format!("{SERVERS_IN_TLS}/{server}");
                (server.to_string(), json!({"type": "http", "url": url}))
            };
            let entries: Map<String, Value> = servers.iter().map(entry).collect();
            json!({"managedMcpServers": entries})
        }
        ClientKind::GeminiCli => Value::Object(servers_of_gemini(servers)),
        ClientKind::Opencode => Value::Object(servers_of_opencode(servers)),
        ClientKind::Vscode => {
            let entry = |url| json!({"type": "http", "url": url});
            json!({"servers": each(servers, entry)})
        }
        ClientKind::Cursor => json!({"mcpServers": each(servers, |url| json!({"url": url}))}),
        ClientKind::Json => {
            let entry = |url| json!({"type": "http", "url": url});
            json!({"mcpServers": each(servers, entry)})
        }
    };
    // It is made of texts alone.
    serde_json::to_string_pretty(&value).unwrap_or_default() + "\n"
}

/// Where a client reads its settings.
pub(crate) const fn place(client: ClientKind) -> &'static str {
    match client {
        ClientKind::ClaudeCode => CLAUDE,
        ClientKind::Codex => "/etc/codex/config.toml, or ~/.codex/config.toml",
        ClientKind::GeminiCli => "~/.gemini/settings.json, or .gemini/settings.json of a project",
        ClientKind::Opencode => "~/.config/opencode/opencode.json, or opencode.json of a project",
        ClientKind::Vscode => ".vscode/mcp.json of a project",
        ClientKind::Cursor => "~/.cursor/mcp.json, or .cursor/mcp.json of a project",
        ClientKind::Json => ".mcp.json of a project",
    }
}

/// Whether a sandbox has the settings without anybody's doing.
pub(crate) const fn is_told(client: ClientKind) -> bool {
    matches!(
        client,
        ClientKind::ClaudeCode | ClientKind::Codex | ClientKind::GeminiCli | ClientKind::Opencode
    )
}

/// Where a server is for programs in the sandbox.
fn url(server: &ServerName) -> String {
    format!("{SERVERS}/{server}")
}

/// An object with an entry for each server.
fn each(servers: &[ServerName], entry: impl Fn(String) -> Value) -> Value {
    let entries = servers
        .iter()
        .map(|server| (server.to_string(), entry(url(server))));
    Value::Object(entries.collect())
}

fn models_of_codex(base: &str) -> String {
    format!(
        "model_provider = \"ringfence\"\n\
         web_search = \"disabled\"\n\
         check_for_update_on_startup = false\n\n\
         [analytics]\nenabled = false\n\n\
         [model_providers.ringfence]\n\
         name = \"OpenAI through Ringfence\"\n\
         base_url = \"{base}\"\n\
         env_key = \"OPENAI_API_KEY\"\n\
         wire_api = \"responses\"\n"
    )
}

/// Names of servers are plain enough to be keys as they are.
fn servers_of_codex(servers: &[ServerName]) -> String {
    let table = |server| format!("\n[mcp_servers.{server}]\nurl = \"{}\"\n", url(server));
    servers.iter().map(table).collect()
}

fn servers_of_gemini(servers: &[ServerName]) -> Map<String, Value> {
    let servers = each(servers, |url| json!({"httpUrl": url}));
    Map::from_iter([("mcpServers".to_owned(), servers)])
}

fn servers_of_opencode(servers: &[ServerName]) -> Map<String, Value> {
    // It would look for a place to log in otherwise.
    let entry = |url| json!({"type": "remote", "url": url, "oauth": false});
    Map::from_iter([
        (
            "$schema".to_owned(),
            json!("https://opencode.ai/config.json"),
        ),
        ("mcp".to_owned(), each(servers, entry)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<ServerName> {
        let names = names.iter();
        names.map(|name| ServerName::new(name).unwrap()).collect()
    }

    #[test]
    fn nothing_is_written_where_no_rule_is_about_anything() {
        let told = Told::default();
        assert_eq!(told.files(Path::new("/home/a")), []);
        assert_eq!(told.opencode(), None);
    }

    #[test]
    fn every_client_reads_the_address_of_every_server_and_nothing_else_of_it() {
        let servers = names(&["tracker", "azure-devops-2"]);
        for client in <ClientKind as clap::ValueEnum>::value_variants() {
            let text = config(*client, &servers);
            for server in &servers {
                assert_eq!(
                    text.matches(&format!("://mcp.ringfence.internal/{server}\""))
                        .count(),
                    1,
                    "{text}"
                );
            }
            match client {
                ClientKind::Codex => drop(text.parse::<toml::Table>().unwrap()),
                _ => drop(serde_json::from_str::<Value>(&text).unwrap()),
            }
        }
    }

    #[test]
    fn servers_and_models_stand_in_one_file() {
        let servers = names(&["tracker"]);
        let told = Told {
            openai: Some("http://llm.ringfence.internal/openai/v1".to_owned()),
            is_gemini: true,
            servers: &servers,
            ..Told::default()
        };
        let table: toml::Table = told.codex().parse().unwrap();
        assert_eq!(table["model_provider"].as_str(), Some("ringfence"));
        let url = table["mcp_servers"]["tracker"]["url"].as_str();
        assert_eq!(url, Some("http://mcp.ringfence.internal/tracker"));
        let gemini = told.gemini();
        assert_eq!(gemini["security"]["auth"]["selectedType"], "gemini-api-key");
        assert!(gemini["mcpServers"]["tracker"]["httpUrl"].is_string());
    }

    #[test]
    fn no_file_lies_where_a_project_could() {
        let servers = names(&["tracker"]);
        let told = Told {
            servers: &servers,
            ..Told::default()
        };
        for (path, _) in told.files(Path::new("/home/a")) {
            assert!(
                path.starts_with("/etc") || path.starts_with("/home/a/.gemini"),
                "{path:?}"
            );
        }
    }
}
