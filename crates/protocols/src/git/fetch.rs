//! `POST git-upload-pack`: lists of refs, and objects. The request is read whole and written anew;
//! the answer streams.

use std::io::Read as _;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http::Response;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http_body_util::{BodyExt as _, Limited};
use ringfence_gateway::Stopped;
use ringfence_gateway::git::GitTerms;
use ringfence_gateway::http::{RequestBody, ResponseBody, full};
use ringfence_git::wire::fetch::{Fetch, FetchRequest, ListRefs};
use ringfence_git::wire::fetched::{PackFilter, RefsFilter, SeenRef};
use ringfence_git::wire::report::error_packet;
use ringfence_git::wire::sideband::{self, Band};
use ringfence_git::wire::target::{request_type, result_type};
use ringfence_git::wire::{ProtocolVersion, WireError};
use ringfence_model::git::{GitOperation, GitService, RefName};
use ringfence_model::{HttpRequest, Outcome, ReasonCode};
use tokio::time::timeout;

use super::advertise::{GIT_PROTOCOL, may_read, objects};
use super::filtered::{Filter, filtered};
use super::heard::Heard;
use super::limits::{FETCH_REQUEST_OCTETS, REQUEST_WAIT};
use super::say::{Words, result, set_type};
use super::service::{Client, Odd, Place, headers};
use super::shown::{self, Viewer};
use super::status;

const SERVICE: GitService = GitService::UploadPack;

impl Client {
    /// Answers `POST git-upload-pack`.
    pub(super) async fn fetch(
        &self,
        place: &Place,
        (head, body): (&Parts, RequestBody),
        action: HttpRequest,
    ) -> Response<ResponseBody> {
        let Some(mut room) = self.room(room_for(head)).await else {
            return self.odd(action, &Odd::NoRoom).as_fetch();
        };
        let (request, version) = match read(head, body).await {
            Ok(read) => read,
            Err(odd) => return self.odd(action, &odd).as_fetch(),
        };
        if request == FetchRequest::Probe {
            return match self.decide(place, operation(&request)) {
                Ok((permit, _)) => {
                    permit.finish(Outcome::Status(200));
                    result(SERVICE, Vec::new())
                }
                Err(stopped) => Words::of(&stopped).as_fetch(),
            };
        }
        // What is kept while the upstream thinks is the request alone.
        room.shrink(request.write().len() as u64);
        let answered = self.fetched(place, (head, version), request).await;
        drop(room);
        answered.unwrap_or_else(|words| words.as_fetch())
    }

    async fn fetched(
        &self,
        place: &Place,
        (head, version): (&Parts, ProtocolVersion),
        request: FetchRequest,
    ) -> Result<Response<ResponseBody>, Words> {
        let stopped = |stopped: Stopped| Words::of(&stopped);
        let (permit, terms) = self.decide(place, operation(&request)).map_err(stopped)?;
        let viewer = self.viewer(place, &permit);
        let reads_all = terms.reads_all_refs();
        let mut request = request;
        if let FetchRequest::Fetch(fetch) = &mut request
            && !reads_all
            && let Some(reason) = beyond(fetch, &terms, &viewer)
        {
            let refusal = permit.refuse(ReasonCode::RefNotAllowed, reason);
            return Err(Words::of(&Stopped::Refused(refusal)));
        }
        let mut own = vec![
            (CONTENT_TYPE, request_type(SERVICE)),
            (ACCEPT, result_type(SERVICE)),
            (ACCEPT_ENCODING, "identity"),
        ];
        own.extend(version.as_header().map(|value| (GIT_PROTOCOL, value)));
        let headers = headers(&head.headers, &own);
        let event = permit.event();
        let sent = self.send(permit, headers, full(request.write())).await;
        let response = sent.map_err(stopped)?;
        let checked = status::check(response, place, result_type(SERVICE)).await;
        let body = checked.map_err(|failed| self.failed(place, event, &failed))?;
        let mut answer = match request {
            FetchRequest::Fetch(fetch) => {
                let heard = Heard::new(self.gateway.withheld());
                let filter = Pack(Box::new(PackFilter::relay(&fetch).censored(heard)));
                body.answer(|octets| filtered(octets, filter))
            }
            FetchRequest::ListRefs(list) => {
                let shows = move |seen: &SeenRef<'_>| {
                    if reads_all {
                        return true;
                    }
                    let is_read = may_read(&terms, seen);
                    if is_read {
                        shown::note(&viewer, objects(seen));
                    }
                    is_read
                };
                let filter = Refs(RefsFilter::new(list.format, shows));
                body.answer(|octets| filtered(octets, filter))
            }
            FetchRequest::Probe => body.answer(|octets| octets),
        };
        set_type(&mut answer, result_type(SERVICE));
        Ok(answer)
    }
}

/// Where not all refs may be read: what a request asks for beyond those. A server gives out what is
/// named, and what can be reached from what is named, in each of these ways.
fn beyond(fetch: &mut Fetch, terms: &GitTerms, viewer: &Viewer) -> Option<&'static str> {
    // Tags that were not asked for may be of other refs.
    fetch.include_tag = false;
    let names_hidden = fetch.want_refs.iter().any(|name| !terms.may_read(name));
    if names_hidden || shown::hidden(viewer, &fetch.wants).is_some() {
        return Some("an object is wanted that none of the refs names that may be read");
    }
    // A server that deepens sends the parents of what the client calls its boundary.
    if fetch.deepen.is_any() && shown::hidden(viewer, &fetch.shallow).is_some() {
        return Some("where not all refs may be read, a shallow clone cannot be deepened");
    }
    let may_read = |name: &String| {
        let full = RefName::new(name).or_else(|_| RefName::new(&format!("refs/heads/{name}")));
        full.is_ok_and(|name| terms.may_read(&name))
    };
    if !fetch.deepen.not.iter().all(may_read) {
        return Some("the history is to be cut at a ref that may not be read");
    }
    None
}

