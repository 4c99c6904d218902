//! The command line of `ringfence credential`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use ringfence_control::credential::Kind;
use ringfence_control::source::SourceRef;
use ringfence_model::CredentialName;

#[derive(Debug, Args)]
pub(crate) struct CredentialArguments {
    #[command(subcommand)]
    pub(crate) verb: CredentialVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CredentialVerb {
    /// Seal a secret in the store, bound to the host that it is for.
    Add(AddArguments),
    /// List credentials, without their secrets.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show what a credential is, and where it is used.
    Show {
        /// Its name.
        name: CredentialName,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// See whether a credential can be had and, with a URL, whether the upstream takes it.
    #[command(after_help = "Examples:
  ringfence credential test github
  ringfence credential test github --url https://api.github.com/rate_limit

The exit code is 0 where the credential can be had and the upstream did not refuse it, 69 where
not, 77 where it is not for that URL.")]
    Test {
        /// Its name.
        name: CredentialName,
        /// Send a GET there with it. From here, not from a sandbox.
        #[arg(long, value_name = "URL")]
        url: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Give a credential a new secret. Running sandboxes use it from the next request on.
    Rotate(RotateArguments),
    /// Remove a credential's secret. Running sandboxes stop using it at once.
    Revoke {
        /// Its name.
        name: CredentialName,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Seal everything under a new master key.
    #[command(after_help = "Examples:
  ringfence credential rekey                      where the key is in a file: a new random one
  openssl rand -base64 32 > new.key
  ringfence credential rekey --file new.key       a key of your own

Where the master key comes from RINGFENCE_MASTER_KEY or a command, give the new one by --file or on
standard input, and change the variable or what the command prints afterwards.")]
    Rekey {
        /// The new master key: 32 octets in base64.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
#[command(after_help = ADD_EXAMPLES, after_long_help = format!("{ADD_EXAMPLES}\n\n{}", kinds()))]
pub(crate) struct AddArguments {
    /// The name that rules say.
    pub(crate) name: CredentialName,
    /// What it is made of; `--help` lists the kinds.
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Kind,
    /// The only host that it may be sent to, or *.DOMAIN; without a port, 443, or 22 for a key for SSH.
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(crate) host: String,
    /// The only paths: this one and those below it.
    #[arg(long, value_name = "PREFIX")]
    pub(crate) path: Option<String>,
    /// Send it in plain text, to a host that speaks no TLS; without a port, 80.
    #[arg(long)]
    pub(crate) plain_http: bool,
    #[command(flatten)]
    pub(crate) secret: SecretArguments,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ringfence credential rotate acme < new-token.txt
  ringfence credential rotate aws --set access_key=AKIA… --file new-key.txt")]
pub(crate) struct RotateArguments {
    /// Its name.
    pub(crate) name: CredentialName,
    #[command(flatten)]
    pub(crate) secret: SecretArguments,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Settings, and where the secret is read from.
#[derive(Debug, Default, Args)]
pub(crate) struct SecretArguments {
    /// A public setting of the kind, for example token_url=https://….
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = assignment)]
    pub(crate) settings: Vec<(String, String)>,
    /// Read the secret from a file.
    #[arg(long, value_name = "FILE", conflicts_with = "from")]
    pub(crate) file: Option<PathBuf>,
    /// Read one secret field from a file, whole. May be given several times.
    #[arg(long = "secret-file", value_name = "FIELD=FILE", value_parser = assignment, conflicts_with = "from")]
    pub(crate) secret_files: Vec<(String, String)>,
    /// Keep no secret: ask vault:…, command:/PROGRAM … or file:/PATH for it at use.
    #[arg(long, value_name = "SOURCE")]
    pub(crate) from: Option<SourceRef>,
}

const ADD_EXAMPLES: &str = "Examples:
  ringfence credential add acme --kind bearer --host api.acme.test < token.txt
  pass show acme | ringfence credential add acme --kind header --set name=x-api-key --host api.acme.test
  ringfence credential add forge --kind basic --set username=x-access-token --host github.com < pat.txt
  ringfence credential add gh --kind github-app --host api.github.com --set app_id=123 \\
      --set installation_id=456 --set repositories=web --set permissions=contents:read,pull_requests:write \\
      --file app.private-key.pem
  ringfence credential add crm --kind mtls --host crm.acme.test \\
      --secret-file private_key=key.pem --secret-file certificate=cert.pem
  ringfence credential add acme --kind bearer --host api.acme.test --from 'command:/usr/bin/pass show acme'

A secret is read from --file, --secret-file, standard input, or asked for at a terminal; never from the
command line. Kinds with several secrets take lines of FIELD=VALUE or a JSON object.";

/// Reads `KEY=VALUE`.
fn assignment(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("KEY=VALUE is wanted")?;
    if key.is_empty() {
        return Err("KEY=VALUE is wanted".to_owned());
    }
    Ok((key.to_owned(), value.to_owned()))
}

/// The kinds with their settings and secrets.
fn kinds() -> String {
    let mut text = "Kinds:\n".to_owned();
    for kind in Kind::ALL {
        text.push_str(&format!("  {kind}\n      {}\n", kind.about()));
        for field in kind.settings() {
            let optional = optional(field.is_required);
            text.push_str(&format!(
                "      --set {}=…{optional}: {}\n",
                field.name, field.about
            ));
        }
        for field in kind.secrets() {
            let optional = optional(field.is_required);
            text.push_str(&format!(
                "      secret {}{optional}: {}\n",
                field.name, field.about
            ));
        }
    }
    text
}

const fn optional(is_required: bool) -> &'static str {
    if is_required { "" } else { " (optional)" }
}
