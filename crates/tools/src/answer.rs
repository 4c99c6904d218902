//! What a tool answers: text, and where it is JSON the value as well.

use http::StatusCode;
use serde_json::{Value, json};

use crate::client::Answer;
use crate::command::Ended;
use crate::error::{CallError, head, tail};
use crate::limits::FAULT_OCTETS;

/// How output is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// As text.
    Text,
    /// As one JSON value.
    Json,
    /// As lines of text.
    Lines,
    /// As JSON where it says so, else as text.
    Declared,
}

/// What a tool found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    pub(crate) text: String,
    /// Always an object: older clients take nothing else.
    pub(crate) value: Option<Value>,
}

impl Found {
    /// A value of our own.
    pub(crate) fn of(value: Value) -> Self {
        let value = match value {
            Value::Object(_) => value,
            other => json!({ "result": other }),
        };
        Self {
            text: value.to_string(),
            value: Some(value),
        }
    }
}

/// What a program said.
///
/// # Errors
/// Where it failed, or what it said is not what it should be.
pub(crate) fn of_command(ended: &Ended, output: Output) -> Result<Found, CallError> {
    if !ended.status.success() {
        let said = if ended.fault.is_empty() {
            &ended.output
        } else {
            &ended.fault
        };
        let said = String::from_utf8_lossy(said);
        let said = tail(said.trim_end(), FAULT_OCTETS);
        return Err(CallError::new(format!(
            "the program ended with {}\n{said}",
            ended.status
        )));
    }
    read(&ended.output, ended.is_cut, output)
}

/// What an API answered.
///
/// # Errors
/// Where it refused, or what it said is not what it should be.
pub(crate) fn of_answer(answer: &Answer, output: Output) -> Result<Found, CallError> {
    let status = StatusCode::from_u16(answer.status).unwrap_or_default();
    if status.is_redirection() {
        let to = head(answer.location().unwrap_or("nowhere"), 512);
        return Err(CallError::new(format!(
            "HTTP {status}: it leads to {to}, where this tool does not follow"
        )));
    }
    if !status.is_success() {
        let said = String::from_utf8_lossy(&answer.body);
        return Err(CallError::new(format!(
            "HTTP {status}\n{}",
            head(said.trim(), FAULT_OCTETS)
        )));
    }
    let output = match output {
        Output::Declared if answer.is_json() => Output::Json,
        Output::Declared => Output::Text,
        other => other,
    };
    if answer.body.is_empty() {
        let text = format!("HTTP {status}, without content");
        return Ok(Found { text, value: None });
    }
    if output == Output::Text && std::str::from_utf8(&answer.body).is_err() && !answer.is_cut {
        let (octets, kind) = (answer.body.len(), &answer.kind);
        let text = format!("{octets} octets of the type `{kind}`, which are no text");
        return Ok(Found { text, value: None });
    }
    read(&answer.body, answer.is_cut, output)
}

fn read(octets: &[u8], is_cut: bool, output: Output) -> Result<Found, CallError> {
    let text = String::from_utf8_lossy(octets);
    if is_cut {
        let length = octets.len();
        let text = format!("{text}\n[cut here: there was more than {length} octets; ask for less]");
        return Ok(Found { text, value: None });
    }
    match output {
        Output::Text | Output::Declared => Ok(Found {
            text: text.into_owned(),
            value: None,
        }),
        Output::Lines => {
            let lines: Vec<&str> = text.lines().collect();
            Ok(Found {
                value: Some(json!({ "lines": lines })),
                text: text.into_owned(),
            })
        }
        Output::Json => {
            let value: Value = serde_json::from_slice(octets)
                .map_err(|error| CallError::new(format!("what came is no JSON: {error}")))?;
            Ok(Found::of(value))
        }
    }
}

#[cfg(test)]
mod tests;
