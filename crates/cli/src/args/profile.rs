//! The command line of `ringfence profile`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(crate) struct ProfileArguments {
    #[command(subcommand)]
    pub(crate) verb: ProfileVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProfileVerb {
    /// List the profiles that can be named: your own and the built-in ones, and the presets.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show a profile, or what can be set in a preset.
    Show {
        /// The name of a profile or preset, or a file.
        name: String,
    },
    /// Fill in a preset and keep it as a profile of your own.
    #[command(after_help = "Examples:
  ringfence profile new github-pr --set repos=acme/web
  ringfence run --profile github-pr -- gh pr create --fill

  ringfence profile new salesforce --set host=acme.my.salesforce.com --output - | less")]
    New {
        /// The preset.
        preset: String,
        /// A setting of it; `ringfence profile show PRESET` tells which there are.
        #[arg(long = "set", value_name = "KEY=VALUE", value_parser = setting)]
        settings: Vec<(String, String)>,
        /// Where to write it; - is standard output [default: profiles/PRESET.yaml in your
        /// configuration].
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Replace a file that is there.
        #[arg(long)]
        force: bool,
    },
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| "a setting is written KEY=VALUE".to_owned())?;
    Ok((name.to_owned(), value.to_owned()))
}
