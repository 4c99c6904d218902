//! The command line of `ringfence token`.

use clap::{Args, Subcommand};
use ringfence_model::TokenId;

#[derive(Debug, Args)]
pub(crate) struct TokenArguments {
    #[command(subcommand)]
    pub(crate) verb: TokenVerb,
}

#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  ringfence token list
  ringfence token revoke 0192f0c1-…
  grep -o 'rf_[A-Za-z0-9_-]*' leaked.log | head -1 | ringfence token find

Tokens are issued by `ringfence run` for its own sandbox, as profiles say, and end with the run.")]
pub(crate) enum TokenVerb {
    /// List the tokens that sandboxes hold.
    List {
        /// Those that ended as well.
        #[arg(long)]
        all: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Tell whose a token is, that was found somewhere. It is read from standard input.
    Find {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Take a token back. The sandbox that holds it notices at once.
    Revoke {
        /// Its id, as `token list` shows it.
        id: TokenId,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}
