//! Follows redirects to other hosts on behalf of the agent, so that it does not see the signed URL
//! that they often lead to. The credential stays behind, and so does nearly all that the agent
//! sent. A redirect within the host goes to the agent: what it asks for then is decided on anew.

use http::header::{ACCEPT, ACCEPT_ENCODING, HeaderMap, LOCATION, USER_AGENT};
use http::{Method, StatusCode, Uri};
use percent_encoding::{percent_decode, percent_decode_str};
use ringfence_model::{
    Action, Destination, HostName, HostPattern, HttpRequest, ReasonCode, Scheme,
};

use super::draft::Draft;
use super::exchange::{Answered, Exchange};
use super::fault::Fault;
use super::lease::Lease;
use super::open::{Target, on};
use super::payload::Payload;
use super::pool::Route;
use super::relayed::CREDENTIAL_ECHOED;
use super::send::{broke, unless};
use crate::limits::REDIRECTS;
use crate::tls::Offer;

/// Fields of the agent's request that the target of a redirect sees.
const PASSED_ON: [http::HeaderName; 3] = [ACCEPT, ACCEPT_ENCODING, USER_AGENT];

/// Where a response redirects to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) scheme: Scheme,
    pub(super) destination: Destination,
    pub(super) path: String,
    pub(super) query: Option<String>,
}

/// The fields that a followed request is sent with.
pub(super) fn passed_on(headers: &HeaderMap) -> HeaderMap {
    let mut passed = HeaderMap::new();
    for name in PASSED_ON {
        if let Some(value) = headers.get(&name) {
            passed.insert(name, value.clone());
        }
    }
    passed
}

/// Follows where the response leads, as far as the terms want it.
pub(super) async fn follow(
    exchange: &Exchange<'_>,
    mut answered: Answered,
    (method, headers): (&Method, HeaderMap),
) -> Result<Answered, Fault> {
    let terms = answered.chosen.terms.clone();
    let Some(hosts) = terms.as_ref().and_then(|terms| terms.follow.as_deref()) else {
        return Ok(answered);
    };
    let request = exchange.request()?;
    let origin = Place {
        scheme: request.scheme,
        destination: request.destination.clone(),
        path: request.path.clone(),
        query: None,
    };
    let mut at = origin.clone();
    for _ in 0..REDIRECTS {
        let Some(location) = location(&answered)? else {
            return Ok(answered);
        };
        let next = at.resolve(&location)?;
        if next.is_at(&origin) {
            if at.is_at(&origin) {
                return Ok(answered);
            }
            return Err(refused("it leads back to where it came from"));
        }
        if *method != Method::GET {
            return Err(refused("only a GET is followed to another host"));
        }
        check_location(exchange, &answered, &location)?;
        let action = check(exchange, &origin, &next)?;
        check_host(&next, hosts)?;
        answered = step(exchange, answered, (&next, &action, &headers)).await?;
        at = next;
    }
    match location(&answered)? {
        None => Ok(answered),
        Some(_) => Err(refused("there are too many of them")),
    }
}

