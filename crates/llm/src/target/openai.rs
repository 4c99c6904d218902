//! OpenAI's paths, below the version.

use ringfence_model::llm::LlmEndpoint;

use super::{Asked, Form, Target, TargetError, path, query, refused};

pub(super) fn classify(asked: &Asked<'_>) -> Result<Target, TargetError> {
    below(asked, "", &asked.segments.as_slices(), &[])
}

/// The endpoint that `segments` name below `prefix`; `known` are parameters that all of them take.
pub(super) fn below(
    asked: &Asked<'_>,
    prefix: &str,
    segments: &[&str],
    known: &[&'static str],
) -> Result<Target, TargetError> {
    if let ["responses"] = segments
        && asked.method == "GET"
    {
        return Err(TargetError::Upgrade);
    }
    if let Some((endpoint, form)) = endpoint(segments) {
        asked.post()?;
        let path = format!("{prefix}/{}", segments.join("/"));
        let mut target = Target::plain(endpoint, &path, form);
        if let ["responses", "compact"] = segments {
            target = target.streams(false);
        }
        return Ok(target.with_query(query::read(asked, known, &[])?));
    }
    models(asked, prefix, segments, known)
}

fn endpoint(segments: &[&str]) -> Option<(LlmEndpoint, Form)> {
    Some(match segments {
        ["chat", "completions"] => (LlmEndpoint::ChatCompletions, Form::Chat),
        ["completions"] => (LlmEndpoint::Completions, Form::Completions),
        ["responses"] | ["responses", "compact"] => (LlmEndpoint::Responses, Form::Responses),
        ["responses", "input_tokens"] => (LlmEndpoint::CountTokens, Form::Responses),
        ["embeddings"] => (LlmEndpoint::Embeddings, Form::Embeddings),
        _ => return None,
    })
}

fn models(
    asked: &Asked<'_>,
    prefix: &str,
    segments: &[&str],
    known: &[&'static str],
) -> Result<Target, TargetError> {
    let target = match segments {
        ["models"] => Target::plain(
            LlmEndpoint::Models,
            &format!("{prefix}/models"),
            Form::Empty,
        ),
        ["models", model] => Target::of_model(
            LlmEndpoint::Models,
            (&format!("{prefix}/models/"), path::name(model)?, ""),
            Form::Empty,
        ),
        _ => return Err(never(segments)),
    };
    asked.get()?;
    // Codex tells its version.
    let query = query::read(asked, known, &["client_version"])?;
    Ok(target.with_query(query))
}

/// What is known, and never passed on.
fn never(segments: &[&str]) -> TargetError {
    let Some(first) = segments.first() else {
        return TargetError::Unknown;
    };
    let known = NEVER.iter().find(|(name, _)| name == first);
    known.map_or(TargetError::Unknown, |(_, what)| refused(what))
}

const NEVER: [(&str, &str); 21] = [
    ("assistants", "assistants"),
    ("audio", "sound and speech"),
    ("batches", "batches"),
    ("chat", "stored completions"),
    ("chatkit", "hosted chats and their keys"),
    ("containers", "containers"),
    ("conversations", "stored conversations"),
    ("evals", "evaluations"),
    ("files", "files"),
    ("fine-tunes", "fine-tuned models"),
    ("fine_tuning", "fine-tuned models"),
    ("images", "images"),
    ("moderations", "moderations"),
    ("organization", "keys and settings"),
    ("realtime", "realtime sessions and their keys"),
    ("responses", "stored responses"),
    ("skills", "skills"),
    ("threads", "stored conversations"),
    ("uploads", "files"),
    ("vector_stores", "files"),
    ("videos", "videos"),
];
