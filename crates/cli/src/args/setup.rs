//! The command line of `ringfence setup`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ringfence setup claude-code                      asks for the key of Anthropic's API
  ringfence setup codex --file key.txt             takes it from a file
  ringfence run --profile claude-code -- claude    afterwards

The key is sealed in the store of this machine and bound to the provider's host. No sandbox sees it:
there, the agent has a token that is worth nothing elsewhere.")]
pub(crate) struct SetupArguments {
    /// The agent.
    pub(crate) agent: AgentKind,
    /// Read the key from a file rather than from standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
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
