//! Reads a request whole, in the room that the sandbox has for bodies, and unpacks it.

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use ringfence_gateway::http::RequestBody;
use ringfence_gateway::{Gateway, Reserved, Session};
use ringfence_inspect::{DecodeError, Decoder};
use ringfence_trace::told::Form;
use tokio::time::timeout;

use super::limits::{BODY_OCTETS, REQUEST_WAIT, STEP_OCTETS, UNPACKED_OCTETS};

/// Why a request was not read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unread {
    #[error("the request is longer than {BODY_OCTETS} octets, or than {UNPACKED_OCTETS} unpacked")]
    TooLong,
    #[error("there is no room left to read the request in: too many others are under way")]
    NoRoom,
    #[error("the request did not arrive in time")]
    TimedOut,
    #[error("the client broke off: {0}")]
    Broken(String),
    #[error("the request is not what its Content-Encoding says: {0}")]
    Packed(DecodeError),
    #[error("the request is neither plain nor in gzip")]
    Encoding,
    #[error("the request is neither application/x-protobuf nor application/json")]
    Media,
}

/// How a request is written and packed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) form: Form,
    is_packed: bool,
}

impl Shape {
    /// As its head says.
    pub(super) fn of(head: &Parts) -> Result<Self, Unread> {
        let text = |name| head.headers.get(name).map(|it| it.to_str().unwrap_or("?"));
        let media = text(CONTENT_TYPE).unwrap_or_default();
        let media = media.split(';').next().unwrap_or_default().trim();
        let form = match media.to_ascii_lowercase().as_str() {
            "application/x-protobuf" => Form::Protobuf,
            "application/json" => Form::Json,
            _ => return Err(Unread::Media),
        };
        let is_packed = match text(CONTENT_ENCODING) {
            None | Some("identity" | "none") => false,
            Some(name) if name.eq_ignore_ascii_case("gzip") => true,
            Some(_) => return Err(Unread::Encoding),
        };
        Ok(Self { form, is_packed })
    }

    /// What a request says.
    pub(super) fn unpack(self, octets: Bytes) -> Result<Bytes, Unread> {
        if !self.is_packed {
            return Ok(octets);
        }
        let most = u64::try_from(UNPACKED_OCTETS).unwrap_or(u64::MAX);
        let decoder = Decoder::for_encodings("gzip").map_err(Unread::Packed)?;
        let Some(mut decoder) = decoder.map(|decoder| decoder.at_most(most)) else {
            return Err(Unread::Encoding);
        };
        let mut unpacked = Vec::new();
        for piece in octets.chunks(STEP_OCTETS) {
            decoder.feed(piece, &mut unpacked).map_err(packed)?;
        }
        decoder.finish().map_err(packed)?;
        Ok(unpacked.into())
    }
}

const fn packed(error: DecodeError) -> Unread {
    match error {
        DecodeError::TooLong | DecodeError::Expansion => Unread::TooLong,
        error => Unread::Packed(error),
    }
}

/// Reads a request of a sandbox.
pub(super) async fn whole(
    (gateway, session): (&Gateway, &Session),
    head: &Parts,
    shape: Shape,
    body: RequestBody,
) -> Result<(Bytes, Reserved), Unread> {
    let expected = announced(head)?;
    let unpacked = if shape.is_packed { UNPACKED_OCTETS } else { 0 };
    let room = gateway.reserve(session, (expected + unpacked) as u64).await;
    let room = room.ok_or(Unread::NoRoom)?;
    let received = timeout(REQUEST_WAIT, Limited::new(body, BODY_OCTETS).collect()).await;
    match received.map_err(|_| Unread::TimedOut)? {
        Ok(collected) => Ok((collected.to_bytes(), room)),
        Err(error) if error.is::<LengthLimitError>() => Err(Unread::TooLong),
        Err(error) => Err(Unread::Broken(error.to_string())),
    }
}

/// Reads a request away, and keeps nothing of it.
pub(super) async fn away(head: &Parts, mut body: RequestBody) -> Result<(), Unread> {
    announced(head)?;
    let reading = async {
        let mut octets = 0;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| Unread::Broken(error.to_string()))?;
            octets += frame.data_ref().map_or(0, Bytes::len);
            if octets > BODY_OCTETS {
                return Err(Unread::TooLong);
            }
        }
        Ok(())
    };
    let read = timeout(REQUEST_WAIT, reading).await;
    read.map_err(|_| Unread::TimedOut)?
}

/// How long the request is at most.
fn announced(head: &Parts) -> Result<usize, Unread> {
    let length = head.headers.get(CONTENT_LENGTH);
    let length = length.and_then(|it| it.to_str().ok()?.parse::<usize>().ok());
    match length {
        Some(octets) if octets > BODY_OCTETS => Err(Unread::TooLong),
        Some(octets) => Ok(octets),
        None => Ok(BODY_OCTETS),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn head(media: &str, encoding: Option<&str>) -> Parts {
        let mut request = http::Request::builder().header(CONTENT_TYPE, media);
        if let Some(encoding) = encoding {
            request = request.header(CONTENT_ENCODING, encoding);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn gzip(octets: &[u8]) -> Bytes {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packed.write_all(octets).unwrap();
        packed.finish().unwrap().into()
    }

    #[test]
    fn two_forms_are_read_packed_or_plain() {
        for (media, encoding, form) in [
            ("application/x-protobuf", None, Form::Protobuf),
            (
                "application/json; charset=utf-8",
                Some("identity"),
                Form::Json,
            ),
            ("Application/JSON", Some("GZIP"), Form::Json),
        ] {
            let shape = Shape::of(&head(media, encoding)).unwrap();
            assert_eq!(shape.form, form);
            let octets = Bytes::from_static(b"{}");
            let sent = if shape.is_packed {
                gzip(&octets)
            } else {
                octets.clone()
            };
            assert_eq!(shape.unpack(sent).unwrap(), octets);
        }
        let read = Shape::of(&head("text/plain", None));
        assert!(matches!(read, Err(Unread::Media)));
        for encoding in ["br", "gzip, gzip", "zstd"] {
            let read = Shape::of(&head("application/json", Some(encoding)));
            assert!(matches!(read, Err(Unread::Encoding)), "{encoding}");
        }
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        let shape = Shape::of(&head("application/json", Some("gzip"))).unwrap();
        let whole = gzip(&vec![b' '; 1 << 20]);
        assert_eq!(shape.unpack(whole.clone()).unwrap().len(), 1 << 20);
        for octets in [UNPACKED_OCTETS + 1, 256 << 20] {
            let unpacked = shape.unpack(gzip(&vec![b' '; octets]));
            assert!(matches!(unpacked, Err(Unread::TooLong)), "{octets}");
        }
        let cut = shape.unpack(whole.slice(..whole.len() - 3));
        assert!(matches!(cut, Err(Unread::Packed(_))));
        let none = shape.unpack(Bytes::from_static(b"not packed"));
        assert!(matches!(none, Err(Unread::Packed(_))));
    }
}
