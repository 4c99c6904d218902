//! What of a response may go to the agent, as far as its head tells.

mod removing;

use http::header::{
    ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap,
    HeaderName, HeaderValue, SET_COOKIE, TRANSFER_ENCODING,
};
use http::{Method, StatusCode, Version};
use http_body::Body as _;
use ringfence_inspect::{Decoder, ScrubSet};
use ringfence_model::ReasonCode;
use ringfence_policy::RequestTerms;

use super::charset;
use super::exchange::{Answered, Chosen};
use super::fault::Fault;
use super::head::{clean_response, clean_trailers};
use super::held::Held;
use super::scrubbing::{Form, Scrubbing};
use super::withheld::Hidden;

/// Fields about the octets of a body, which are others after it was decoded and scrubbed.
const OF_THE_OCTETS: [&str; 5] = [
    "content-md5",
    "digest",
    "content-digest",
    "repr-digest",
    "want-digest",
];

/// A response that may go on.
pub(super) struct Passed {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// Where the body has to be read.
    pub(super) scrubbing: Option<Scrubbing>,
    /// What undoes the encoding of a body that must be read whole before it goes on.
    pub(super) encoded: Option<Decoder>,
    /// That body.
    pub(super) held: Option<Held>,
    /// Most octets of it.
    pub(super) limit: Option<u64>,
    /// Values that were taken out of the head.
    pub(super) scrubbed: u64,
}

/// Checks a response against the terms, and takes out of its head what may not go on.
pub(super) fn pass(answered: &mut Answered, method: &Method) -> Result<Passed, Fault> {
    let chosen = &mut answered.chosen;
    let status = answered.response.status();
    let http2 = answered.response.version() == Version::HTTP_2;
    let mut headers = std::mem::take(answered.response.headers_mut());
    let has_body = *method != Method::HEAD
        && !matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if chosen.withholding.is_some() && headers.contains_key(CONTENT_ENCODING) {
        // How long an encoded text is says something of a value in it.
        headers.remove(CONTENT_LENGTH);
    }
    if let Some(terms) = &chosen.terms {
        let checked = check(terms, status, (&headers, has_body));
        checked.map_err(|fault| fault.by(&terms.rule))?;
    }
    if chosen.must_be_read() {
        check_transfer(&headers)?;
    }
    let is_over = answered.response.body().is_end_stream();
    let members = match &chosen.terms {
        Some(terms) if has_body && !is_over => removing::members(terms, &headers)?,
        _ => None,
    };
    clean_response(&mut headers);
    let (mut scrubbing, mut encoded) = (None, None);
    if chosen.must_be_read() && has_body {
        let measured = headers.contains_key(CONTENT_LENGTH);
        let mut decoder = readable(status, &mut headers)?;
        let form = Form {
            media: &media_type(&headers),
            measured,
            http2,
        };
        let reading = match &chosen.withholding {
            Some(withholding) => {
                check_alphabet(&headers)?;
                encoded = decoder.take();
                let reading = Scrubbing::following(None, withholding.clone(), form);
                if encoded.is_some() && reading.is_stream() {
                    let reason =
                        "the upstream encoded a stream of events though it was asked not to";
                    return Err(Fault::refused(ReasonCode::ResponseRefused, reason));
                }
                reading
            }
            None => Scrubbing::new(decoder, ScrubSet::default(), form),
        };
        scrubbing = Some(reading.removing(members));
    }
    if chosen.credential.is_some() {
        // A session that the upstream opens for the credential is a credential as well.
        headers.remove(SET_COOKIE);
    }
    let scrubbed = scrub_for(&mut headers, chosen);
    Ok(Passed {
        status,
        headers,
        scrubbing,
        encoded: encoded.filter(|_| !is_over),
        held: None,
        limit: if has_body {
            let terms = chosen.terms.as_ref();
            terms.and_then(|terms| terms.response_octets)
        } else {
            // Over HTTP/2 an upstream can send one nevertheless, which nothing has looked at.
            Some(0)
        },
        scrubbed,
    })
}

/// What of the trailers may go on, and how many values were taken out of them.
pub(super) fn pass_trailers(trailers: &mut HeaderMap, chosen: &mut Chosen) -> u64 {
    clean_trailers(trailers);
    scrub_for(trailers, chosen)
}

fn check(
    terms: &RequestTerms,
    status: StatusCode,
    (headers, has_body): (&HeaderMap, bool),
) -> Result<(), Fault> {
    let refused = |reason: String| Err(Fault::refused(ReasonCode::ResponseRefused, reason));
    let code = status.as_u16();
    if let Some(statuses) = &terms.statuses
        && !statuses.iter().any(|range| range.contains(&code))
    {
        return refused(format!(
            "the upstream answered {code}, which the rule does not let through"
        ));
    }
    let length = headers.get(CONTENT_LENGTH).and_then(number);
    if let Some(types) = &terms.response_types
        && has_body
        && length != Some(0)
    {
        let media = media_type(headers);
        if !types.iter().any(|pattern| matches_type(pattern, &media)) {
            let media = if media.is_empty() { "no type" } else { &media };
            return refused(format!(
                "the upstream answered with {media}, which the rule does not let through"
            ));
        }
    }
    match (terms.response_octets, length) {
        (Some(limit), Some(length)) if length > limit => refused(format!(
            "the response has {length} octets, and the rule lets {limit} through"
        )),
        _ => Ok(()),
    }
}

