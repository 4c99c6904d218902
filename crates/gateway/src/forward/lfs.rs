//! Moves an object of Git LFS between the agent and where the upstream's answer to a batch leads:
//! a place on the upstream's own host, or on a public one. The credential of the rule goes to the
//! repository alone; what the upstream wants sent along goes only where it said.

use http::header::HeaderMap;
use http::{Method, Request, Response};
use percent_encoding::{percent_decode, percent_decode_str};
use ringfence_model::git::{GitOperation, GitRequest, GitUpstream};
use ringfence_model::{Action, HttpRequest, ReasonCode, Scheme};

use std::sync::Arc;

use super::draft::Draft;
use super::exchange::{Answered, Chosen, Exchange};
use super::fault::Fault;
use super::head::{clean_request, is_authentication, substitute};
use super::held;
use super::lease::Lease;
use super::open::{Target, on};
use super::payload::Payload;
use super::pool::{Route, UpstreamPool};
use super::redirect::{Place, location};
use super::relayed;
use super::respond::Passed;
use super::send::{broke, unless};
use crate::http::{RequestBody, ResponseBody};
use crate::limits::REDIRECTS;
use crate::pipeline::{Gateway, Permit, Session, Stopped};
use crate::tls::Offer;

/// Where an upstream's answer to a batch says that an object is, or may be put, and what it wants
/// sent along. It is good for one action and no other.
pub struct LfsHref {
    action: GitRequest,
    origin: Place,
    place: Place,
    headers: HeaderMap,
    /// Whether it is a part of the repository on the upstream itself.
    is_within: bool,
}

/// Why an upstream's answer to a batch leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// The address is not whole, or not one of HTTP.
    #[error("the upstream named no valid URL for the object")]
    Url,
    /// It is not encrypted, though the upstream is.
    #[error("the upstream named a URL for the object that is not encrypted")]
    Plain,
    /// What it wants sent along would make another request of it.
    #[error("the upstream wants a header sent along that makes another request of it")]
    Header,
}

impl LfsHref {
    /// Of the upstream's answer: `href`, and the `header` that stands beside it. `action` is what it
    /// is good for.
    ///
    /// # Errors
    /// [`Unusable`].
    pub fn new(
        action: GitRequest,
        upstream: &GitUpstream,
        (href, mut headers): (&str, HeaderMap),
    ) -> Result<Self, Unusable> {
        let request = action.to_http(upstream);
        let origin = Place {
            scheme: request.scheme,
            destination: request.destination,
            path: request.path,
            query: None,
        };
        let place = origin.resolve(href).map_err(|_| Unusable::Url)?;
        if place.scheme == Scheme::Http && origin.scheme == Scheme::Https {
            return Err(Unusable::Plain);
        }
        clean_request(&mut headers);
        if substitute(&headers, place.query.as_deref()).is_some() {
            return Err(Unusable::Header);
        }
        let home = upstream.path_of(&action.repo);
        Ok(Self {
            is_within: place.is_at(&origin) && is_within(&place.path, &home),
            action,
            origin,
            place,
            headers,
        })
    }

    fn method(&self) -> Option<Method> {
        use ringfence_model::git::LfsDirection::{Download, Upload};
        match self.action.operation {
            GitOperation::LfsTransfer {
                direction: Download,
                ..
            } => Some(Method::GET),
            GitOperation::LfsTransfer {
                direction: Upload, ..
            } => Some(Method::PUT),
            GitOperation::LfsVerify { .. } => Some(Method::POST),
            _ => None,
        }
    }
}

/// Whether `path` goes on behind the path of the repository, however `.git` is written there, and in
/// no way that leads out of it.
fn is_within(path: &str, home: &str) -> bool {
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    let is_plain = |part: &str| !matches!(part, "." | "..") && !part.contains(['\\', '%']);
    let short = home.strip_suffix(".git").unwrap_or(home);
    let rest = path.strip_prefix(short);
    let rest = rest.map(|rest| rest.strip_prefix(".git").unwrap_or(rest));
    rest.is_some_and(|rest| rest.starts_with('/')) && decoded.split('/').all(is_plain)
}

impl Gateway {
    /// Sends what `permit` allows to where `href` leads. Of `request`, the headers and the body
    /// count: the method follows from what was decided on. Redirects of a download are followed.
    ///
    /// # Errors
    /// Why there is no response; the event is closed then.
    pub async fn forward_lfs(
        self: &Arc<Self>,
        (session, pool): (&Arc<Session>, &Arc<UpstreamPool>),
        permit: Permit,
        href: &LfsHref,
        request: Request<RequestBody>,
    ) -> Result<Response<ResponseBody>, Stopped> {
        let exchange = Exchange {
            gateway: self,
            session,
            pool,
            permit: &permit,
        };
        match run(&exchange, href, request).await {
            Ok((answered, passed)) => Ok(relayed::relay(answered, passed, permit)),
            Err(fault) => Err(fault.settle(permit)),
        }
    }
}

