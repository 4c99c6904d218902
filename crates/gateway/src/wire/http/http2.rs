//! The head of an HTTP/2 request, held to the same rules as one of HTTP/1. The library that
//! reads the frames knows the form of RFC 9113; what a request means is settled here.

use ::http::header::{CONTENT_LENGTH, COOKIE, EXPECT, HOST, TE};
use ::http::request::Parts;
use ::http::uri::PathAndQuery;
use ::http::{HeaderMap, HeaderValue, Uri};
use ringfence_model::Scheme;

use super::framing::{Kind, check_singles, read_length};
use super::headers::check_value;
use super::request::read_method;
use super::{Authority, HttpError, Target};
use crate::wire::limits::{
    HTTP_FIELD_NAME_OCTETS, HTTP_FIELDS, HTTP_HEAD_OCTETS, HTTP_START_LINE_OCTETS,
};

/// Checks a request that came by HTTP/2 on a connection of `scheme`, takes out of it what speaks
/// about the connection, and returns its authority. The target that is left is in origin form
/// and canonical.
///
/// # Errors
/// Where it is no request that may go on.
pub fn read_http2(parts: &mut Parts, scheme: Scheme) -> Result<Authority, HttpError> {
    let method = read_method(parts.method.as_str())?;
    // An extended CONNECT (RFC 8441) is one as well.
    if method == "CONNECT" {
        return Err(HttpError::Method);
    }
    if parts.uri.scheme_str() != Some(scheme.as_str()) {
        return Err(HttpError::Scheme);
    }
    check_fields(&parts.headers)?;
    let authority = authority(&parts.uri, &parts.headers)?;
    parts.uri = target(method, &parts.uri)?;
    tidy(&mut parts.headers)?;
    Ok(authority)
}

/// `:authority` and `Host` are one name, whichever of them is there.
fn authority(uri: &Uri, headers: &HeaderMap) -> Result<Authority, HttpError> {
    let pseudo = uri.authority();
    let pseudo = pseudo
        .map(|text| Authority::read(text.as_str()))
        .transpose()?;
    let mut hosts = headers.get_all(HOST).iter();
    let host = hosts.next().map(|value| {
        let text = value.to_str().map_err(|_| HttpError::Host)?;
        Authority::read(text)
    });
    if hosts.next().is_some() {
        return Err(HttpError::Host);
    }
    match (pseudo, host.transpose()?) {
        (Some(pseudo), Some(host)) if pseudo != host => Err(HttpError::HostMismatch),
        (Some(authority), _) | (None, Some(authority)) => Ok(authority),
        (None, None) => Err(HttpError::Host),
    }
}

fn target(method: &str, uri: &Uri) -> Result<Uri, HttpError> {
    let text = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    if text.len() > HTTP_START_LINE_OCTETS {
        return Err(HttpError::StartLineTooLong);
    }
    let written = match Target::read(method, text)? {
        Target::Asterisk => "*".to_owned(),
        Target::Origin { path, query: None } => path,
        Target::Origin {
            path,
            query: Some(query),
        } => format!("{path}?{query}"),
        Target::Absolute { .. } | Target::Authority(_) => return Err(HttpError::Target),
    };
    written.parse().map_err(|_| HttpError::Target)
}

fn check_fields(headers: &HeaderMap) -> Result<(), HttpError> {
    let octets = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len());
    if headers.len() > HTTP_FIELDS || octets.sum::<usize>() > HTTP_HEAD_OCTETS {
        return Err(HttpError::HeadTooLong);
    }
    for (name, value) in headers {
        check_field(name.as_str(), value.as_bytes())?;
    }
    check_singles(headers.iter().map(|(name, _)| name.as_str()))?;
    match headers.get_all(CONTENT_LENGTH).iter().count() {
        0 | 1 => Ok(()),
        _ => Err(HttpError::ContentLength),
    }
}

fn check_field(name: &str, value: &[u8]) -> Result<(), HttpError> {
    if name.len() > HTTP_FIELD_NAME_OCTETS {
        return Err(HttpError::HeadTooLong);
    }
    check_value(value)?;
    match Kind::of(name) {
        Kind::LooksLikeFraming => Err(HttpError::HeaderName),
        Kind::Connection | Kind::TransferEncoding | Kind::Upgrade => {
            Err(HttpError::ConnectionField)
        }
        Kind::ContentLength if read_length(value).is_none() => Err(HttpError::ContentLength),
        Kind::Expect if !value.eq_ignore_ascii_case(b"100-continue") => Err(HttpError::Expectation),
        Kind::Dropped if name == "te" && !value.eq_ignore_ascii_case(b"trailers") => {
            Err(HttpError::ConnectionField)
        }
        _ => Ok(()),
    }
}

/// Leaves what is end to end, and `TE: trailers`, without which some gRPC servers do not answer.
fn tidy(headers: &mut HeaderMap) -> Result<(), HttpError> {
    headers.remove(HOST);
    headers.remove(EXPECT);
    let names = headers.keys();
    let dropped = names.filter(|name| Kind::of(name.as_str()) == Kind::Dropped && **name != TE);
    for name in dropped.cloned().collect::<Vec<_>>() {
        headers.remove(name);
    }
    join_cookies(headers)
}

/// HTTP/2 clients may send a cookie in pieces (RFC 9113, section 8.2.3).
fn join_cookies(headers: &mut HeaderMap) -> Result<(), HttpError> {
    let pieces: Vec<&[u8]> = headers
        .get_all(COOKIE)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    if pieces.len() > 1 {
        let whole = HeaderValue::from_bytes(&pieces.join(&b"; "[..]));
        headers.insert(COOKIE, whole.map_err(|_| HttpError::HeaderValue)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
