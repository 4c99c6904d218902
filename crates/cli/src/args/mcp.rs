//! The command line of `ringfence mcp`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use ringfence_model::CredentialName;
use ringfence_model::mcp::ServerName;
use ringfence_policy::{BaseUrl, Cidr};

#[derive(Debug, Args)]
pub(crate) struct McpArguments {
    #[command(subcommand)]
    pub(crate) verb: McpVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum McpVerb {
    /// Describe servers that rules can name.
    Server(ServerArguments),
    /// Log in to a server that wants OAuth, and seal the tokens as the credential that its profile names.
    #[command(after_help = "Examples:
  ringfence mcp login salesforce
  ringfence mcp login salesforce --browser --scope 'mcp refresh_token'
  ringfence mcp login github --client-id Iv1.8a61f9b3a7aba766 --client-secret-file secret.txt --port 38080
  ringfence mcp login build --client-id ci --client-secret-file secret.txt --client-credentials
  ringfence mcp login tracker --no-listen    # a browser on another machine

The tokens stay outside of every sandbox: agents use the server as before, and the gateway puts them in. They are renewed
without you for as long as the authorization server allows; after that, requests are denied and say to log in again.")]
    Login(Box<LoginArguments>),
    /// End a login: give the tokens back, and remove them from the store.
    #[command(after_help = "Examples:
  ringfence mcp logout salesforce")]
    Logout {
        #[command(flatten)]
        chosen: ChosenArguments,
    },
    /// Show what is known of a server: its definitions, and which of them wait for a person.
    #[command(after_help = "Examples:
  ringfence mcp tools salesforce
  ringfence mcp tools salesforce --json

What is shown is what the server said when it was looked at last, by a run.")]
    Tools {
        #[command(flatten)]
        chosen: ChosenArguments,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show how what a server says differs from what was accepted.
    #[command(after_help = "Examples:
  ringfence mcp diff salesforce

The exit code is 0 where nothing waits and 77 where something does.")]
    Diff {
        #[command(flatten)]
        chosen: ChosenArguments,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Accept what waits of a server: all of it, or the definitions of these names.
    #[command(after_help = "Examples:
  ringfence mcp approve salesforce --seen 3f0c9a5be2d14c7790a6be21c45fd308
  ringfence mcp approve salesforce query describe_object

Runs that are under way see it at their next call.")]
    Approve {
        #[command(flatten)]
        chosen: ChosenArguments,
        /// Names of definitions [default: all that wait].
        names: Vec<String>,
        /// Accept only what `ringfence mcp diff` has shown, by the mark that it prints; nothing where the server has said something else since.
        #[arg(long, value_name = "MARK")]
        seen: Option<String>,
    },
    /// Forget what was accepted of a server: what it says next is what is seen first.
    Forget {
        #[command(flatten)]
        chosen: ChosenArguments,
    },
    /// Read a file that describes tools, or an API, as a server would, and list the tools.
    #[command(after_help = "Examples:
  ringfence mcp check tools.yaml
  ringfence mcp check openapi.json --json")]
    Check {
        /// A file of `kind: Tools`, or an OpenAPI description.
        file: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Serve tools on standard input and output, inside of a sandbox.
    #[command(hide = true)]
    Serve,
}

/// A server.
#[derive(Debug, Args)]
pub(crate) struct ChosenArguments {
    /// The server, as rules name it.
    pub(crate) server: ServerName,
    /// A profile that describes it, beside your own: a file, one of yours, or a built-in one. May be given several times.
    #[arg(long = "profile", value_name = "NAME|FILE")]
    pub(crate) profiles: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ServerArguments {
    #[command(subcommand)]
    pub(crate) verb: ServerVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ServerVerb {
    /// Describe a server, in your own profile or another one.
    #[command(after_help = "Examples:
  ringfence mcp server add salesforce --url https://mcp.corp.example/mcp --credential salesforce
  ringfence mcp server add local --url http://host.ringfence.internal:8000/mcp
  ringfence mcp server add files --sandbox offline -- mcp-server-filesystem .

Rules that name it stand in the same profile. Agents reach it at http://mcp.ringfence.internal/NAME.")]
    Add(Box<AddArguments>),
    /// List the servers that rules can name.
    List {
        /// A profile to look into as well. May be given several times.
        #[arg(long = "profile", value_name = "NAME|FILE")]
        profiles: Vec<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Take a server out of a profile.
    Remove {
        /// Its name.
        name: ServerName,
        /// The profile that it stands in [default: your own].
        #[arg(long, value_name = "NAME|FILE")]
        profile: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct AddArguments {
    /// Its name in rules and in http://mcp.ringfence.internal/NAME.
    pub(crate) name: ServerName,
    /// Its endpoint (Streamable HTTP).
    #[arg(long, required_unless_present = "command", conflicts_with_all = ["command", "sandbox"])]
    pub(crate) url: Option<BaseUrl>,
    /// The profile of the server's own sandbox, for a server that Ringfence starts.
    #[arg(long, value_name = "NAME|FILE", requires = "command")]
    pub(crate) sandbox: Option<String>,
    /// The credential for it, where a rule names none.
    #[arg(long, value_name = "NAME")]
    pub(crate) credential: Option<CredentialName>,
    /// A network that the host may resolve into [default: public addresses]. May be given several times.
    #[arg(long = "address", value_name = "CIDR")]
    pub(crate) addresses: Vec<Cidr>,
    /// The profile to change [default: your own].
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) profile: Option<String>,
    /// The program that speaks the protocol over standard input and output, and its arguments.
    #[arg(last = true, value_name = "CMD", requires = "sandbox")]
    pub(crate) command: Vec<String>,
}

/// How to log in.
#[derive(Debug, Args)]
pub(crate) struct LoginArguments {
    #[command(flatten)]
    pub(crate) chosen: ChosenArguments,
    /// The client, as a person registered it with the authorization server [default: register one now].
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: Option<String>,
    /// The client has a secret: read it from standard input, or ask for it.
    #[arg(long, requires = "client_id")]
    pub(crate) client_secret: bool,
    /// The client has a secret, in this file.
    #[arg(
        long,
        value_name = "FILE",
        requires = "client_id",
        conflicts_with = "client_secret"
    )]
    pub(crate) client_secret_file: Option<PathBuf>,
    /// The client describes itself at this URL, where the authorization server reads such documents.
    #[arg(long, value_name = "URL", conflicts_with = "client_id")]
    pub(crate) client_metadata_url: Option<String>,
    /// The authorization server [default: the one that the server names].
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,
    /// The scopes to ask for, separated by spaces [default: those that the server wants].
    #[arg(long, value_name = "SCOPES")]
    pub(crate) scope: Option<String>,
    /// The port of 127.0.0.1 that the browser comes back to, for a client that is registered with one [default: any].
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: Option<u16>,
    /// Open the browser, by xdg-open.
    #[arg(long)]
    pub(crate) browser: bool,
    /// Wait for no browser: read the address that it was led to at the end from standard input.
    #[arg(long, conflicts_with = "browser")]
    pub(crate) no_listen: bool,
    /// Log in on another device, with a code.
    #[arg(long, conflicts_with_all = ["browser", "no_listen", "port"])]
    pub(crate) device: bool,
    /// Log in as the client itself, with its secret.
    #[arg(long, requires = "client_id", conflicts_with_all = ["browser", "no_listen", "port", "device"])]
    pub(crate) client_credentials: bool,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
