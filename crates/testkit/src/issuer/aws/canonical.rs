//! The canonical request: what both sides sign.

use sha2::{Digest, Sha256};

use crate::api::ApiRequest;

/// Method, path, query, headers, names of headers, digest of the body.
pub(super) fn request(
    request: &ApiRequest,
    signed: &[&str],
    service: &str,
) -> Result<String, &'static str> {
    let is_sorted = signed.windows(2).all(|pair| pair.first() < pair.last());
    if !is_sorted {
        return Err("the signed headers are not in order");
    }
    let mut headers = String::new();
    for name in signed {
        let values: Vec<_> = request
            .headers
            .iter()
            .filter(|(known, _)| known == name)
            .map(|(_, value)| value.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        if values.is_empty() {
            return Err("a signed header is not there");
        }
        headers += &format!("{name}:{}\n", values.join(","));
    }
    Ok([
        request.method.as_str(),
        &path(&request.path, service),
        &query(&request.query),
        &headers,
        &signed.join(";"),
        &payload(request, service)?,
    ]
    .join("\n"))
}

/// What was sent, encoded once more: only S3 takes the path as it was sent.
fn path(path: &str, service: &str) -> String {
    if service == "s3" {
        return path.to_owned();
    }
    path.split('/').map(encode).collect::<Vec<_>>().join("/")
}

/// Sorted by name, then by value, as encoded.
fn query(query: &str) -> String {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<_> = pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (encode(&decode(name)), encode(&decode(value)))
        })
        .collect();
    pairs.sort();
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

/// The digest that was sent must be that of the body. Only S3 does without.
fn payload(request: &ApiRequest, service: &str) -> Result<String, &'static str> {
    let actual = sha256(&request.body);
    match request.header("x-amz-content-sha256") {
        None if service == "s3" => Err("x-amz-content-sha256 is missing"),
        Some("UNSIGNED-PAYLOAD") if service == "s3" => Ok("UNSIGNED-PAYLOAD".to_owned()),
        Some(sent) if sent != actual => Err("the body is not the one that was signed"),
        _ => Ok(actual),
    }
}

/// The SHA-256 in hexadecimal digits.
pub(super) fn sha256(octets: &[u8]) -> String {
    hex(&Sha256::digest(octets))
}

pub(super) fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// All but the unreserved characters of RFC 3986.
fn encode(text: &str) -> String {
    let encode = |octet: u8| match octet {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(octet).to_string()
        }
        _ => format!("%{octet:02X}"),
    };
    text.bytes().map(encode).collect()
}

/// `+` stays what it is: a query is no form here.
fn decode(text: &str) -> String {
    let mut octets = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.bytes().next() {
        let escaped = rest
            .get(1..3)
            .filter(|_| first == b'%')
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        octets.push(escaped.unwrap_or(first));
        let length = if escaped.is_some() { 3 } else { 1 };
        match rest.get(length..) {
            Some(left) => rest = left,
            // A character of several octets, which no query sends as it is.
            None => return text.to_owned(),
        }
    }
    String::from_utf8_lossy(&octets).into_owned()
}
