//! The command line of `ringfence llm`.

use clap::{Args, Subcommand, ValueEnum};
use ringfence_model::llm::{HostedFeature, LlmEndpoint, ProviderKind, ProviderName};
use ringfence_model::{AgentName, CredentialName};
use ringfence_policy::{BaseUrl, Cidr};

#[derive(Debug, Args)]
pub(crate) struct LlmArguments {
    #[command(subcommand)]
    pub(crate) verb: LlmVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LlmVerb {
    /// Tell whether an agent may ask a model, and why.
    Check(CheckArguments),
    /// Describe providers that rules can name.
    Provider(ProviderArguments),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ringfence llm check coder anthropic --model claude-sonnet-4-5 --profile claude-code
  ringfence llm check coder openai --model gpt-5 --endpoint responses --hosted web-search --profile codex

Nothing is sent. Budgets and rates are not looked at.
The exit code is 0 where it is allowed and 77 where it is not.")]
pub(crate) struct CheckArguments {
    /// The agent.
    pub(crate) agent: AgentName,
    /// The provider, as rules name it.
    pub(crate) provider: ProviderName,
    #[command(flatten)]
    pub(crate) wish: WishArguments,
    /// A profile, beside your own: a file, one of yours, or a built-in one. May be given several times.
    #[arg(long = "profile", value_name = "NAME|FILE")]
    pub(crate) profiles: Vec<String>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What is asked of a provider.
#[derive(Debug, Default, Args)]
pub(crate) struct WishArguments {
    /// The model, or an alias of it.
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
    /// What is asked of it, as in messages or embeddings [default: what is usual for the provider].
    #[arg(long, value_parser = endpoint)]
    pub(crate) endpoint: Option<LlmEndpoint>,
    /// What the provider would do by itself, as in web-search. May be given several times.
    #[arg(long, value_name = "FEATURE")]
    pub(crate) hosted: Vec<HostedFeature>,
    /// The most tokens that may be written.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) max_output_tokens: Option<u64>,
}

impl WishArguments {
    /// Whether none of them was given.
    pub(crate) const fn is_empty(&self) -> bool {
        self.model.is_none()
            && self.endpoint.is_none()
            && self.hosted.is_empty()
            && self.max_output_tokens.is_none()
    }
}

fn endpoint(text: &str) -> Result<LlmEndpoint, String> {
    let mut known = LlmEndpoint::ALL.into_iter();
    known.find(|it| it.as_str() == text).ok_or_else(|| {
        let all = LlmEndpoint::ALL.map(LlmEndpoint::as_str);
        format!("one of {}", all.join(", "))
    })
}

#[derive(Debug, Args)]
pub(crate) struct ProviderArguments {
    #[command(subcommand)]
    pub(crate) verb: ProviderVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProviderVerb {
    /// Describe a provider, in your own profile or another one.
    #[command(after_help = "Examples:
  ringfence llm provider add anthropic --credential anthropic
  ringfence llm provider add ollama --kind openai --url http://host.ringfence.internal:11434/v1
  ringfence llm provider add corp --kind openai --url https://llm.corp.example/v1 --address 10.0.0.0/8

Rules that name it stand in the same profile.")]
    Add(Box<AddArguments>),
    /// List the providers that rules can name.
    List {
        /// A profile to look into as well. May be given several times.
        #[arg(long = "profile", value_name = "NAME|FILE")]
        profiles: Vec<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Take a provider out of a profile.
    Remove {
        /// Its name.
        name: ProviderName,
        /// The profile that it stands in [default: your own].
        #[arg(long, value_name = "NAME|FILE")]
        profile: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct AddArguments {
    /// Its name in rules and in http://llm.ringfence.internal/NAME/.
    pub(crate) name: ProviderName,
    /// Its dialect; not for one that is known from the start.
    #[arg(long, value_enum, requires = "url")]
    pub(crate) kind: Option<Kind>,
    /// What stands before the paths of the dialect; with --kind openai it holds the version.
    #[arg(long, requires = "kind")]
    pub(crate) url: Option<BaseUrl>,
    /// The credential for it, where a rule names none.
    #[arg(long, value_name = "NAME")]
    pub(crate) credential: Option<CredentialName>,
    /// A network that the host may resolve into [default: public addresses]. May be given several times.
    #[arg(long = "address", value_name = "CIDR")]
    pub(crate) addresses: Vec<Cidr>,
    /// The profile to change [default: your own].
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) profile: Option<String>,
}

/// A dialect.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Kind {
    /// OpenAI, and what is compatible with it: vLLM, Ollama, gateways.
    Openai,
    /// Anthropic's Messages.
    Anthropic,
    /// Gemini.
    Gemini,
    /// Azure OpenAI.
    AzureOpenai,
    /// Amazon Bedrock.
    Bedrock,
    /// Google Vertex AI.
    Vertex,
}

impl Kind {
    pub(crate) const fn kind(self) -> ProviderKind {
        match self {
            Self::Openai => ProviderKind::Openai,
            Self::Anthropic => ProviderKind::Anthropic,
            Self::Gemini => ProviderKind::Gemini,
            Self::AzureOpenai => ProviderKind::AzureOpenai,
            Self::Bedrock => ProviderKind::Bedrock,
            Self::Vertex => ProviderKind::Vertex,
        }
    }
}
