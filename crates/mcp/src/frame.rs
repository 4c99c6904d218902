//! One message of JSON-RPC 2.0. It is read as no two readers could read it differently: names that
//! some readers fold to one are refused, ids are texts or whole numbers that every reader holds
//! exactly, and there are no batches. What goes on is written anew from what was read.

mod id;
#[cfg(test)]
mod tests;

use std::fmt;

use ringfence_json::{Changes, JsonError, Kind, Misread, Spelling, Tape, Value};
use serde_json::json;

use crate::limits::METHOD_OCTETS;
pub use id::Id;

/// One message.
#[derive(Clone)]
pub struct Frame {
    octets: Vec<u8>,
    tape: Tape,
    body: Body,
    changes: Changes,
}

/// What a message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// It wants an answer.
    Request {
        /// What its answer is known by.
        id: Id,
        /// What it asks for.
        method: String,
    },
    /// It wants none.
    Notification {
        /// What it tells of.
        method: String,
    },
    /// An answer.
    Result {
        /// What it answers.
        id: Id,
    },
    /// An answer that something went wrong.
    Error {
        /// What it answers; none where the other side could not tell.
        id: Option<Id>,
        /// What went wrong.
        code: i64,
    },
}

/// Why a text is no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// It is no JSON, or JSON that two readers could read differently.
    #[error("the message is not read as JSON: {0}")]
    Json(#[from] JsonError),
    /// It is JSON, but no message.
    #[error("{0}")]
    Invalid(String),
}

impl FrameError {
    /// The code of JSON-RPC for it.
    #[must_use]
    pub const fn code(&self) -> i64 {
        match self {
            Self::Json(_) => code::PARSE,
            Self::Invalid(_) => code::INVALID_REQUEST,
        }
    }
}

impl From<Misread> for FrameError {
    fn from(misread: Misread) -> Self {
        Self::Invalid(format!("a member of the message {}", misread.what))
    }
}

/// Codes of JSON-RPC 2.0 and of the protocol.
pub mod code {
    /// Not JSON.
    pub const PARSE: i64 = -32_700;
    /// JSON, but no message.
    pub const INVALID_REQUEST: i64 = -32_600;
    /// Nobody knows the method.
    pub const METHOD_NOT_FOUND: i64 = -32_601;
    /// The parameters are not what the method takes; an unknown tool.
    pub const INVALID_PARAMS: i64 = -32_602;
    /// Something went wrong inside.
    pub const INTERNAL: i64 = -32_603;
    /// A resource that is not there (up to 2025-11-25).
    pub const RESOURCE_NOT_FOUND: i64 = -32_002;
    /// The headers of HTTP say something else than the message (2026-07-28).
    pub const HEADER_MISMATCH: i64 = -32_020;
    /// A version that is not spoken (2026-07-28).
    pub const UNSUPPORTED_VERSION: i64 = -32_022;
    /// Policy does not allow it. Of Ringfence, in the range that servers may use.
    pub const REFUSED: i64 = -32_050;
}

impl Frame {
    /// Reads a message of at most `longest` octets.
    ///
    /// # Errors
    /// Where it is none, or one that two readers could read differently.
    pub fn read(octets: &[u8], longest: usize) -> Result<Self, FrameError> {
        if octets.len() > longest {
            return Err(JsonError::TooMany("octets").into());
        }
        let tape = Tape::read(octets)?;
        let body = body(tape.root(octets))?;
        let mut changes = Changes::default();
        for (key, _) in tape.root(octets).members() {
            // What is no part of a message was not looked at, and does not go on.
            if !PARTS.iter().any(|it| key.is_text(it)) {
                changes.remove(key.at());
            }
        }
        Ok(Self {
            octets: octets.to_vec(),
            tape,
            body,
            changes,
        })
    }

    /// What it is.
    #[must_use]
    pub const fn body(&self) -> &Body {
        &self.body
    }

    /// The id of a request or an answer.
    #[must_use]
    pub const fn id(&self) -> Option<&Id> {
        match &self.body {
            Body::Request { id, .. } | Body::Result { id } => Some(id),
            Body::Error { id, .. } => id.as_ref(),
            Body::Notification { .. } => None,
        }
    }

    /// The method of a request or notification.
    #[must_use]
    pub fn method(&self) -> Option<&str> {
        match &self.body {
            Body::Request { method, .. } | Body::Notification { method } => Some(method),
            Body::Result { .. } | Body::Error { .. } => None,
        }
    }

    /// The whole message, as it was read.
    #[must_use]
    pub fn root(&self) -> Value<'_> {
        self.tape.root(&self.octets)
    }

    /// The parameters of a request or notification.
    #[must_use]
    pub fn params(&self) -> Option<Value<'_>> {
        self.root().get("params")
    }

    /// The result of an answer.
    #[must_use]
    pub fn result(&self) -> Option<Value<'_>> {
        self.root().get("result")
    }

    /// The error of an answer.
    #[must_use]
    pub fn error(&self) -> Option<Value<'_>> {
        self.root().get("error")
    }

    /// Octets, as it was read.
    #[must_use]
    pub fn octets(&self) -> u64 {
        self.octets.len() as u64
    }

    /// What is to be changed of it, by the numbers of its values.
    pub const fn changes(&mut self) -> &mut Changes {
        &mut self.changes
    }

    /// The message written anew, with the changes, in its compact form.
    ///
    /// # Errors
    /// Where the changes make two names of one object the same.
    pub fn write(&self) -> Result<Vec<u8>, FrameError> {
        if self.changes.is_empty() {
            return Ok(self.root().compact());
        }
        let changed = self.changes.write(self.root());
        let tape = Tape::read(&changed)?;
        Ok(tape.root(&changed).compact())
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Texts may hold secrets.
        f.debug_struct("Frame")
            .field("body", &self.body)
            .field("octets", &self.octets.len())
            .finish_non_exhaustive()
    }
}

