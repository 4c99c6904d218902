//! Azure OpenAI's paths.

use ringfence_model::llm::LlmEndpoint;

use super::{Asked, Form, Target, TargetError, openai, path, query, refused};

pub(super) fn classify(asked: &Asked<'_>) -> Result<Target, TargetError> {
    let segments = asked.segments.as_slices();
    match segments.as_slice() {
        ["openai", "v1", rest @ ..] => openai::below(asked, "/openai/v1", rest, &[VERSION]),
        ["openai", "deployments", name, rest @ ..] => deployment(asked, name, rest),
        ["openai", "responses"] if asked.method == "POST" => {
            openai::below(asked, "/openai", &["responses"], &[VERSION])
        }
        ["openai", "models"] => openai::below(asked, "/openai", &["models"], &[VERSION]),
        ["openai", rest @ ..] => match openai::below(asked, "/openai", rest, &[VERSION]) {
            Err(error @ TargetError::Refused { .. } | error @ TargetError::Upgrade) => Err(error),
            _ => Err(TargetError::Unknown),
        },
        _ => Err(TargetError::Unknown),
    }
}

fn deployment(asked: &Asked<'_>, name: &str, rest: &[&str]) -> Result<Target, TargetError> {
    let (endpoint, form, after) = match rest {
        ["chat", "completions"] => (
            LlmEndpoint::ChatCompletions,
            Form::Chat,
            "/chat/completions",
        ),
        ["completions"] => (LlmEndpoint::Completions, Form::Completions, "/completions"),
        ["embeddings"] => (LlmEndpoint::Embeddings, Form::Embeddings, "/embeddings"),
        ["images", ..] => return Err(refused("images")),
        ["audio", ..] => return Err(refused("sound and speech")),
        // "On your data" of old, with sources that the request names.
        ["extensions", ..] => return Err(refused("extensions")),
        _ => return Err(TargetError::Unknown),
    };
    asked.post()?;
    let place = ("/openai/deployments/", path::simple_name(name)?, after);
    let target = Target::of_model(endpoint, place, form);
    Ok(target.with_query(query::read(asked, &[VERSION], &[])?))
}

const VERSION: &str = "api-version";
