//! What providers say when something goes wrong.

use ringfence_model::llm::LlmFailure;

use crate::limits::{ID_OCTETS, MESSAGE_OCTETS};
use crate::text::shortened;
use ringfence_json::Value;

/// The failure that a document tells of.
pub(super) fn of(root: Value<'_>) -> Option<LlmFailure> {
    // Gemini's is in a list where it would have streamed one.
    let root = root.elements().next().unwrap_or(root);
    match root.get("error") {
        Some(error) if error.text().is_some() => Some(told("error", error.text().as_deref())),
        Some(error) => Some(in_error(error)),
        None => {
            let message = root.get("message").or_else(|| root.get("Message"))?;
            let kind = root.get("__type").or_else(|| root.get("type"));
            let kind = kind.and_then(Value::text).unwrap_or_else(|| "error".into());
            Some(told(&kind, message.text().as_deref()))
        }
    }
}

/// A failure whose name stands outside of the document.
pub(super) fn named(kind: &str, root: Value<'_>) -> LlmFailure {
    let message = root.get("message").and_then(Value::text);
    told(kind, message.as_deref())
}

/// A failure that says nothing.
pub(super) fn unnamed(status: u16) -> LlmFailure {
    told(&format!("http_{status}"), None)
}

/// The members of an error: the most telling name that it has.
pub(super) fn in_error(error: Value<'_>) -> LlmFailure {
    let mut names = ["type", "status", "code"].into_iter();
    let kind = names.find_map(|name| error.get(name)?.text());
    let message = error.get("message").and_then(Value::text);
    let mut failure = told(kind.as_deref().unwrap_or("error"), message.as_deref());
    failure.retry_after = retry_delay(error);
    failure
}

fn told(kind: &str, message: Option<&str>) -> LlmFailure {
    LlmFailure {
        kind: shortened(kind, ID_OCTETS).to_owned(),
        message: shortened(message.unwrap_or_default(), MESSAGE_OCTETS).to_owned(),
        retry_after: None,
    }
}

/// Google's `RetryInfo`: seconds with an `s` behind them.
fn retry_delay(error: Value<'_>) -> Option<u64> {
    let mut details = error.get("details")?.elements();
    let delay = details.find_map(|it| it.get("retryDelay")?.text())?;
    let seconds = delay.strip_suffix('s')?;
    let whole = seconds.split_once('.').map_or(seconds, |(whole, _)| whole);
    whole
        .parse::<u64>()
        .ok()?
        .checked_add(u64::from(whole.len() != seconds.len()))
}