/// What an upstream codes a message in beyond `chunked` is not undone, so it could not be read.
fn check_transfer(headers: &HeaderMap) -> Result<(), Fault> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let only_chunked = match (codings.next(), codings.next()) {
        (None, _) => true,
        (Some(coding), None) => coding.as_bytes().eq_ignore_ascii_case(b"chunked"),
        (Some(_), Some(_)) => false,
    };
    if only_chunked {
        return Ok(());
    }
    let reason = "the response cannot be read: it has another transfer coding than `chunked`";
    Err(Fault::refused(ReasonCode::ResponseRefused, reason))
}

/// A value can be found only where ASCII is written as it is.
fn check_alphabet(headers: &HeaderMap) -> Result<(), Fault> {
    if charset::unreadable(headers).is_none() {
        return Ok(());
    }
    let reason = "the upstream answered in an alphabet in which a credential cannot be found";
    Err(Fault::refused(ReasonCode::ResponseRefused, reason))
}

/// Makes sure that the whole of a body can be read, and takes out of the head what will not be
/// true of it any more.
fn readable(status: StatusCode, headers: &mut HeaderMap) -> Result<Option<Decoder>, Fault> {
    let refused = |reason: String| Fault::refused(ReasonCode::ResponseRefused, reason);
    let in_parts = status == StatusCode::PARTIAL_CONTENT
        || headers.contains_key(CONTENT_RANGE)
        || media_type(headers) == "multipart/byteranges";
    if in_parts {
        let reason = "the upstream answered with a part, in which a credential cannot be found";
        return Err(refused(reason.to_owned()));
    }
    let encodings: Vec<_> = headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .map(|value| value.to_str().unwrap_or("?"))
        .collect();
    let decoder = Decoder::for_encodings(&encodings.join(","))
        .map_err(|error| refused(format!("the response cannot be read: {error}")))?;
    for name in [CONTENT_LENGTH, CONTENT_ENCODING, ACCEPT_RANGES] {
        headers.remove(name);
    }
    for name in OF_THE_OCTETS {
        headers.remove(name);
    }
    if decoder.is_some()
        && let Some(weak) = headers.get(ETAG).and_then(weakened)
    {
        headers.insert(ETAG, weak);
    }
    Ok(decoder)
}

fn scrub_for(headers: &mut HeaderMap, chosen: &mut Chosen) -> u64 {
    match &mut chosen.withholding {
        Some(withholding) => scrub(headers, &withholding.hidden()),
        None => 0,
    }
}

/// Scrubs each field; one whose very name holds a value is left out.
fn scrub(headers: &mut HeaderMap, hidden: &Hidden) -> u64 {
    let mut scrubbed = 0;
    let named: Vec<HeaderName> = headers
        .keys()
        .filter(|name| hidden.is_in_name(name.as_str()))
        .cloned()
        .collect();
    for name in named {
        headers.remove(name);
        scrubbed += 1;
    }
    for value in headers.values_mut() {
        if let Some(clean) = hidden.set.scrub(value.as_bytes()) {
            scrubbed += 1;
            *value = HeaderValue::from_bytes(&clean)
                .unwrap_or_else(|_| HeaderValue::from_static(ringfence_inspect::REPLACEMENT));
        }
    }
    scrubbed
}

fn number(value: &HeaderValue) -> Option<u64> {
    value.to_str().ok()?.parse().ok()
}

/// In lower case, without parameters.
fn media_type(headers: &HeaderMap) -> String {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let media = value.unwrap_or_default().split(';').next();
    media.unwrap_or_default().trim().to_ascii_lowercase()
}

fn matches_type(pattern: &str, media: &str) -> bool {
    let pattern = pattern.to_ascii_lowercase();
    match pattern.strip_suffix('*') {
        Some("*/") => media.contains('/'),
        Some(begin) => begin.ends_with('/') && media.starts_with(begin),
        None => pattern == media,
    }
}

/// A validator of the encoded octets says nothing exact of the decoded ones (RFC 9110, 8.8.1).
fn weakened(etag: &HeaderValue) -> Option<HeaderValue> {
    let text = etag.to_str().ok()?;
    if text.starts_with("W/") {
        return None;
    }
    HeaderValue::try_from(format!("W/{text}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_match_exactly_or_below_a_star() {
        for (pattern, media, matches) in [
            ("application/json", "application/json", true),
            ("application/json", "application/jsonp", false),
            ("text/*", "text/html", true),
            ("text/*", "textual/html", false),
            ("text*", "text/html", false),
            ("*/*", "image/png", true),
            ("*/*", "", false),
            ("Application/JSON", "application/json", true),
        ] {
            assert_eq!(matches_type(pattern, media), matches, "{pattern} {media}");
        }
    }
}
