//! The command line: a contract, so changes here are changes for scripts.

pub(crate) mod approval;
pub(crate) mod budget;
pub(crate) mod credential;
pub(crate) mod git;
pub(crate) mod inspect;
pub(crate) mod llm;
pub(crate) mod mcp;
pub(crate) mod profile;
pub(crate) mod setup;
pub(crate) mod token;
pub(crate) mod trace;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Run any agent with no way out but the ones that you allow.
#[derive(Debug, Parser)]
#[command(name = "ringfence", version, about, max_term_width = 100)]
#[command(after_help = "Examples:
  ringfence run -- bash                                a shell with no network at all
  ringfence run --allow example.com -- ./fetch.sh      one host, on ports 443 and 80
  ringfence run --profile package-build -- npm ci      a built-in profile
  ringfence denied                                     what was stopped, and how to allow it
  ringfence allow example.com:443                      allow it from now on
  ringfence prove                                      see that the sandbox holds on this machine")]
pub(crate) struct Arguments {
    /// The configuration file.
    #[arg(long, global = true, env = "RINGFENCE_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run a command in a sandbox of its own.
    Run(Box<RunArguments>),
    /// Try to escape from a sandbox, in every way that is known, and tell what stopped it.
    Prove(JsonArguments),
    /// Tell what this host supports, and what to do about what is missing.
    Doctor(JsonArguments),
    /// Run the gateway alone, as an explicit proxy for this machine.
    Gateway(GatewayArguments),
    /// Show what was tried and decided.
    Events(EventsArguments),
    /// Show what was denied, grouped, with what would allow it.
    Denied(DeniedArguments),
    /// Show what agents ask for, with the rules that would allow it.
    Proposals(ProposalsArguments),
    /// Show what an agent did, step by step, and send it to an OpenTelemetry collector.
    Trace(trace::TraceArguments),
    /// Allow a destination, in your own profile.
    Allow(AllowArguments),
    /// Check, test and explore policies.
    Policy(PolicyArguments),
    /// List what waits for a person: pushes, and calls of tools.
    Approvals(approval::ApprovalsArguments),
    /// Let one of them pass, exactly as it was tried: a push for a time, a call once.
    Approve(approval::ApproveArguments),
    /// Let one of them not pass, and take an approval back.
    #[command(visible_alias = "revoke")]
    Reject(approval::RejectArguments),
    /// Describe git servers, tell what an agent may do, decide on pushes that wait for a person.
    Git(git::GitArguments),
    /// Describe providers of language models, and tell what may be asked of them.
    Llm(llm::LlmArguments),
    /// Describe servers of the Model Context Protocol, and say what of theirs is accepted.
    Mcp(mcp::McpArguments),
    /// List profiles, and make one from a preset.
    Profile(profile::ProfileArguments),
    /// Get ready for a coding agent: its profile, and the key that it works with and never sees.
    Setup(setup::SetupArguments),
    /// Keep credentials that agents use and never see.
    Credential(credential::CredentialArguments),
    /// List and revoke the tokens that sandboxes hold in place of credentials.
    Token(token::TokenArguments),
    /// See what agents have spent on language models, and give budgets anew.
    Budget(budget::BudgetArguments),
    /// Review what an agent wrote into private copies.
    Overlay(OverlayArguments),
    /// Run the gateway's inspectors on what comes by standard input.
    Inspect(inspect::InspectArguments),
    #[command(name = "sandbox-attempts", hide = true)]
    SandboxAttempts,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ringfence run --profile coding-agent -- claude
  ringfence run --profile package-build -- npm ci
  ringfence run --overlay -- ./build.sh && ringfence overlay diff
  ringfence run --publish 3000 -- npm run dev

The exit code is the command's own; 64 is wrong usage, 77 a refusal by policy or the self-test.")]
pub(crate) struct RunArguments {
    /// A profile: a file, one of your own, or a built-in one. May be given several times.
    #[arg(long = "profile", value_name = "NAME|FILE")]
    pub(crate) profiles: Vec<String>,
    /// Allow a host for this run; without a port, 443 and 80.
    #[arg(long = "allow", value_name = "HOST[:PORT]")]
    pub(crate) allow: Vec<String>,
    /// The directory that the agent works in [default: the current one].
    #[arg(long, value_name = "DIR")]
    pub(crate) workspace: Option<PathBuf>,
    /// Let the agent read the workspace, not write it.
    #[arg(long, conflicts_with = "overlay")]
    pub(crate) read_only: bool,
    /// Keep the agent's writes in a private copy, for `ringfence overlay diff|apply|discard`.
    #[arg(long)]
    pub(crate) overlay: bool,
    /// Pass a variable on, or set it. The environment is empty otherwise.
    #[arg(long = "env", value_name = "K[=V]")]
    pub(crate) environment: Vec<String>,
    /// Show a further path of the host, read-only.
    #[arg(long = "read", value_name = "PATH")]
    pub(crate) read: Vec<PathBuf>,
    /// Do not show a path of the workspace, for example .env.
    #[arg(long = "hide", value_name = "PATH")]
    pub(crate) hide: Vec<PathBuf>,
    /// Reach a port of the sandbox from this machine's loopback.
    #[arg(long = "publish", value_name = "[PORT:]PORT")]
    pub(crate) publish: Vec<crate::run::publish::Published>,
    /// The agent's name in events and policies.
    #[arg(long, default_value = "local", value_name = "NAME")]
    pub(crate) agent: ringfence_model::AgentName,
    /// Most octets of memory, for example 4G; needs control groups.
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) memory: Option<u64>,
    /// Most processes and threads.
    #[arg(long, value_name = "COUNT", default_value_t = 4096)]
    pub(crate) processes: u64,
    /// Run without a layer that this host lacks; the event log records it.
    #[arg(long = "without", value_name = "LAYER")]
    pub(crate) without: Vec<LayerName>,
    /// Write what was allowed and denied to a file.
    #[arg(long, value_name = "FILE")]
    pub(crate) json_report: Option<PathBuf>,
    /// Serve metrics for Prometheus, on this machine's loopback unless HOST is another address.
    #[arg(long, value_name = "[HOST:]PORT")]
    pub(crate) metrics: Option<ringfence_control::metrics::Listen>,
    /// Do not print a summary at the end.
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// The run whose agent this server is started for.
    #[arg(long, hide = true, value_name = "RUN", requires = "hosted_parent")]
    pub(crate) hosted_by: Option<ringfence_model::RunId>,
    /// The process of that run, with which this one ends.
    #[arg(long, hide = true, value_name = "PID", requires = "hosted_by")]
    pub(crate) hosted_parent: Option<i32>,
    /// Switch a protection off.
    #[cfg(feature = "weaken")]
    #[arg(long = "weaken", value_name = "PROTECTION")]
    pub(crate) weaken: Vec<String>,
    /// The command and its arguments.
    #[arg(last = true, required = true, value_name = "CMD")]
    pub(crate) command: Vec<String>,
}