async fn run(
    exchange: &Exchange<'_>,
    href: &LfsHref,
    request: Request<RequestBody>,
) -> Result<(Answered, Passed), Fault> {
    let other = || refused("it is not for what was decided on");
    let decided = matches!(exchange.permit.action(), Action::Git(action) if *action == href.action);
    let method = href.method().filter(|_| decided).ok_or_else(other)?;
    let (head, body) = request.into_parts();
    let mut payload = Payload::new(body);
    let place = &href.place;
    let mut draft = Draft::own(exchange.request()?, &place.path, place.query.as_deref());
    draft.method = method.clone();
    draft.headers = head.headers;
    clean_request(&mut draft.headers);
    let asked = question(exchange, &draft)?;
    let choosing = exchange.choose(&asked, &mut payload);
    let chosen = unless(exchange.watch(), choosing).await?;
    let mut answered = first(exchange, href, (draft, payload), chosen).await?;
    if method == Method::GET {
        answered = follow(exchange, href, answered).await?;
    }
    let passed = held::pass(exchange, &mut answered, &method).await?;
    Ok((answered, passed))
}

/// The agent's part of the request, which the rule is chosen for: the query of the upstream's URL
/// is none of it.
fn question(exchange: &Exchange<'_>, draft: &Draft) -> Result<Draft, Fault> {
    let request = exchange.request()?;
    let mut question = Draft::own(request, &request.path, None);
    question.headers.clone_from(&draft.headers);
    Ok(question)
}

async fn first(
    exchange: &Exchange<'_>,
    href: &LfsHref,
    (mut draft, payload): (Draft, Payload),
    chosen: Chosen,
) -> Result<Answered, Fault> {
    if href.is_within && chosen.credential.is_some() {
        for (name, value) in &href.headers {
            if !is_authentication(name) {
                draft.headers.insert(name, value.clone());
            }
        }
        return exchange.send(draft, payload, chosen).await;
    }
    let own: Vec<_> = draft.headers.keys().cloned().collect();
    for name in own.iter().filter(|name| is_authentication(name)) {
        draft.headers.remove(name);
    }
    for (name, value) in &href.headers {
        draft.headers.insert(name, value.clone());
    }
    check_credential(&chosen, &draft)?;
    if href.place.is_at(&href.origin) {
        return at_home(exchange, (draft, payload), chosen).await;
    }
    elsewhere(exchange, &href.place, (draft, payload), chosen).await
}

/// On the upstream's own host, as the upstream said and without the credential of the rule.
async fn at_home(
    exchange: &Exchange<'_>,
    (mut draft, payload): (Draft, Payload),
    chosen: Chosen,
) -> Result<Answered, Fault> {
    chosen.ask(&mut draft);
    let material = chosen.credential.as_ref().map(|used| &used.material);
    let watch = exchange.watch().with(material, &chosen.tokens);
    let sending = exchange.exchange(draft, payload, (&chosen, &watch));
    let (response, lease) = unless(watch.clone(), sending).await?;
    Ok(Answered {
        response,
        lease: Some(lease),
        watch,
        chosen,
        followed: Vec::new(),
    })
}

/// On another host, on a connection of its own.
async fn elsewhere(
    exchange: &Exchange<'_>,
    place: &Place,
    (mut draft, payload): (Draft, Payload),
    mut chosen: Chosen,
) -> Result<Answered, Fault> {
    let action = barred(exchange, place, &draft.method)?;
    let (gateway, pool) = (exchange.gateway, exchange.pool);
    let host = &place.destination.host;
    let withheld = &gateway.upstreams().withheld;
    chosen.withholding = chosen.withholding.map(|it| it.at(withheld, host));
    let material = chosen.credential.as_ref().map(|used| &used.material);
    let watch = exchange.watch().with(material, &chosen.tokens);
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
        let dialled = gateway.dial_redirect(exchange.permit, &action).await?;
        let (sender, address) = on(gateway, dialled, (&target, Offer::Both), &pool.tasks).await?;
        let mut lease = Lease::alone(sender, address, target.route.clone());
        draft.scheme = place.scheme;
        draft.authority = crate::http::authority(&place.destination, place.scheme);
        chosen.ask(&mut draft);
        let body = payload.send(watch.clone(), None);
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
        followed: vec![host.to_string()],
    })
}

/// Some servers redirect a download to where the object lies. Nothing goes there but the question.
async fn follow(
    exchange: &Exchange<'_>,
    href: &LfsHref,
    mut answered: Answered,
) -> Result<Answered, Fault> {
    let mut at = href.place.clone();
    for _ in 0..REDIRECTS {
        let Some(location) = location(&answered)? else {
            return Ok(answered);
        };
        let next = at.resolve(&location)?;
        if next.scheme == Scheme::Http && href.origin.scheme == Scheme::Https {
            return Err(refused("it leads from https to http"));
        }
        if next.is_at(&href.origin) {
            return Err(refused("it leads back to the upstream"));
        }
        let mut draft = Draft::own(exchange.request()?, &next.path, next.query.as_deref());
        draft.headers.clear();
        let Answered {
            response,
            lease,
            chosen,
            mut followed,
            ..
        } = answered;
        drop((response, lease));
        check_credential(&chosen, &draft)?;
        let payload = Payload::new(crate::http::empty());
        answered = elsewhere(exchange, &next, (draft, payload), chosen).await?;
        followed.append(&mut answered.followed);
        answered.followed = followed;
        at = next;
    }
    match location(&answered)? {
        None => Ok(answered),
        Some(_) => Err(refused("there are too many redirects")),
    }
}

