//! The paths of Vertex AI.

use ringfence_model::llm::LlmEndpoint;

use super::{Asked, Form, Target, TargetError, gemini, path, query, refused};

pub(super) fn classify(asked: &Asked<'_>) -> Result<Target, TargetError> {
    let segments = asked.segments.as_slices();
    let (version, rest) = match segments.as_slice() {
        [version @ ("v1" | "v1beta1"), rest @ ..] => (*version, rest),
        _ => return Err(TargetError::Unknown),
    };
    let (place, rest) = match rest {
        ["projects", project, "locations", location, rest @ ..] => {
            let project = path::encoded(path::simple_name(project)?);
            let location = path::encoded(path::simple_name(location)?);
            (
                format!("/{version}/projects/{project}/locations/{location}"),
                rest,
            )
        }
        rest => (format!("/{version}"), rest),
    };
    match rest {
        [
            "publishers",
            publisher @ ("google" | "anthropic"),
            "models",
            model,
        ] => {
            let before = format!("{place}/publishers/{publisher}/models/");
            let Some((model, verb)) = model.split_once(':') else {
                return Err(TargetError::Unknown);
            };
            of_publisher(asked, publisher, &before, (model, verb))
        }
        ["cachedContents", ..] => Err(refused("cached contexts")),
        ["batchPredictionJobs", ..] => Err(refused("batches")),
        ["endpoints" | "tuningJobs", ..] => Err(refused("endpoints and fine-tuned models")),
        ["reasoningEngines", ..] => Err(refused("hosted agents")),
        ["ragCorpora" | "extensions", ..] => Err(refused("files and extensions")),
        _ => Err(TargetError::Unknown),
    }
}

fn of_publisher(
    asked: &Asked<'_>,
    publisher: &str,
    before: &str,
    (model, verb): (&str, &str),
) -> Result<Target, TargetError> {
    match (publisher, verb) {
        ("google", "predict") => predict(asked, before, model),
        ("google", _) => gemini::call(asked, before, (model, verb)),
        (_, "rawPredict" | "streamRawPredict") => claude(asked, before, (model, verb)),
        _ => Err(TargetError::Unknown),
    }
}

fn predict(asked: &Asked<'_>, before: &str, model: &str) -> Result<Target, TargetError> {
    asked.post()?;
    query::none(asked)?;
    let place = (before, path::simple_name(model)?, ":predict");
    let target = Target::of_model(LlmEndpoint::Embeddings, place, Form::VertexPredict);
    Ok(target.streams(false))
}

fn claude(
    asked: &Asked<'_>,
    before: &str,
    (model, verb): (&str, &str),
) -> Result<Target, TargetError> {
    asked.post()?;
    let query = query::read(asked, &["alt"], &["prettyPrint"])?;
    if (model, verb) == ("count-tokens", "rawPredict") {
        let path = format!("{before}count-tokens:rawPredict");
        let target = Target::plain(LlmEndpoint::CountTokens, &path, Form::Messages);
        return Ok(target.streams(false).with_query(query));
    }
    let streams = verb == "streamRawPredict";
    let after = if streams {
        ":streamRawPredict"
    } else {
        ":rawPredict"
    };
    let place = (before, path::simple_name(model)?, after);
    let target = Target::of_model(LlmEndpoint::Messages, place, Form::MessagesElsewhere);
    // The body says whether the answer is a stream, whichever of the two verbs it comes with.
    Ok(target.with_query(query))
}