/// The layers that a run can do without, if the person says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LayerName {
    /// The second wall around the file system.
    Landlock,
    /// Bounds for the whole sandbox.
    Cgroup,
}

#[derive(Debug, Args)]
pub(crate) struct JsonArguments {
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Switch a protection off.
    #[cfg(feature = "weaken")]
    #[arg(long = "weaken", value_name = "PROTECTION")]
    pub(crate) weaken: Vec<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  ringfence gateway --listen 127.0.0.1:3128 --allow example.com
  HTTPS_PROXY=http://127.0.0.1:3128 curl https://example.com/")]
pub(crate) struct GatewayArguments {
    /// The address to listen on.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:3128")]
    pub(crate) listen: std::net::SocketAddr,
    /// A profile: a file, one of your own, or a built-in one. May be given several times.
    #[arg(long = "profile", value_name = "NAME|FILE")]
    pub(crate) profiles: Vec<String>,
    /// Allow a host; without a port, 443 and 80.
    #[arg(long = "allow", value_name = "HOST[:PORT]")]
    pub(crate) allow: Vec<String>,
    /// Serve metrics for Prometheus, on this machine's loopback unless HOST is another address.
    #[arg(long, value_name = "[HOST:]PORT")]
    pub(crate) metrics: Option<ringfence_control::metrics::Listen>,
    /// The name in events and policies of whoever uses the proxy.
    #[arg(long, default_value = "gateway", value_name = "NAME")]
    pub(crate) agent: ringfence_model::AgentName,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "Examples:
  ringfence events --since 1h --decision deny
  ringfence events --protocol git
  ringfence events --follow --json | jq '.decision.reason // .kind'
  ringfence events verify
  ringfence events export --format ocsf > events.json")]
pub(crate) struct EventsArguments {
    #[command(subcommand)]
    pub(crate) verb: Option<EventsVerb>,
    #[command(flatten)]
    pub(crate) filter: FilterArguments,
    /// Go on with what happens from now on.
    #[arg(long, short)]
    pub(crate) follow: bool,
    /// Print one JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EventsVerb {
    /// Check that no record was changed, removed or inserted.
    Verify {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Write events for another system.
    Export {
        /// The format.
        #[arg(long, value_enum, default_value = "jsonl")]
        format: ExportFormat,
        #[command(flatten)]
        filter: FilterArguments,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ExportFormat {
    /// Open Cybersecurity Schema Framework 1.3, one object a line.
    Ocsf,
    /// Ringfence's own schema, one object a line.
    Jsonl,
}

/// What `policy explain` is asked about.
#[derive(Debug, Args)]
pub(crate) struct AskedArguments {
    /// A connection.
    #[arg(
        long,
        value_name = "HOST:PORT",
        conflicts_with_all = ["url", "llm"],
        required_unless_present_any = ["url", "llm"]
    )]
    pub(crate) connect: Option<ringfence_model::Destination>,
    /// An HTTP request.
    #[arg(long, value_name = "URL", conflicts_with = "llm")]
    pub(crate) url: Option<String>,
    /// Its method; POST with a body, else GET.
    #[arg(long, requires = "url")]
    pub(crate) method: Option<String>,
    /// One of its headers, as in `Accept: text/plain`.
    #[arg(long, value_name = "NAME: VALUE", requires = "url")]
    pub(crate) header: Vec<String>,
    /// The file that holds its body, JSON unless a header says otherwise.
    #[arg(long, value_name = "FILE", requires = "url")]
    pub(crate) body: Option<PathBuf>,
    /// A request to this provider of language models.
    #[arg(long, value_name = "PROVIDER")]
    pub(crate) llm: Option<ringfence_model::llm::ProviderName>,
    #[command(flatten)]
    pub(crate) wish: llm::WishArguments,
}

#[derive(Debug, Args)]
pub(crate) struct FilterArguments {
    /// Only this agent's.
    #[arg(long, value_name = "NAME")]
    pub(crate) agent: Option<ringfence_model::AgentName>,
    /// Only these decisions.
    #[arg(long, value_name = "allow|deny")]
    pub(crate) decision: Option<EffectName>,
    /// Only what this protocol is used for.
    #[arg(long, value_name = "connect|http|git")]
    pub(crate) protocol: Option<ProtocolName>,
    /// Only to this host.
    #[arg(long, value_name = "HOST")]
    pub(crate) host: Option<ringfence_model::Host>,
    /// Only of this run.
    #[arg(long, value_name = "ID")]
    pub(crate) run: Option<ringfence_model::RunId>,
    /// Only since then: 30m, 12h, 7d, or a time as 2026-01-31T12:00:00Z.
    #[arg(long, value_name = "T", value_parser = crate::verbs::since)]
    pub(crate) since: Option<jiff::Timestamp>,
    /// At most so many, the newest [default: 1000, and for an export all].
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u32>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum EffectName {
    /// What went ahead.
    Allow,
    /// What was stopped.
    Deny,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ProtocolName {
    /// Connections.
    Connect,
    /// Requests of HTTP that are read.
    Http,
    /// Requests of git that are read.
    Git,
    /// Requests to language models.
    Llm,
    /// Messages to servers of the Model Context Protocol.
    Mcp,
}

#[derive(Debug, Args)]
pub(crate) struct DeniedArguments {
    #[command(flatten)]
    pub(crate) filter: FilterArguments,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  ringfence proposals --since 1h

Agents ask by the tool ringfence_request_access of the server `ringfence`, where a rule allows it. What they
say of their reasons is their own text. Nothing is allowed until you write it into a profile.")]
pub(crate) struct ProposalsArguments {
    /// Only this agent's.
    #[arg(long, value_name = "NAME")]
    pub(crate) agent: Option<ringfence_model::AgentName>,
    /// Only since then: 30m, 12h, 7d, or a time as 2026-01-31T12:00:00Z.
    #[arg(long, value_name = "T", value_parser = crate::verbs::since)]
    pub(crate) since: Option<jiff::Timestamp>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ringfence allow example.com
  ringfence allow api.github.com:443 --for 1h --reason 'release 1.2'
  ringfence allow '*.example.com:443' --agent docs-bot")]
pub(crate) struct AllowArguments {
    /// The host, pattern or address; without a port, 443 and 80.
    #[arg(value_name = "HOST[:PORT]")]
    pub(crate) destination: String,
    /// For this agent only [default: for all of yours].
    #[arg(long, value_name = "NAME")]
    pub(crate) agent: Option<ringfence_model::AgentName>,
    /// For so long: 30m, 12h, 7d [default: until you remove it].
    #[arg(long = "for", value_name = "TIME", value_parser = crate::verbs::duration)]
    pub(crate) lasting: Option<jiff::SignedDuration>,
    /// Why, for whoever reads the profile later.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct PolicyArguments {
    #[command(subcommand)]
    pub(crate) verb: PolicyVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyVerb {
    /// Read profiles and say what is wrong with them.
    Check {
        /// Profiles: files or names.
        #[arg(required = true, value_name = "FILE")]
        profiles: Vec<String>,
    },
    /// Run the tests that profiles carry.
    Test {
        /// Profiles: files or names.
        #[arg(required = true, value_name = "FILE")]
        profiles: Vec<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Tell why an action would be allowed or denied.
    #[command(after_help = "Examples:
  ringfence policy explain coding-agent --connect evil.test:443
  ringfence policy explain my.yaml --method POST --url http://api.test/v1/items
  ringfence policy explain my.yaml --url https://api.test/v1/items --header 'Accept: text/plain' --body item.json
  ringfence policy explain my.yaml --llm anthropic --model claude-opus-4 --hosted web-search")]
    Explain {
        /// Profiles: files or names.
        #[arg(required = true, value_name = "FILE")]
        profiles: Vec<String>,
        #[command(flatten)]
        asked: AskedArguments,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Replay what happened against other profiles: what would be decided differently.
    Simulate {
        /// Profiles: files or names.
        #[arg(required = true, value_name = "FILE")]
        profiles: Vec<String>,
        #[command(flatten)]
        filter: FilterArguments,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Compare two profiles, and what they would have decided about what happened.
    Diff {
        /// The profile before.
        before: String,
        /// The profile after.
        after: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show a built-in profile, or list them.
    Show {
        /// Its name.
        name: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct OverlayArguments {
    #[command(subcommand)]
    pub(crate) verb: OverlayVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum OverlayVerb {
    /// List the runs that keep private copies.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show what an agent wrote.
    Diff {
        /// The run [default: the newest that keeps any].
        run: Option<ringfence_model::RunId>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Take what an agent wrote over into the workspace.
    Apply {
        /// The run [default: the newest that keeps any].
        run: Option<ringfence_model::RunId>,
    },
    /// Throw what an agent wrote away.
    Discard {
        /// The run [default: the newest that keeps any].
        run: Option<ringfence_model::RunId>,
    },
}

/// Reads `512M`, `4G` or a plain number of octets.
fn parse_size(text: &str) -> Result<u64, String> {
    let (number, factor) = match text.strip_suffix(['K', 'k']) {
        Some(number) => (number, 1 << 10),
        None => match text.strip_suffix(['M', 'm']) {
            Some(number) => (number, 1 << 20),
            None => match text.strip_suffix(['G', 'g']) {
                Some(number) => (number, 1 << 30),
                None => (text, 1),
            },
        },
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(factor))
        .filter(|octets| *octets > 0)
        .ok_or_else(|| "a size is a number with K, M or G behind it".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn sizes_are_read_with_their_unit() {
        assert_eq!(parse_size("4G"), Ok(4 << 30));
        assert_eq!(parse_size("512m"), Ok(512 << 20));
        for bad in [
            "",
            "0",
            "G",
            "-1",
            "1T",
            "99999999999999999999",
            "18446744073709551615G",
        ] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }
}
