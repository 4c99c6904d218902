//! A request as a message of a WebSocket: the body of OpenAI's Responses in an event.

use bytes::Bytes;

use super::{Request, RequestError, read, shape};
use crate::target::Target;
use ringfence_json::{Spelling, Tape};

/// What a client may say.
const CREATE: &str = "response.create";

/// Why a message is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// It is no request, or none that can be read in one way.
    #[error("{0}")]
    Request(#[from] RequestError),
    /// It is another event.
    #[error("the gateway passes on events of the type `response.create` alone")]
    Other,
}

/// A request, and the response that it goes on from.
#[derive(Debug)]
pub struct Message {
    /// The request.
    pub request: Request,
    /// The id of a response that was made on the same connection.
    pub previous: Option<String>,
    /// Whether a model is to write something; else the provider makes ready for the next request.
    pub generates: bool,
}

/// Reads a message strictly. To go on from a response that `is_own` says was made on the same
/// connection asks the provider for nothing that it keeps.
///
/// # Errors
/// Where it can be read in more than one way, or is no request.
pub fn read_message(
    target: &Target,
    octets: Bytes,
    is_own: &dyn Fn(&str) -> bool,
) -> Result<Message, MessageError> {
    if octets.len() > crate::limits::BODY_OCTETS {
        return Err(RequestError::TooLarge.into());
    }
    let tape = Tape::read(&octets).map_err(RequestError::Json)?;
    let root = tape.root(&octets);
    let found = root.object(Spelling::Exact).and_then(|event| {
        let is_create = event.text("type")?.is_some_and(|it| it == CREATE);
        let previous = event.member("previous_response_id")?;
        let named = event.text("previous_response_id")?;
        let generates = event.boolean("generate")?.unwrap_or(true);
        let previous = previous.map(|(key, _)| key.at()).zip(named);
        let previous = previous.filter(|(_, id)| !id.is_empty());
        let previous = previous.map(|(at, id)| (at, id.into_owned()));
        Ok((is_create, previous, generates))
    });
    let (is_create, previous, generates) = found.map_err(|misread| shape(root, misread))?;
    drop(tape);
    if !is_create {
        return Err(MessageError::Other);
    }
    let mut request = read(target, octets)?;
    let previous = previous.filter(|(_, id)| is_own(id)).map(|(at, id)| {
        request.found.does_not_host(at);
        request.sum_up();
        id
    });
    Ok(Message {
        request,
        previous,
        generates,
    })
}
