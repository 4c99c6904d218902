//! What a path asks for. Every provider has many endpoints, and each is a way to have something
//! done with its key: what is not known here is refused. What is known has one path and one query
//! that are written for it, so that no second spelling reaches the provider.

mod anthropic;
mod azure;
mod bedrock;
mod gemini;
mod openai;
mod path;
mod query;
mod vertex;

use ringfence_model::llm::{LlmEndpoint, LlmProvider, ProviderKind};

use path::Segments;

/// What a path, a method and a query ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// What is asked for.
    pub endpoint: LlmEndpoint,
    /// The model that the path names.
    pub model: Option<String>,
    /// Whether the answer is a stream, where the path says so.
    pub stream: Option<bool>,
    shape: Shape,
    query: Vec<(&'static str, String)>,
}

/// The path below the base path of the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Shape {
    /// Up to the model, or all of it where it names none.
    before: String,
    /// Behind the model.
    after: &'static str,
    /// Which body goes with it.
    form: Form,
}

/// Which body a request has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// None.
    Empty,
    Chat,
    Completions,
    Responses,
    /// OpenAI's embeddings.
    Embeddings,
    Messages,
    /// Anthropic's Messages with the model in the path, and a version in the body.
    MessagesElsewhere,
    Gemini,
    GeminiCount,
    GeminiEmbed,
    GeminiEmbedMany,
    /// Texts for an embedding model at Vertex.
    VertexPredict,
    Converse,
    BedrockCount,
}

/// Why a request is none that is passed on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// No endpoint of the dialect that is known here.
    #[error("this endpoint of the provider is not known to the gateway")]
    Unknown,
    /// An endpoint that is known, and never passed on.
    #[error("{what} of the provider are not open to agents")]
    Refused {
        /// What it is about, in the plural.
        what: &'static str,
    },
    /// A path or query that could be read in more than one way, or another method than the endpoint
    /// takes.
    #[error("{0}")]
    Malformed(&'static str),
    /// A WebSocket. A client that can do without goes on by HTTP when it is told 426.
    #[error("the gateway carries requests to models over HTTP alone, not over a WebSocket")]
    Upgrade,
}

/// What a request to this provider asks for. `path` is the path at its host, base path included.
///
/// # Errors
/// Where it is nothing that is passed on.
pub fn classify(
    provider: &LlmProvider,
    method: &str,
    path: &str,
    query: Option<&str>,
) -> Result<Target, TargetError> {
    let below = path
        .strip_prefix(provider.base_path.as_str())
        .filter(|below| below.starts_with('/'))
        .ok_or(TargetError::Unknown)?;
    let segments = Segments::read(below)?;
    let asked = Asked {
        method,
        segments: &segments,
        query,
    };
    match provider.kind {
        ProviderKind::Openai => openai::classify(&asked),
        ProviderKind::Anthropic => anthropic::classify(&asked),
        ProviderKind::Gemini => gemini::classify(&asked),
        ProviderKind::AzureOpenai => azure::classify(&asked),
        ProviderKind::Bedrock => bedrock::classify(&asked),
        ProviderKind::Vertex => vertex::classify(&asked),
    }
}

impl Target {
    /// The path at the provider's host, with this model in it, where the dialect has it there.
    #[must_use]
    pub fn path(&self, provider: &LlmProvider, model: Option<&str>) -> String {
        let mut path = format!("{}{}", provider.base_path, self.shape.before);
        if let Some(own) = &self.model {
            path.push_str(&path::encoded(model.unwrap_or(own)));
        }
        path.push_str(self.shape.after);
        path
    }

    /// The parameters of the dialect that are known, and no others.
    #[must_use]
    pub fn query(&self) -> Option<String> {
        query::write(&self.query)
    }

    pub(crate) const fn form(&self) -> Form {
        self.shape.form
    }
}

/// A request, its path taken apart.
struct Asked<'a> {
    method: &'a str,
    segments: &'a Segments,
    query: Option<&'a str>,
}

impl Asked<'_> {
    fn post(&self) -> Result<(), TargetError> {
        self.takes("POST", "this endpoint takes POST")
    }

    fn get(&self) -> Result<(), TargetError> {
        self.takes("GET", "this endpoint takes GET")
    }

    fn takes(&self, method: &str, what: &'static str) -> Result<(), TargetError> {
        if self.method == method {
            Ok(())
        } else {
            Err(TargetError::Malformed(what))
        }
    }
}

impl Target {
    /// An endpoint that names no model in its path.
    fn plain(endpoint: LlmEndpoint, path: &str, form: Form) -> Self {
        Self {
            endpoint,
            model: None,
            stream: None,
            shape: Shape {
                before: path.to_owned(),
                after: "",
                form,
            },
            query: Vec::new(),
        }
    }

    /// An endpoint that names the model between these two parts of its path.
    fn of_model(
        endpoint: LlmEndpoint,
        (before, model, after): (&str, &str, &'static str),
        form: Form,
    ) -> Self {
        Self {
            endpoint,
            model: Some(model.to_owned()),
            stream: None,
            shape: Shape {
                before: before.to_owned(),
                after,
                form,
            },
            query: Vec::new(),
        }
    }

    fn streams(mut self, stream: bool) -> Self {
        self.stream = Some(stream);
        self
    }

    fn with_query(mut self, query: Vec<(&'static str, String)>) -> Self {
        self.query = query;
        self
    }
}

const fn refused(what: &'static str) -> TargetError {
    TargetError::Refused { what }
}

#[cfg(test)]
mod tests;
