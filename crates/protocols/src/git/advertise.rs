//! What a server offers: the first request of every clone, fetch and push.

use http::Response;
use http::header::{ACCEPT, ACCEPT_ENCODING, HeaderName};
use http::request::Parts;
use ringfence_gateway::git::GitTerms;
use ringfence_gateway::http::{ResponseBody, empty};
use ringfence_git::wire::advertisement::{AdvertisementFilter, Offer};
use ringfence_git::wire::fetched::SeenRef;
use ringfence_git::wire::report::error_packet;
use ringfence_git::wire::target::advertisement_type;
use ringfence_git::wire::{ProtocolVersion, WireError};
use ringfence_model::HttpRequest;
use ringfence_model::git::{GitOperation, GitService, Oid, RefName};

use super::filtered::{Filter, filtered};
use super::say::{Words, set_type};
use super::service::{Client, Place, headers};
use super::{shown, status};

/// The field by which a client asks for a version of the protocol.
pub(super) const GIT_PROTOCOL: HeaderName = HeaderName::from_static("git-protocol");

impl Client {
    /// Answers `GET info/refs`.
    pub(super) async fn discover(
        &self,
        place: &Place,
        service: GitService,
        head: &Parts,
        action: HttpRequest,
    ) -> Response<ResponseBody> {
        let version = match version(service, head) {
            Ok(version) => version,
            Err(error) => return self.odd(action, &error.into()).as_page(),
        };
        let (permit, terms) = match self.decide(place, GitOperation::Discover { service }) {
            Ok(decided) => decided,
            Err(stopped) => return Words::of(&stopped).as_page(),
        };
        let mut own = vec![(ACCEPT, "*/*"), (ACCEPT_ENCODING, "identity")];
        own.extend(version.as_header().map(|value| (GIT_PROTOCOL, value)));
        let headers = headers(&head.headers, &own);
        let (event, viewer) = (permit.event(), self.viewer(place, &permit));
        let answered = self.send(permit, headers, empty()).await;
        let response = match answered {
            Ok(response) => response,
            Err(stopped) => return Words::of(&stopped).as_page(),
        };
        let wanted = advertisement_type(service);
        let body = match status::check(response, place, wanted).await {
            Ok(body) => body,
            Err(failed) => return self.failed(place, event, &failed).as_page(),
        };
        let offer = Offer {
            push_options: terms.takes_options(),
            // A client that is not offered it refuses by itself, and says no reason.
            deletes: true,
            no_thin: true,
        };
        let reads_all = terms.reads_all_refs();
        let is_push = service == GitService::ReceivePack;
        let shows = move |seen: &SeenRef<'_>| {
            if reads_all {
                return true;
            }
            let is_read = may_read(&terms, seen);
            if is_read {
                shown::note(&viewer, objects(seen));
            }
            // What may be changed is shown to who changes it, and not for reading.
            is_read || (is_push && may_change(&terms, seen))
        };
        let filter = AdvertisementFilter::new(service, offer, shows);
        let mut answer = body.answer(|octets| filtered(octets, Refs(filter)));
        set_type(&mut answer, wanted);
        answer
    }
}

/// A push is always of the first version, whatever the client says.
fn version(service: GitService, head: &Parts) -> Result<ProtocolVersion, WireError> {
    if service == GitService::ReceivePack {
        return Ok(ProtocolVersion::V0);
    }
    let value = head.headers.get(GIT_PROTOCOL);
    let text = value.map(|value| value.to_str().unwrap_or("?"));
    ProtocolVersion::from_header(text)
}

/// Whether a ref may be read.
pub(super) fn may_read(terms: &GitTerms, seen: &SeenRef<'_>) -> bool {
    named(seen).is_some_and(|name| terms.may_read(&name))
}

fn may_change(terms: &GitTerms, seen: &SeenRef<'_>) -> bool {
    named(seen).is_some_and(|name| terms.may_change(&name))
}

/// The name that rules are about. `HEAD` is shown where what it stands for is.
fn named(seen: &SeenRef<'_>) -> Option<RefName> {
    let name = seen.name.strip_suffix("^{}").unwrap_or(seen.name);
    let name = seen.target.filter(|_| name == "HEAD").unwrap_or(name);
    RefName::new(name).ok()
}

pub(super) fn objects<'s>(seen: &'s SeenRef<'_>) -> impl Iterator<Item = Oid> + 's {
    seen.oid.into_iter().chain(seen.peeled)
}

struct Refs<F>(AdvertisementFilter<F>);

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
