//! The command line of `ringfence inspect`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(crate) struct InspectArguments {
    #[command(subcommand)]
    pub(crate) verb: InspectVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum InspectVerb {
    /// Remove known secrets, in any encoding, from what is read.
    #[command(after_help = "Examples:
  ringfence inspect scrub --value-file token.txt < trace.log > clean.log
  printf '%s\\n' '{\"id\":1,\"text\":\"Bearer s3cret-value\",\"known\":[\"s3cret-value\"]}' | ringfence inspect scrub --jsonl

A value is found as it is and as base64, hexadecimal, percent-encoding, JSON or HTML escapes.")]
    Scrub(ScrubArguments),
    /// Find what looks like a secret in what is read.
    #[command(after_help = "Examples:
  ringfence inspect secrets < app.env
  printf '%s\\n' '{\"id\":1,\"text\":\"nothing\"}' | ringfence inspect secrets --jsonl

Prints LINE: RULE for each finding, never what was found. The text is read as it is: nothing is decoded.")]
    Secrets(SecretsArguments),
}

#[derive(Debug, Args)]
pub(crate) struct SecretsArguments {
    /// Read one JSON object a line, {"id", "text"}, and write {"id", "score", "findings"}; the
    /// score is 1 where something was found, else 0.
    #[arg(long)]
    pub(crate) jsonl: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ScrubArguments {
    /// A file that holds one value to remove; a line end behind it is not part of it. May be given
    /// several times.
    #[arg(long = "value-file", value_name = "FILE")]
    pub(crate) values: Vec<PathBuf>,
    /// Read one JSON object a line, {"id", "text", "known": [VALUES]}, and write {"id", "text"}.
    #[arg(long)]
    pub(crate) jsonl: bool,
}
