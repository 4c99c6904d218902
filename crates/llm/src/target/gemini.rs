//! Gemini's paths.

use ringfence_model::llm::LlmEndpoint;

use super::{Asked, Form, Target, TargetError, path, query, refused};

pub(super) fn classify(asked: &Asked<'_>) -> Result<Target, TargetError> {
    let segments = asked.segments.as_slices();
    let (version, rest) = match segments.as_slice() {
        [version @ ("v1" | "v1beta" | "v1alpha"), rest @ ..] => (*version, rest),
        _ => return Err(TargetError::Unknown),
    };
    match rest {
        ["models"] => list(asked, version, None),
        ["models", model] => match model.split_once(':') {
            Some((model, verb)) => call(asked, &format!("/{version}/models/"), (model, verb)),
            None => list(asked, version, Some(model)),
        },
        ["files" | "fileSearchStores" | "corpora", ..] => Err(refused("files")),
        ["cachedContents", ..] => Err(refused("cached contexts")),
        ["batches" | "operations", ..] => Err(refused("batches")),
        ["tunedModels", ..] => Err(refused("fine-tuned models")),
        ["interactions" | "agents", ..] => Err(refused("stored responses")),
        ["auth_tokens", ..] => Err(refused("keys and settings")),
        _ => Err(TargetError::Unknown),
    }
}

/// `MODEL:verb` behind `before`.
pub(super) fn call(
    asked: &Asked<'_>,
    before: &str,
    (model, verb): (&str, &str),
) -> Result<Target, TargetError> {
    let (endpoint, form, after) = match verb {
        "generateContent" => (
            LlmEndpoint::GenerateContent,
            Form::Gemini,
            ":generateContent",
        ),
        "streamGenerateContent" => (
            LlmEndpoint::GenerateContent,
            Form::Gemini,
            ":streamGenerateContent",
        ),
        "countTokens" => (LlmEndpoint::CountTokens, Form::GeminiCount, ":countTokens"),
        "embedContent" => (LlmEndpoint::Embeddings, Form::GeminiEmbed, ":embedContent"),
        "batchEmbedContents" => (
            LlmEndpoint::Embeddings,
            Form::GeminiEmbedMany,
            ":batchEmbedContents",
        ),
        "batchGenerateContent" | "asyncBatchEmbedContent" => return Err(refused("batches")),
        "bidiGenerateContent" => return Err(TargetError::Upgrade),
        _ => return Err(TargetError::Unknown),
    };
    asked.post()?;
    let model = path::simple_name(model)?;
    let target = Target::of_model(endpoint, (before, model, after), form);
    let streams = verb == "streamGenerateContent";
    Ok(target
        .streams(streams)
        .with_query(read_query(asked, &["alt"])?))
}

fn list(asked: &Asked<'_>, version: &str, model: Option<&str>) -> Result<Target, TargetError> {
    asked.get()?;
    let target = match model {
        None => Target::plain(
            LlmEndpoint::Models,
            &format!("/{version}/models"),
            Form::Empty,
        ),
        Some(model) => Target::of_model(
            LlmEndpoint::Models,
            (
                &format!("/{version}/models/"),
                path::simple_name(model)?,
                "",
            ),
            Form::Empty,
        ),
    };
    Ok(target.with_query(read_query(asked, &["pageSize", "pageToken"])?))
}

/// The key is the gateway's to give.
fn read_query(
    asked: &Asked<'_>,
    known: &[&'static str],
) -> Result<Vec<(&'static str, String)>, TargetError> {
    let query = query::read(asked, known, &["key", "prettyPrint"])?;
    let is_odd = |(name, value): &(&str, String)| {
        *name == "alt" && !matches!(value.as_str(), "sse" | "json")
    };
    if query.iter().any(is_odd) {
        return Err(TargetError::Malformed(
            "the gateway knows `alt=sse` and `alt=json` alone",
        ));
    }
    Ok(query)
}
