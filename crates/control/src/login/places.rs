//! Where a login may go. A server names its authorization server, which names its endpoints: all of
//! them are strangers' words. They are places on the web, under TLS, at public addresses or where
//! the server itself may be, and nothing else.

use ringfence_gateway::wire::dns::INTERNAL_ZONE;
use ringfence_gateway::{Outbound, OutboundError, OwnRequest, OwnResponse};
use ringfence_model::{HostName, Secret};
use serde::de::DeserializeOwned;

use super::error::{LoginError, refused, shown};
use super::limits::METADATA_OCTETS;
use super::target::Target;
use crate::endpoint::Endpoint;

/// The places of one login.
pub(super) struct Places {
    outbound: Outbound,
    server: Endpoint,
    /// Whether the person has named the authorization server.
    is_named: bool,
}

impl Places {
    pub(super) fn new(
        target: &Target,
        outbound: &Outbound,
        is_named: bool,
    ) -> Result<Self, LoginError> {
        let networks = target.networks.iter().map(String::as_str);
        let outbound = outbound.within(networks);
        Ok(Self {
            outbound: outbound.map_err(|error| LoginError::Given(error.to_string()))?,
            server: target.endpoint()?,
            is_named,
        })
    }

    pub(super) const fn server(&self) -> &Endpoint {
        &self.server
    }

    pub(super) const fn outbound(&self) -> &Outbound {
        &self.outbound
    }

    /// A place that somebody else named; `what` it is, for people.
    pub(super) fn read(&self, what: &str, text: &str) -> Result<Endpoint, LoginError> {
        let unusable = |why: &str| {
            refused(format!(
                "{what} is `{}`, which no login goes to: {why}; ask whoever runs the server",
                shown(text)
            ))
        };
        let endpoint = Endpoint::parse_near(text).map_err(|error| unusable(&error.to_string()))?;
        let host = &endpoint.destination().host;
        let is_servers = *host == self.server.destination().host;
        let is_own = |name: &HostName| name.is_within(INTERNAL_ZONE);
        if host.name().is_some_and(is_own) && !is_servers {
            return Err(unusable("the name is for servers on this machine only"));
        }
        let is_unknown = self.outbound.is_resolved_elsewhere(endpoint.destination());
        if is_unknown && !is_servers && !self.is_named {
            return Err(unusable(
                "an upstream proxy resolves its name, so its address cannot be checked; if it is \
                 the right one, name it with --issuer",
            ));
        }
        Ok(endpoint)
    }

    /// A place that a browser is led to. What opens it may be a script of the desktop's, so it holds
    /// nothing that any shell would read as more than a word.
    pub(super) fn read_for_browser(&self, what: &str, text: &str) -> Result<Endpoint, LoginError> {
        let endpoint = self.read(what, text)?;
        let is_word =
            |octet: u8| octet.is_ascii_alphanumeric() || b"-._~:/?&=%+,@[]".contains(&octet);
        if text.bytes().all(is_word) {
            return Ok(endpoint);
        }
        Err(refused(format!(
            "{what} holds characters that a URL has to percent-encode: `{}`; ask whoever runs the server",
            shown(text)
        )))
    }

    pub(super) async fn send(
        &self,
        what: &str,
        request: OwnRequest,
    ) -> Result<OwnResponse, LoginError> {
        let sent = self.outbound.send(request).await;
        sent.map_err(|source| match source {
            OutboundError::TooLarge => refused(format!("{what} answers at too great a length")),
            source => LoginError::Unreachable {
                what: what.to_owned(),
                source,
            },
        })
    }

    /// A document of metadata; none where there is none at this place.
    pub(super) async fn metadata<T: DeserializeOwned>(
        &self,
        at: &Endpoint,
    ) -> Result<Option<T>, LoginError> {
        let what = at.to_string();
        let request = OwnRequest {
            method: "GET".to_owned(),
            url: at.url(),
            headers: vec![("accept".to_owned(), Secret::new("application/json"))],
            body: Secret::new([]),
        };
        let answer = self.send(&what, request).await?;
        match answer.status {
            200 => json(&what, &answer).map(Some),
            300..=399 => Err(refused(format!(
                "{what} leads elsewhere (status {}), which is not followed; ask whoever runs the server",
                answer.status
            ))),
            400..=499 => Ok(None),
            status => Err(refused(format!(
                "{what} answered with status {status}; try again later"
            ))),
        }
    }
}

/// The JSON of an answer, bounded. The parser's words are not shown: they repeat what was read.
pub(super) fn json<T: DeserializeOwned>(what: &str, answer: &OwnResponse) -> Result<T, LoginError> {
    let mut types = answer
        .headers
        .iter()
        .filter(|(name, _)| name == "content-type");
    let is_json = types.next().is_some_and(|(_, value)| {
        let essence = value.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("application/json")
    });
    let octets = answer.body.expose();
    let why = if octets.len() > METADATA_OCTETS {
        "is too long"
    } else if !is_json {
        "is not marked as application/json"
    } else {
        match serde_json::from_slice(octets) {
            Ok(read) => return Ok(read),
            Err(_) => {
                "is not the JSON object that it must be, or has a member twice or of a wrong type"
            }
        }
    };
    Err(refused(format!(
        "what {what} answers {why}; ask whoever runs the server"
    )))
}
