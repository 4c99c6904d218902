//! The body of a request: read strictly, once, and sent on as it was read but for the few changes
//! that a rule demands, each made on its own span of the text.

mod chat;
mod completions;
mod converse;
mod edit;
mod embeddings;
mod found;
mod gemini;
mod gemini_tools;
mod item;
mod message;
mod messages;
mod openai_tools;
mod responses;
mod responses_items;
mod texts;

use std::fmt;

use bytes::Bytes;
use ringfence_model::llm::{HostedFeature, LlmEndpoint};

use crate::limits::{BODY_OCTETS, MODEL_OCTETS};
use crate::target::{Form, Target};
use found::Found;
pub use item::Item;
pub use message::{Message, MessageError, read_message};
use ringfence_json::{Changes, JsonError, Misread, Spelling, Tape, Value};
pub use texts::Place;

/// Why a body is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Too long to be read.
    #[error("the body is longer than {BODY_OCTETS} octets")]
    TooLarge,
    /// No JSON that can be read in one way.
    #[error("the body is not JSON that can be read in one way: {0}")]
    Json(JsonError),
    /// JSON, but no request of this endpoint.
    #[error("`{place}` {what}")]
    Shape {
        /// Where.
        place: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// It does not say which model it is for.
    #[error("the request names no model")]
    NoModel,
    /// The name of the model could be another one to a reader that trims or folds it.
    #[error("the name of a model has other characters than printable ASCII")]
    OddModel,
    /// The body names another model than the path.
    #[error("the body names another model than the path")]
    TwoModels,
}

/// The body of a request, as far as anything depends on it.
#[derive(Clone)]
pub struct Request {
    /// The model that the body or the path names.
    pub model: Option<String>,
    /// Whether the answer comes as a stream.
    pub stream: bool,
    /// The most tokens that one choice of the answer may have.
    pub max_output_tokens: Option<u64>,
    /// What the provider is asked to do by itself, each once, in order.
    pub hosted: Vec<HostedFeature>,
    /// Whether a stream tells the tokens that it took.
    pub includes_usage: bool,
    /// The names of the tools that the client runs, as far as they are kept.
    pub tools: Vec<String>,
    /// The answers that are asked for.
    pub choices: u64,
    /// Octets of the body without media: a bound of the tokens of its text.
    pub text_octets: u64,
    /// Images, documents and sounds.
    pub media: u64,
    /// Of those, what is no image: how many tokens it has is known to the provider alone.
    pub documents: u64,
    /// The most tokens of reasoning that the model may write and not show. All that it writes,
    /// where the request does not say.
    pub hidden: u64,
    /// The items of the conversation, in order, the last where there are too many.
    pub items: Vec<Item>,
    /// The session that the client says it belongs to. A hint.
    pub session: Option<String>,
    /// The class of service that is asked for.
    pub service_tier: Option<String>,
    octets: Bytes,
    tape: Tape,
    changes: Changes,
    found: Found,
    endpoint: LlmEndpoint,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("model", &self.model)
            .field("stream", &self.stream)
            .field("max_output_tokens", &self.max_output_tokens)
            .field("hosted", &self.hosted)
            .field("octets", &self.octets.len())
            .finish_non_exhaustive()
    }
}

/// Reads the body of a request strictly.
///
/// # Errors
/// Where it can be read in more than one way, or is no request of this endpoint.
pub fn read(target: &Target, octets: Bytes) -> Result<Request, RequestError> {
    if octets.len() > BODY_OCTETS {
        return Err(RequestError::TooLarge);
    }
    let tape = match target.form() {
        Form::Empty => Tape::default(),
        _ => Tape::read(&octets).map_err(RequestError::Json)?,
    };
    let root = tape.root(&octets);
    let mut found = Found::default();
    if target.form() != Form::Empty {
        dialect(target.form(), root, &mut found).map_err(|misread| shape(root, misread))?;
    }
    if found.is_too_much {
        let what = "asks the provider to do more by itself than is read";
        return Err(shape(root, root.misread(what)));
    }
    let model = model(target, &found)?;
    if model.is_none() && target.endpoint != LlmEndpoint::Models {
        return Err(RequestError::NoModel);
    }
    let media_octets = found.media_octets;
    let mut request = Request {
        stream: target.stream.or(found.stream).unwrap_or(false),
        max_output_tokens: found.most.iter().map(|(_, most)| *most).max(),
        hosted: Vec::new(),
        includes_usage: !matches!(target.form(), Form::Chat | Form::Completions)
            || found.includes_usage,
        tools: std::mem::take(&mut found.tools),
        choices: found.choices.unwrap_or(1).max(1),
        text_octets: (octets.len() as u64).saturating_sub(media_octets),
        media: found.media,
        documents: found.documents,
        hidden: found.hidden.unwrap_or(u64::MAX),
        items: found.take_items(),
        session: found.session.take(),
        service_tier: found.service_tier.take(),
        endpoint: target.endpoint,
        changes: Changes::default(),
        model,
        octets,
        tape,
        found,
    };
    request.sum_up();
    Ok(request)
}