fn body(root: Value<'_>) -> Result<Body, FrameError> {
    let invalid = |why: &str| FrameError::Invalid(why.to_owned());
    if root.kind() != Kind::Object {
        return Err(invalid(
            "a message is one JSON object: batches are not spoken here",
        ));
    }
    let message = root.object(Spelling::Exact)?;
    let version = message.text("jsonrpc")?;
    if version.as_deref() != Some("2.0") {
        return Err(invalid("`jsonrpc` is not \"2.0\""));
    }
    let id = message.member("id")?.map(|(_, id)| id);
    let method = message.text("method")?;
    let result = message.member("result")?.map(|(_, it)| it);
    let error = message.get("error")?;
    match (method, result, error) {
        (Some(method), None, None) => {
            if method.len() > METHOD_OCTETS {
                return Err(invalid("its method is too long"));
            }
            params(message.member("params")?.map(|(_, it)| it))?;
            let method = method.into_owned();
            Ok(match id {
                Some(id) => Body::Request {
                    id: Id::read(id)?,
                    method,
                },
                None => Body::Notification { method },
            })
        }
        (None, Some(result), None) => {
            if result.kind() != Kind::Object {
                return Err(invalid("its `result` is no object"));
            }
            named(result, &ANSWERED)?;
            let id = id.ok_or_else(|| invalid("an answer has no `id`"))?;
            Ok(Body::Result { id: Id::read(id)? })
        }
        (None, None, Some(error)) => {
            let error = error.object(Spelling::Exact)?;
            let code = error.get("code")?.and_then(id::whole);
            let code = code.ok_or_else(|| invalid("the `code` of its error is no whole number"))?;
            let id = id.filter(|id| !id.is_null()).map(Id::read).transpose()?;
            Ok(Body::Error { id, code })
        }
        _ => Err(invalid(
            "a message has one of `method`, `result` and `error`",
        )),
    }
}

/// Parameters are an object whose names differ for every reader.
fn params(params: Option<Value<'_>>) -> Result<(), FrameError> {
    let Some(params) = params else {
        return Ok(());
    };
    named(params, &ASKED)
}

/// An object of which these names are read, here or on the other side, and no others that some
/// reader takes for them.
fn named(value: Value<'_>, names: &[&str]) -> Result<(), FrameError> {
    let object = value.object(Spelling::Exact)?;
    for name in names {
        object.member(name)?;
    }
    if let Some(meta) = object.get("_meta")? {
        meta.object(Spelling::Exact)?;
    }
    Ok(())
}

/// The members of a message.
const PARTS: [&str; 6] = ["jsonrpc", "id", "method", "params", "result", "error"];

/// What is read of an answer: what decides, what is opaque, what goes to a model.
const ANSWERED: [&str; 20] = [
    "_meta",
    "resultType",
    "inputRequests",
    "requestState",
    "nextCursor",
    "taskId",
    "task",
    "tasks",
    "tools",
    "prompts",
    "resources",
    "resourceTemplates",
    "content",
    "structuredContent",
    "isError",
    "instructions",
    "serverInfo",
    "capabilities",
    "protocolVersion",
    "cacheScope",
];

/// What is read of parameters, here or by a server.
const ASKED: [&str; 16] = [
    "_meta",
    "name",
    "arguments",
    "uri",
    "ref",
    "argument",
    "cursor",
    "taskId",
    "task",
    "requestState",
    "inputResponses",
    "notifications",
    "includeContext",
    "mode",
    "url",
    "progressToken",
];

/// An answer that something went wrong.
#[must_use]
pub fn error(
    id: Option<&Id>,
    code: i64,
    message: &str,
    data: Option<serde_json::Value>,
) -> Vec<u8> {
    let mut error = json!({"code": code, "message": message});
    if let (Some(data), Some(error)) = (data, error.as_object_mut()) {
        error.insert("data".to_owned(), data);
    }
    let id = id.map_or(serde_json::Value::Null, Id::to_json);
    json!({"jsonrpc": "2.0", "id": id, "error": error})
        .to_string()
        .into_bytes()
}

/// A request of our own.
#[must_use]
pub fn request(id: &Id, method: &str, params: serde_json::Value) -> Vec<u8> {
    json!({"jsonrpc": "2.0", "id": id.to_json(), "method": method, "params": params})
        .to_string()
        .into_bytes()
}

/// A notification of our own.
#[must_use]
pub fn notification(method: &str) -> Vec<u8> {
    json!({"jsonrpc": "2.0", "method": method})
        .to_string()
        .into_bytes()
}