fn operation(request: &FetchRequest) -> GitOperation {
    match request {
        FetchRequest::ListRefs(ListRefs { prefixes, .. }) => GitOperation::ListRefs {
            prefixes: prefixes.iter().take(RECORDED_PREFIXES).cloned().collect(),
        },
        FetchRequest::Fetch(fetch) => fetch_operation(fetch),
        FetchRequest::Probe => GitOperation::Discover { service: SERVICE },
    }
}

/// Prefixes of refs that are recorded of one request.
const RECORDED_PREFIXES: usize = 32;

fn fetch_operation(fetch: &Fetch) -> GitOperation {
    let wants = fetch.wants.len() + fetch.want_refs.len();
    GitOperation::Fetch {
        wants: u32::try_from(wants).unwrap_or(u32::MAX),
        filter: fetch.filter.clone(),
        shallow: fetch.deepen.is_any(),
    }
}

/// What a request can take: as much as it announces, or all that is ever read of one, and as much
/// again for what that decodes to.
fn room_for(head: &Parts) -> u64 {
    let most = FETCH_REQUEST_OCTETS as u64;
    let length = head.headers.get(CONTENT_LENGTH);
    let length = length.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    match length {
        Some(length) if !head.headers.contains_key(CONTENT_ENCODING) => length.min(most),
        _ => 2 * most,
    }
}

async fn read(head: &Parts, body: RequestBody) -> Result<(FetchRequest, ProtocolVersion), Odd> {
    let version = head.headers.get(GIT_PROTOCOL);
    let version = version.map(|value| value.to_str().unwrap_or("?"));
    let version = ProtocolVersion::from_header(version)?;
    let reading = Limited::new(body, FETCH_REQUEST_OCTETS).collect();
    let whole = timeout(REQUEST_WAIT, reading)
        .await
        .map_err(|_| Odd::TimedOut)?
        .map_err(|error| Odd::Body(error.to_string()))?
        .to_bytes();
    let encoding = head.headers.get(CONTENT_ENCODING);
    let whole = match encoding.map(http::HeaderValue::as_bytes) {
        None => whole,
        Some(b"gzip" | b"x-gzip") => inflated(&whole)?,
        Some(_) => return Err(Odd::Encoding),
    };
    let request = FetchRequest::parse(version, &whole)?;
    Ok((request, version))
}

fn inflated(octets: &[u8]) -> Result<Bytes, Odd> {
    let mut whole = Vec::new();
    let most = FETCH_REQUEST_OCTETS as u64 + 1;
    let mut decoder = MultiGzDecoder::new(octets).take(most);
    let read = decoder.read_to_end(&mut whole);
    read.map_err(|error| Odd::Body(error.to_string()))?;
    if whole.len() > FETCH_REQUEST_OCTETS {
        return Err(WireError::TooLarge("a request to fetch").into());
    }
    Ok(whole.into())
}

struct Refs<F>(RefsFilter<F>);

impl<F: FnMut(&SeenRef<'_>) -> bool + Send + 'static> Filter for Refs<F> {
    fn feed(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), WireError> {
        self.0.feed(piece, out)
    }

    fn finish(self: Box<Self>, _: &mut Vec<u8>) -> Result<(), WireError> {
        self.0.finish().map(drop)
    }

    fn complain(&self, reason: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(&error_packet(reason));
    }
}

struct Pack(Box<PackFilter>);

impl Filter for Pack {
    fn passes(&mut self, piece: &[u8]) -> bool {
        self.0.passes(piece)
    }

    fn feed(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), WireError> {
        self.0.feed(piece, out)
    }

    fn finish(self: Box<Self>, _: &mut Vec<u8>) -> Result<(), WireError> {
        self.0.finish().map(drop)
    }

    /// The client is most likely in side bands, where the third one ends everything.
    fn complain(&self, reason: &str, out: &mut Vec<u8>) {
        sideband::write_text(Band::Fatal, reason.as_bytes(), out);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(octets: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(octets).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_request_takes_the_room_that_it_announces_and_never_more_than_there_is_to_read() {
        let most = FETCH_REQUEST_OCTETS as u64;
        for (length, encoding, room) in [
            (Some("312"), None, 312),
            (Some("99999999999"), None, most),
            (Some("312"), Some("gzip"), 2 * most),
            (None, None, 2 * most),
        ] {
            let mut request = http::Request::post("/x");
            if let Some(length) = length {
                request = request.header(CONTENT_LENGTH, length);
            }
            if let Some(encoding) = encoding {
                request = request.header(CONTENT_ENCODING, encoding);
            }
            let (head, ()) = request.body(()).unwrap().into_parts();
            assert_eq!(room_for(&head), room, "{length:?} {encoding:?}");
        }
    }

    #[test]
    fn a_request_is_inflated_up_to_a_bound() {
        assert_eq!(inflated(&gzip(b"0000")).unwrap(), "0000");
        let bomb = gzip(&vec![0; FETCH_REQUEST_OCTETS + 1]);
        assert!(bomb.len() < 10_000);
        assert!(matches!(
            inflated(&bomb),
            Err(Odd::Wire(WireError::TooLarge(_)))
        ));
        assert!(inflated(b"no gzip").is_err());
        let cut = gzip(b"0000");
        assert!(inflated(&cut[..cut.len() - 4]).is_err());
    }
}