fn dialect(form: Form, root: Value<'_>, found: &mut Found) -> Result<(), Misread> {
    let exact = || root.object(Spelling::Exact);
    let camel = || root.object(Spelling::CamelOrSnake);
    match form {
        Form::Empty => Ok(()),
        Form::Chat => chat::read(exact()?, found),
        Form::Completions => completions::read(exact()?, found),
        Form::Responses => responses::read(exact()?, found),
        Form::Embeddings => embeddings::openai(exact()?, found),
        Form::Messages => messages::read(exact()?, found),
        Form::MessagesElsewhere => messages::read_elsewhere(exact()?, found),
        Form::Gemini => gemini::read(camel()?, found),
        Form::GeminiCount => gemini::count(camel()?, found),
        Form::GeminiEmbed => embeddings::gemini(camel()?, found),
        Form::GeminiEmbedMany => embeddings::gemini_many(camel()?, found),
        Form::VertexPredict => embeddings::vertex(camel()?, found),
        Form::Converse => converse::read(exact()?, found),
        Form::BedrockCount => converse::count(exact()?, found),
    }
}

fn shape(root: Value<'_>, misread: Misread) -> RequestError {
    let place = root.number(misread.at).path().to_string();
    RequestError::Shape {
        place: if place.is_empty() {
            "the body".to_owned()
        } else {
            place
        },
        what: misread.what,
    }
}

/// The model of path and body, which must not differ: which one counts is the provider's matter.
fn model(target: &Target, found: &Found) -> Result<Option<String>, RequestError> {
    let short = |name: &str| name.strip_prefix("models/").unwrap_or(name).to_owned();
    let mut names = found.models.iter().map(|(_, name)| name);
    if let Some(model) = &target.model {
        let differs = names.any(|name| *name != *model && short(name) != *model);
        return if differs {
            Err(RequestError::TwoModels)
        } else {
            Ok(Some(model.clone()))
        };
    }
    let Some(model) = names.next() else {
        return Ok(None);
    };
    if names.any(|name| name != model) {
        return Err(RequestError::TwoModels);
    }
    if model.is_empty() || model.len() > MODEL_OCTETS {
        return Err(RequestError::NoModel);
    }
    if !model.bytes().all(|octet| octet.is_ascii_graphic()) {
        return Err(RequestError::OddModel);
    }
    Ok(Some(short(model)))
}

/// What a name of a model asks for beyond a model, by a part of it in whatever case: those that
/// search by themselves, and those that stand for settings that are kept with the provider.
const BY_NAME: [(&str, HostedFeature); 11] = [
    (":online", HostedFeature::WebSearch),
    ("search-preview", HostedFeature::WebSearch),
    ("search-api", HostedFeature::WebSearch),
    ("deep-research", HostedFeature::WebSearch),
    ("sonar", HostedFeature::WebSearch),
    ("compound-beta", HostedFeature::WebSearch),
    ("compound-beta", HostedFeature::CodeExecution),
    ("groq/compound", HostedFeature::WebSearch),
    ("groq/compound", HostedFeature::CodeExecution),
    ("@preset/", HostedFeature::StoredResponse),
    (":prompt/", HostedFeature::StoredResponse),
];

impl Request {
    fn root(&self) -> Value<'_> {
        self.tape.root(&self.octets)
    }

    /// What the provider is asked to do by itself where this model is the one that is asked for.
    #[must_use]
    pub fn hosted_with(&self, model: Option<&str>) -> Vec<HostedFeature> {
        let model = model.unwrap_or_default().to_ascii_lowercase();
        let mut features = self.found.features();
        let named = BY_NAME.iter().filter(|(part, _)| model.contains(part));
        features.extend(named.map(|(_, feature)| feature.clone()));
        features.sort_unstable();
        features.dedup();
        features
    }

    /// Each feature once, in order.
    fn sum_up(&mut self) {
        self.hosted = self.hosted_with(self.model.as_deref());
    }
}

#[cfg(test)]
mod tests;
