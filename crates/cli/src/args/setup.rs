//! The command line of `ringfence setup`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::run::agents::ClientKind;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_help = "Examples:
  ringfence setup claude-code                      asks for the key of Anthropic's API
  ringfence setup codex --file key.txt             takes it from a file
  ringfence run --profile claude-code -- claude    afterwards
  ringfence setup mcp --client vscode              prints where a client finds MCP servers

The key is sealed in the store of this machine and bound to the provider's host. No sandbox sees it:
there, the agent has a token that is worth nothing elsewhere.")]
pub(crate) struct SetupArguments {
    #[command(subcommand)]
    pub(crate) verb: Option<SetupVerb>,
    /// The agent.
    #[arg(required = true)]
    pub(crate) agent: Option<AgentKind>,
    /// Read the key from a file rather than from standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SetupVerb {
    /// Print the settings by which a client finds the MCP servers that rules name.
    #[command(after_help = "Examples:
  ringfence setup mcp --client vscode --profile tickets > .vscode/mcp.json
  ringfence setup mcp --client json

Nothing is written. In a sandbox, Claude Code, Codex, Gemini CLI and opencode have their settings already.")]
    Mcp(SetupMcpArguments),
}

#[derive(Debug, Args)]
pub(crate) struct SetupMcpArguments {
    /// The client.
    #[arg(long)]
    pub(crate) client: ClientKind,
    /// A profile, beside your own: a file, one of yours, or a built-in one. May be given several times.
    #[arg(long = "profile", value_name = "NAME|FILE")]
    pub(crate) profiles: Vec<String>,
    /// The agent whose rules count.
    #[arg(long = "agent", default_value = "local", value_name = "NAME")]
    pub(crate) of: ringfence_model::AgentName,
}

/// A coding agent that there is a profile for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AgentKind {
    /// Claude Code, with Anthropic's models.
    ClaudeCode,
    /// Codex CLI, with OpenAI's models.
    Codex,
    /// Gemini CLI, with Google's models.
    GeminiCli,
    /// opencode, with Anthropic's models.
    Opencode,
}