/// The request to another host, where no rule forbids it.
fn barred(exchange: &Exchange<'_>, place: &Place, method: &Method) -> Result<Action, Fault> {
    let action = Action::Http(HttpRequest {
        destination: place.destination.clone(),
        scheme: place.scheme,
        method: method.as_str().to_owned(),
        path: place.path.clone(),
        query: place.query.clone(),
        headers: Vec::new(),
        content: None,
    });
    match exchange.gateway.bars(&action) {
        None => Ok(action),
        Some(decision) => Err(refused(&decision.reason)),
    }
}

/// What an upstream makes of a place must not hold a credential: it would be sent there.
fn check_credential(chosen: &Chosen, draft: &Draft) -> Result<(), Fault> {
    let Some(mut withholding) = chosen.withholding.clone() else {
        return Ok(());
    };
    let hidden = withholding.hidden();
    let target = draft.target();
    let once: Vec<u8> = percent_decode_str(&target).collect();
    let twice: Vec<u8> = percent_decode(&once).collect();
    let texts = [target.as_bytes(), &once, &twice];
    let mut values = draft.headers.values();
    let found = texts.iter().any(|text| hidden.set.finds(text))
        || values.any(|value| hidden.set.finds(value.as_bytes()));
    if found {
        return Err(refused("it holds a credential"));
    }
    Ok(())
}

fn refused(why: &str) -> Fault {
    let reason = format!("the place that the upstream named for the object is not used: {why}");
    Fault::refused(ReasonCode::ResponseRefused, reason)
}

#[cfg(test)]
mod tests {
    use http::header::HeaderValue;
    use ringfence_model::git::RepoId;

    use super::*;

    fn href(href: &str, header: Option<(&'static str, &'static str)>) -> Result<LfsHref, Unusable> {
        let github = GitUpstream::builtin().swap_remove(0);
        let mut headers = HeaderMap::new();
        headers.extend(header.map(|(name, value)| {
            let name: http::HeaderName = name.parse().unwrap();
            (name, HeaderValue::from_static(value))
        }));
        let action = GitRequest {
            destination: github.destination.clone(),
            repo: RepoId::new(&github, "acme/docs").unwrap(),
            operation: GitOperation::LfsVerify {
                oid: "0".repeat(64),
                octets: 1,
            },
        };
        LfsHref::new(action, &github, (href, headers))
    }

    #[test]
    fn the_credential_is_for_what_is_within_the_repository() {
        for (place, within) in [
            ("https://github.com/acme/docs.git/info/lfs/x?y", true),
            ("https://github.com/acme/docs/gitlab-lfs/x", true),
            ("/acme/docs.git/info/lfs/x", true),
            ("https://github.com:443/acme/docs.git/x", true),
            ("https://github.com/acme/docs2.git/x", false),
            ("https://github.com/acme/other.git/x", false),
            ("https://github.com/acme/docs.git/../other.git/x", false),
            ("https://github.com/acme/docs.git/%2e%2e/other.git/x", false),
            ("https://github.com/acme/docs.git/%252e%252e/x", false),
            ("https://github.com/acme/docs.gitx/x", false),
            ("https://github.com:8443/acme/docs.git/x", false),
            ("https://evil.example/acme/docs.git/x", false),
        ] {
            assert_eq!(href(place, None).unwrap().is_within, within, "{place}");
        }
    }

    #[test]
    fn what_is_no_whole_and_encrypted_url_is_not_used() {
        let fault = |place| href(place, None).err();
        assert_eq!(fault("http://cdn.example/x"), Some(Unusable::Plain));
        for place in ["ftp://cdn.example/x", "x", "https://u:p@cdn.example/x", ""] {
            assert_eq!(fault(place), Some(Unusable::Url), "{place}");
        }
        assert_eq!(fault("https://cdn.example/x"), None);
    }

    #[test]
    fn headers_that_change_the_request_are_dropped_or_refused() {
        let sent = |name| href("https://cdn.example/x", Some((name, "x")));
        assert_eq!(sent("x-amz-copy-source").err(), Some(Unusable::Header));
        for name in [
            "host",
            "transfer-encoding",
            "content-length",
            "x-original-url",
        ] {
            assert!(sent(name).unwrap().headers.is_empty(), "{name}");
        }
        assert_eq!(sent("authorization").unwrap().headers.len(), 1);
    }
}