/// `Location` of a response that redirects.
pub(super) fn location(answered: &Answered) -> Result<Option<String>, Fault> {
    let redirects = matches!(
        answered.response.status(),
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    let location = answered.response.headers().get(LOCATION);
    let Some(location) = location.filter(|_| redirects) else {
        return Ok(None);
    };
    match location.to_str() {
        Ok(location) => Ok(Some(location.to_owned())),
        Err(_) => Err(refused("its target is not valid")),
    }
}

/// Where an upstream redirects may be the agent's choice, so only the hosts of the rule are asked.
fn check_host(next: &Place, hosts: &[HostPattern]) -> Result<(), Fault> {
    let host = &next.destination.host;
    let is_named = |name: &HostName| hosts.iter().any(|pattern| pattern.matches(name));
    if host.name().is_some_and(is_named) {
        return Ok(());
    }
    let refused = refused(&format!("it leads to {host}, which the rule does not name"));
    Err(refused.but("a person can add the host to `follow` of the rule"))
}

/// What an upstream makes a target of must not hold the credential: the next host would get it.
fn check_location(
    exchange: &Exchange<'_>,
    answered: &Answered,
    location: &str,
) -> Result<(), Fault> {
    let Some(mut withholding) = answered.chosen.withholding.clone() else {
        return Ok(());
    };
    let hidden = withholding.hidden();
    let once: Vec<u8> = percent_decode_str(location).collect();
    let twice: Vec<u8> = percent_decode(&once).collect();
    let texts = [location.as_bytes(), &once, &twice];
    if !texts.iter().any(|text| hidden.set.finds(text)) {
        return Ok(());
    }
    let permit = exchange.permit;
    let detail = format!(
        "the response to {} (event {}) redirects to a URL that holds {}",
        permit.action(),
        permit.event(),
        answered.chosen.withheld()
    );
    exchange
        .gateway
        .find(exchange.session, CREDENTIAL_ECHOED, detail);
    Err(refused("its target holds a credential"))
}

/// The request that is sent there, where nothing forbids it.
fn check(exchange: &Exchange<'_>, origin: &Place, next: &Place) -> Result<Action, Fault> {
    if origin.scheme == Scheme::Https && next.scheme == Scheme::Http {
        return Err(refused("it leads from https to http"));
    }
    let action = Action::Http(HttpRequest {
        destination: next.destination.clone(),
        scheme: next.scheme,
        method: "GET".to_owned(),
        path: next.path.clone(),
        query: next.query.clone(),
        headers: Vec::new(),
        content: None,
    });
    match exchange.gateway.bars(&action) {
        None => Ok(action),
        Some(decision) => Err(refused(&decision.reason)),
    }
}

/// One request to where a redirect leads, on a connection of its own.
async fn step(
    exchange: &Exchange<'_>,
    before: Answered,
    (place, action, headers): (&Place, &Action, &HeaderMap),
) -> Result<Answered, Fault> {
    let Answered {
        response,
        lease,
        watch,
        mut chosen,
        mut followed,
    } = before;
    let withheld = &exchange.gateway.upstreams().withheld;
    let host = &place.destination.host;
    chosen.withholding = chosen.withholding.map(|it| it.at(withheld, host));
    followed.push(place.destination.host.to_string());
    drop((response, lease));
    let (gateway, pool) = (exchange.gateway, exchange.pool);
    let target = Target {
        route: Route {
            destination: place.destination.clone(),
            scheme: place.scheme,
            identity: None,
        },
        identity: None,
        side_by_side: true,
        may_share: false,
    };
    let sending = async {
        let dialled = gateway.dial_redirect(exchange.permit, action).await?;
        let (sender, address) = on(gateway, dialled, (&target, Offer::Both), &pool.tasks).await?;
        let mut lease = Lease::alone(sender, address, target.route.clone());
        let mut draft = Draft::own(exchange.request()?, &place.path, place.query.as_deref());
        draft.scheme = place.scheme;
        draft.authority = crate::http::authority(&place.destination, place.scheme);
        draft.headers.clone_from(headers);
        chosen.ask(&mut draft);
        let body = Payload::new(crate::http::empty()).send(watch.clone(), None);
        let progress = body.progress();
        let request = draft.write(lease.is_http2(), body)?;
        let sent = lease.send(request, &progress).await;
        let response = sent.map_err(|unsent| broke(&unsent.error, &progress))?;
        Ok::<_, Fault>((response, lease))
    };
    let (response, lease) = unless(watch.clone(), sending).await?;
    Ok(Answered {
        response,
        lease: Some(lease),
        watch,
        chosen,
        followed,
    })
}

impl Place {
    pub(super) fn is_at(&self, other: &Self) -> bool {
        self.destination == other.destination && self.scheme == other.scheme
    }

    /// Where `location` leads from here (RFC 3986, section 5.2). A path that is relative to this
    /// one stays on the host, which is all that matters of it.
    pub(super) fn resolve(&self, location: &str) -> Result<Self, Fault> {
        let invalid = || refused("its target is not valid");
        let location = location.split('#').next().unwrap_or_default();
        let absolute = match location.strip_prefix("//") {
            Some(_) => format!("{}:{location}", self.scheme.as_str()),
            None => location.to_owned(),
        };
        if !absolute.contains("://") {
            let (path, query) = match location.split_once('?') {
                Some((path, query)) => (path, Some(query.to_owned())),
                None => (location, None),
            };
            if !path.starts_with('/') {
                return Err(refused("its target is not a whole URL"));
            }
            return Ok(Self {
                path: path.to_owned(),
                query,
                ..self.clone()
            });
        }
        let uri: Uri = absolute.parse().map_err(|_| invalid())?;
        let (scheme, implied) = match uri.scheme_str() {
            Some("https") => (Scheme::Https, 443),
            Some("http") => (Scheme::Http, 80),
            _ => return Err(invalid()),
        };
        let authority = uri.authority().ok_or_else(invalid)?;
        if authority.as_str().contains('@') {
            return Err(invalid());
        }
        let port = authority.port_u16().unwrap_or(implied);
        let host = authority.host().parse().map_err(|_| invalid())?;
        Ok(Self {
            scheme,
            destination: Destination::new(host, port).map_err(|_| invalid())?,
            path: uri.path().to_owned(),
            query: uri.query().map(str::to_owned),
        })
    }
}

fn refused(why: &str) -> Fault {
    let reason = format!("the redirect of the upstream is not followed: {why}");
    Fault::refused(ReasonCode::ResponseRefused, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Result<Place, Fault> {
        let from = Place {
            scheme: Scheme::Https,
            destination: "api.test:443".parse().unwrap(),
            path: "/a".to_owned(),
            query: None,
        };
        from.resolve(text)
    }

    #[test]
    fn targets_are_resolved_strictly() {
        for (location, expected) in [
            ("https://b.test/x?y=1#z", Some(("b.test:443", "/x"))),
            ("//b.test:8443/x", Some(("b.test:8443", "/x"))),
            ("/b", Some(("api.test:443", "/b"))),
            ("https://API.test/b", Some(("api.test:443", "/b"))),
            ("https://user@b.test/", None),
            ("ftp://b.test/", None),
            ("b/c", None),
            ("https://b.test:0/", None),
            ("https:///x", None),
            ("https://a_b.test/", None),
            ("", None),
        ] {
            let found = place(location).ok();
            let found = found.map(|place| (place.destination.to_string(), place.path));
            let expected = expected.map(|(host, path)| (host.to_owned(), path.to_owned()));
            assert_eq!(found, expected, "{location}");
        }
    }
}
