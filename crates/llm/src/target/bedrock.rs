//! The paths of Amazon Bedrock's runtime.

use ringfence_model::llm::LlmEndpoint;

use super::{Asked, Form, Target, TargetError, path, query, refused};

pub(super) fn classify(asked: &Asked<'_>) -> Result<Target, TargetError> {
    let segments = asked.segments.as_slices();
    let (model, verb) = match segments.as_slice() {
        ["model", model, verb] => (path::name(model)?, *verb),
        ["async-invoke", ..] => return Err(refused("batches")),
        ["guardrail", ..] => return Err(refused("guardrails")),
        _ => return Err(TargetError::Unknown),
    };
    let messages = (LlmEndpoint::Messages, Form::MessagesElsewhere);
    let converse = (LlmEndpoint::Converse, Form::Converse);
    let ((endpoint, form), after, streams) = match verb {
        "converse" => (converse, "/converse", false),
        "converse-stream" => (converse, "/converse-stream", true),
        "invoke" => (messages, "/invoke", false),
        "invoke-with-response-stream" => (messages, "/invoke-with-response-stream", true),
        "count-tokens" => {
            let count = (LlmEndpoint::CountTokens, Form::BedrockCount);
            (count, "/count-tokens", false)
        }
        "invoke-with-bidirectional-stream" => return Err(TargetError::Upgrade),
        _ => return Err(TargetError::Unknown),
    };
    asked.post()?;
    query::none(asked)?;
    Ok(Target::of_model(endpoint, ("/model/", model, after), form).streams(streams))
}
