//! Anthropic's paths.

use ringfence_model::llm::LlmEndpoint;

use super::{Asked, Form, Target, TargetError, path, query, refused};

pub(super) fn classify(asked: &Asked<'_>) -> Result<Target, TargetError> {
    let segments = asked.segments.as_slices();
    let posted = match segments.as_slice() {
        ["v1", "messages"] => (LlmEndpoint::Messages, "/v1/messages"),
        ["v1", "messages", "count_tokens"] => {
            (LlmEndpoint::CountTokens, "/v1/messages/count_tokens")
        }
        ["v1", "models", rest @ ..] => return models(asked, rest),
        ["v1", rest @ ..] => return Err(never(rest)),
        _ => return Err(TargetError::Unknown),
    };
    asked.post()?;
    let target = Target::plain(posted.0, posted.1, Form::Messages);
    Ok(target.with_query(query::read(asked, &["beta"], &[])?))
}

fn models(asked: &Asked<'_>, rest: &[&str]) -> Result<Target, TargetError> {
    let target = match rest {
        [] => Target::plain(LlmEndpoint::Models, "/v1/models", Form::Empty),
        [model] => Target::of_model(
            LlmEndpoint::Models,
            ("/v1/models/", path::simple_name(model)?, ""),
            Form::Empty,
        ),
        _ => return Err(TargetError::Unknown),
    };
    asked.get()?;
    let known = ["beta", "limit", "before_id", "after_id"];
    Ok(target.with_query(query::read(asked, &known, &[])?))
}

/// What is known, and never passed on.
fn never(rest: &[&str]) -> TargetError {
    match rest {
        ["messages", "batches", ..] => refused("batches"),
        ["files", ..] => refused("files"),
        ["skills", ..] => refused("skills"),
        ["organizations", ..] => refused("keys and settings"),
        [
            "agents" | "sessions" | "environments" | "vaults" | "memory_stores",
            ..,
        ] => refused("hosted agents"),
        _ => TargetError::Unknown,
    }
}
